"""The references that a body names: each must lead to a document that the client may reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from collections.abc import Mapping as Map
from typing import Any

from bzz.errors import Invalid
from bzz.providers.base import Unchanged
from bzz.providers.mongoengine.column import Column
from bzz.providers.mongoengine.documents import Documents
from bzz.providers.mongoengine.mapping import Mapping
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.rules import refusals
from bzz.shape.documents import AnyEmbeddedKind, AnyReferenceKind, EmbeddedKind
from bzz.shape.keys import ReferenceKind

__all__ = ["check_references"]

Named = tuple[str, Mapping, Any]


async def check_references(
    mapping: Mapping,
    values: Map[str, Any],
    documents: Callable[[Mapping], Documents],
    context: Any,
    stored: Callable[[], Awaitable[Raw]] | None = None,
) -> None:
    """Refuse typed values that refer to documents which do not exist.

    :param stored: gives the raw document that the values change, if there is one. What it refers to already may be
        sent back, though it leads nowhere by now.
    :raises bzz.errors.Invalid: naming every such reference.
    """
    if not mapping.refers:
        return
    places: dict[Mapping, dict[Any, list[str]]] = defaultdict(lambda: defaultdict(list))
    for where, target, key in _in_document(mapping, values, ""):
        places[target][key].append(where)
    missing = [
        (where, target, key)
        for target in places
        for key in await documents(target).missing(list(places[target]), context)
        for where in places[target][key]
    ]
    if missing and stored is not None:
        held = _held(mapping, await stored())
        missing = [(where, *named) for where, *named in missing if (_field(where), *map(str, named)) not in held]
    if missing:
        nowhere = {where: [f"There is no such {target.model.__name__}."] for where, target, _ in missing}
        raise Invalid({**nowhere, **refusals(mapping, values)})  # one answer says all that there is to say


def _held(mapping: Mapping, raw: Raw) -> set[tuple[str, ...]]:
    """The references of a stored document: each one's field, class and primary key, as texts."""
    found = mapping.variant(raw)
    return {(_field(where), str(target), str(key)) for where, target, key in _in_document(found, found.typed(raw), "")}


def _field(where: str) -> str:
    """The dotted names on the way to a value, without its positions in lists."""
    return ".".join(name for name in where.split(".") if not name.isdigit())


def _in_document(mapping: Mapping, values: Map[str, Any], prefix: str) -> Iterator[Named]:
    for name, value in values.items():
        if name in mapping.columns:
            yield from _in_value(mapping.columns[name], value, prefix + name)


def _in_value(column: Column, value: Any, where: str) -> Iterator[Named]:
    """The references in one typed value. What a client may not write is not asked about, nor what others left there."""
    kind = column.field.kind
    if isinstance(kind, ReferenceKind) and value is not None and not isinstance(value, Unchanged):
        yield where, column.mapping(), value
    elif column.item is not None and isinstance(value, (dict, list)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in pairs:
            yield from _in_value(column.item, each, f"{where}.{key}")
    elif isinstance(value, dict) and isinstance(kind, EmbeddedKind):
        yield from _in_document(column.mapping(), value, where + ".")
    elif isinstance(value, dict) and isinstance(kind, (AnyEmbeddedKind, AnyReferenceKind)):
        target = column.schema.find(value.get("@type"))
        if target is not None and isinstance(kind, AnyEmbeddedKind):
            yield from _in_document(target, value, where + ".")
        elif target is not None:
            yield where, target, value["id"]
