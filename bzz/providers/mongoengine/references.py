"""The references that a body names: each must lead to a document that the client may reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from collections.abc import Mapping as Map
from typing import Any

from bzz.errors import Invalid
from bzz.providers.base import Unchanged
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.refusals import refusals
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.raw import Raw
from bzz.shape.walk import references

__all__ = ["check_references"]

Named = tuple[str, DocumentCodec, Any]


async def check_references(
    codec: DocumentCodec,
    values: Map[str, Any],
    documents: Callable[[DocumentCodec], DocumentStore],
    context: Any,
    stored: Callable[[], Awaitable[Raw]] | None = None,
) -> None:
    """Refuse values that refer to documents which do not exist.

    :param stored: gives the raw document that the values change, if there is one. What it refers to already may be
        sent back, though it leads nowhere by now.
    :raises bzz.errors.Invalid: naming every such reference.
    """
    if not codec.refers:
        return
    places: dict[DocumentCodec, dict[Any, list[str]]] = defaultdict(lambda: defaultdict(list))
    for where, target, key in _named(codec, values):
        places[target][key].append(where)
    missing = [
        (where, target, key)
        for target in places
        for key in await documents(target).missing(list(places[target]), context)
        for where in places[target][key]
    ]
    if missing and stored is not None:
        held = _held(codec, await stored())
        missing = [(where, *named) for where, *named in missing if (_field(where), *map(str, named)) not in held]
    if missing:
        nowhere = {where: [f"There is no such {target.model.__name__}."] for where, target, _ in missing}
        raise Invalid({**nowhere, **refusals(codec, values)})  # one answer says all that there is to say


def _held(codec: DocumentCodec, raw: Raw) -> set[tuple[str, ...]]:
    """The references of a stored document: each one's field, class and primary key, as texts."""
    found = codec.variant(raw)
    return {(_field(where), str(target), str(key)) for where, target, key in _named(found, found.to_value(raw))}


def _field(where: str) -> str:
    """The dotted names on the way to a value, without its positions in lists."""
    return ".".join(name for name in where.split(".") if not name.isdigit())


def _named(codec: DocumentCodec, values: Map[str, Any]) -> Iterator[Named]:
    """The references in values, at any depth. What a client may not write is not asked about."""
    for where, shape, key in references(codec.shape, values):
        if not isinstance(key, Unchanged):
            yield where, codec.registry.of(shape.model), key
