"""The references that a body names: each must lead to a document that the client may reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Map
from typing import Any

from bzz.errors import Invalid
from bzz.providers.mongoengine.column import Column
from bzz.providers.mongoengine.documents import Documents
from bzz.providers.mongoengine.mapping import Mapping
from bzz.shape import Kind

__all__ = ["check_references"]

Named = tuple[str, Mapping, Any]


async def check_references(
    mapping: Mapping, values: Map[str, Any], documents: Callable[[Mapping], Documents], context: Any
) -> None:
    """Refuse typed values that refer to documents which do not exist.

    :raises bzz.errors.Invalid: naming every such reference.
    """
    if not mapping.refers:
        return
    places: dict[Mapping, dict[Any, list[str]]] = defaultdict(lambda: defaultdict(list))
    for where, target, key in _in_document(mapping, values, ""):
        places[target][key].append(where)
    errors: dict[str, list[str]] = {}
    for target, keys in places.items():
        for key in await documents(target).missing(list(keys), context):
            errors.update({where: [f"There is no such {target.model.__name__}."] for where in keys[key]})
    if errors:
        raise Invalid(errors)


def _in_document(mapping: Mapping, values: Map[str, Any], prefix: str) -> Iterator[Named]:
    for name, value in values.items():
        if name in mapping.columns:
            yield from _in_value(mapping.columns[name], value, prefix + name)


def _in_value(column: Column, value: Any, where: str) -> Iterator[Named]:
    kind = column.field.kind
    if value is None:
        return
    if kind is Kind.REFERENCE:
        yield where, column.mapping(), value
    elif kind is Kind.ANY_REFERENCE:
        yield where, column.schema.named(value["@type"]), value["id"]
    elif kind is Kind.EMBEDDED:
        yield from _in_document(column.mapping(), value, where + ".")
    elif kind is Kind.ANY_EMBEDDED:
        yield from _in_document(column.schema.named(value["@type"]), value, where + ".")
    elif column.item is not None:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in pairs:
            yield from _in_value(column.item, each, f"{where}.{key}")
