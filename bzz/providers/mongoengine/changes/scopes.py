"""What one client may see and wants to see, as a MongoDB query, and the name of that query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from bzz.errors import BadRequest
from bzz.providers.changes import Scope
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.raw import Raw

__all__ = ["StoredScope", "make_scope", "unaskable"]

_LISTS_OF_QUERIES = ("$and", "$or", "$nor")
_UNASKABLE = ("$text", "$near", "$nearSphere", "$geoNear", "$where")


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredScope(Scope):
    """A scope whose query is BSON, encoded once.

    :param documents: that it is a part of.
    :param ordering: of the model, or of the hook that narrowed it.
    :param classes: the names of the classes, where it is about nothing else.
    """

    documents: DocumentStore
    ordering: Sequence[tuple[str, int]] = ()
    classes: frozenset[str] | None = None


def make_scope(
    documents: DocumentStore,
    query: Raw,
    ordering: Sequence[tuple[str, int]],
    options: CodecOptions[Any],
    only: Any = None,
) -> StoredScope:
    """Return the scope of a query.

    :raises bzz.errors.BadRequest: if it holds what BSON cannot.
    """
    collection = documents.collection_name
    try:
        encoded = RawBSONDocument(bson.encode(query, codec_options=options))
        named = bson.encode({"in": collection, "query": _canonical(query, options)}, codec_options=options)
    except (BSONError, OverflowError, UnicodeError, TypeError, ValueError, RecursionError):
        raise BadRequest("A filter holds a value that cannot be compared.") from None
    return StoredScope(
        key=blake2b(named, digest_size=16).hexdigest(),
        collection=collection,
        query=encoded,
        only=only,
        is_all=not query,
        documents=documents,
        ordering=ordering,
        classes=_classes(query),
    )


def unaskable(query: Any) -> BadRequest:
    """Return what a client is told of a query that MongoDB does not answer for a single document."""
    found = next((each for each in _keys(query) if each in _UNASKABLE), None)
    if found is None:
        return BadRequest("A filter of this list cannot be asked of a single document, so it has no live feed.")
    return BadRequest(f"This list is selected by {found}, which cannot be asked of a single document: no live feed.")


def _classes(query: Raw) -> frozenset[str] | None:
    wanted = query.get(internals.CLASS_KEY)
    if len(query) != 1 or not isinstance(wanted, dict) or list(wanted) != ["$in"]:
        return None
    return frozenset(wanted["$in"])


def _canonical(query: Any, options: CodecOptions[Any]) -> Any:
    """A query in which what has no order is sorted, so that it has one name in every process.

    Only where order is sure not to matter: not within values, nor within expressions.
    """
    if not isinstance(query, dict):
        return query
    return {name: _canonical_at(name, query[name], options) for name in sorted(query)}


def _canonical_at(name: str, value: Any, options: CodecOptions[Any]) -> Any:
    if name in _LISTS_OF_QUERIES and isinstance(value, list):
        return _sorted([_canonical(each, options) for each in value], options)
    if name.startswith("$") or not isinstance(value, dict):
        return value
    return {operator: _operand(operator, value[operator], options) for operator in value}


def _operand(operator: str, value: Any, options: CodecOptions[Any]) -> Any:
    return _sorted(value, options) if operator in ("$in", "$nin") and isinstance(value, list) else value


def _sorted(values: list[Any], options: CodecOptions[Any]) -> list[Any]:
    return sorted(values, key=lambda each: bson.encode({"": each}, codec_options=options))


def _keys(query: Any) -> Iterator[str]:
    """All keys of a query, at any depth."""
    if isinstance(query, dict):
        yield from query
    for each in query.values() if isinstance(query, dict) else query if isinstance(query, list) else ():
        yield from _keys(each)
