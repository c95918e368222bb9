"""The lists that requests page through: documents of a collection, and documents embedded in one list.

A page is found by :mod:`bzz.providers.paging`, which asks for what is here: sort keys as MongoDB paths, what comes
beyond an item as a query, and its sort values as BSON. Where a list is found along a path, is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import bson
from bson import Binary, DBRef, Decimal128, Int64, ObjectId
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions

from bzz.providers.base import ListQuery, Sort
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.unseen import unseen_paths
from bzz.providers.mongoengine.collection import Collection, Without
from bzz.providers.mongoengine.filters import filter_query, require_ordered, stored_path
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import DocumentRecord
from bzz.providers.mongoengine.updates import value_at
from bzz.providers.paging import Beyond, Key, Listing, beyond, total_order

__all__ = ["DocumentListing", "ItemListing", "document_order", "item_record", "item_rows"]

_BSON: CodecOptions[Any] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
_SCALARS = (type(None), bool, int, float, str, datetime, ObjectId, Decimal128, bytes, Binary, UUID, Int64)

_TYPES = ["number", "string", "object", "binData", "objectId", "bool", "date", "timestamp", "regex", "maxKey"]
"""MongoDB's types but null and arrays, in the order in which it sorts them.

https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
"""

_PYTHON_TYPES: tuple[Any, ...] = ((int, float, Decimal128), str, (dict, DBRef), (bytes, UUID), ObjectId, (), datetime)
"""The classes of their values, in the same order. Python's truth values are integers, too, and asked for first."""

_ITEM = "item"
_POSITION = "position"


class Rows(Protocol):
    """Where the items of a list come from: a collection, or the array in a document."""

    async def page(
        self, query: Raw, *, sort: Sequence[Key], skip: int, limit: int, without: Without
    ) -> tuple[list[Raw], bool]: ...

    async def count(self, query: Raw) -> int: ...


class _StoredListing(Listing[Raw]):
    """Rows that MongoDB selects and sorts.

    :param conditions: queries that all of them meet.
    :param without: returns paths that may be left out of them, where they are too large.
    """

    def __init__(self, rows: Rows, conditions: list[Raw], order: Sequence[Key], without: Without = None) -> None:
        self.order = order
        self._without = without
        self._rows = rows
        self._conditions = conditions

    async def fetch(
        self, order: Sequence[Key], after: Sequence[Any] | None, *, skip: int, limit: int
    ) -> tuple[list[Raw], bool]:
        where = self._conditions if after is None else [*self._conditions, _beyond(order, after)]
        return await self._rows.page(_all_of(where), sort=order, skip=skip, limit=limit, without=self._without)

    async def count(self) -> int:
        return await self._rows.count(_all_of(self._conditions))

    def dump(self, row: Raw) -> bytes:
        return bson.encode({str(rank): _at(row, key.path) for rank, key in enumerate(self.order)}, codec_options=_BSON)

    def load(self, dumped: bytes) -> list[Any]:
        try:
            decoded: Raw = bson.decode(dumped, codec_options=_BSON)
        except (bson.errors.BSONError, OverflowError) as error:
            raise ValueError("not BSON") from error
        values = [decoded.get(str(rank)) for rank in range(len(self.order))]
        if len(decoded) != len(self.order) or not all(map(_is_scalar, values)):
            raise ValueError("not the sort values of this order")
        return values


class DocumentListing(_StoredListing):
    """The documents of one class.

    :param conditions: queries within which documents are there for a request.
    :param default: the model's own order: stored paths and directions.
    :raises bzz.errors.BadRequest: for a filter or a sort key that the field cannot serve.
    """

    def __init__(
        self,
        documents: Rows,
        codec: DocumentCodec,
        query: ListQuery,
        conditions: list[Raw],
        default: Sequence[tuple[str, int]],
    ) -> None:
        order = document_order(codec, query.sort, default)
        without = partial(unseen_paths, codec) if query.only_shown and not codec.registry.has_custom_json else None
        super().__init__(documents, [*conditions, *filter_query(codec, query.filters)], order, without)
        self._codec = codec

    def record(self, row: Raw) -> DocumentRecord:
        return DocumentRecord(self._codec, row)


class ItemListing(_StoredListing):
    """The documents embedded in one list, as rows ``{item, position}``: in their order, if no other is asked for.

    So a nested list filters, sorts and pages by the very queries of a collection.

    :param root: the query for the document that holds the list.
    :param where: the path of the list in it.
    :raises bzz.errors.BadRequest: for a filter or a sort key that the field cannot serve.
    """

    def __init__(self, collection: Collection, root: Raw, where: str, codec: DocumentCodec, query: ListQuery) -> None:
        conditions = filter_query(codec, query.filters, _ITEM + ".")
        super().__init__(_ArrayRows(collection, root, where), conditions, _item_order(codec, query.sort))
        self._codec = codec

    def record(self, row: Raw) -> DocumentRecord:
        return item_record(self._codec, row)


def item_rows(codec: DocumentCodec, where: str, query: ListQuery) -> list[Raw]:
    """Return the stages that make rows ``{item, position}`` of a list in a document, filtered and in order.

    :param where: the path of the list in the document.
    :raises bzz.errors.BadRequest: for a filter or a sort key that the field cannot serve.
    """
    conditions = filter_query(codec, query.filters, _ITEM + ".")
    return [
        *_stages_to(where),
        *({"$match": each} for each in conditions),
        {"$sort": dict(_item_order(codec, query.sort))},
    ]


def item_record(codec: DocumentCodec, row: Raw) -> DocumentRecord:
    """Return the record of one row of a list of embedded documents."""
    return DocumentRecord(codec.variant(row[_ITEM]), row[_ITEM], row[_POSITION])


class _ArrayRows:
    """Rows ``{item, position}`` of a list in a document, selected and sorted by the server."""

    def __init__(self, collection: Collection, query: Raw, where: str) -> None:
        self._collection = collection
        self._stages = [{"$match": query}, *_stages_to(where)]

    async def page(
        self, query: Raw, *, sort: Sequence[Key], skip: int, limit: int, without: Without = None
    ) -> tuple[list[Raw], bool]:
        """Return the rows that match, in order; never cut, for all of them are parts of one document."""
        found = await self._collection.aggregate(
            [*self._stages, {"$match": query}, {"$sort": dict(sort)}, {"$skip": skip}, {"$limit": limit}]
        )
        return found, False

    async def count(self, query: Raw) -> int:
        """Return how many rows match."""
        found = await self._collection.aggregate([*self._stages, {"$match": query}, {"$count": "total"}])
        return int(found[0]["total"]) if found else 0


def _stages_to(where: str) -> list[Raw]:
    """Replace a document by what stands at a path of names and positions, then unwind it."""
    return [
        {"$replaceWith": {_ITEM: value_at(where)}},
        {"$unwind": {"path": f"${_ITEM}", "includeArrayIndex": _POSITION}},
        {"$match": {_ITEM: {"$type": "object"}}},
    ]


def _all_of(conditions: list[Raw]) -> Raw:
    if len(conditions) < 2:
        return conditions[0] if conditions else {}
    return {"$and": conditions}


# -- order


def document_order(codec: DocumentCodec, sort: Sequence[Sort], default: Sequence[tuple[str, int]]) -> Sequence[Key]:
    """Return the order of documents: the one that is asked for, or the model's own.

    :param default: stored paths and directions.
    :raises bzz.errors.BadRequest: for a sort key that the field cannot serve.
    """
    keys = [Key(*each) for each in default if _is_open(codec, each[0])]
    return total_order(_keys(codec, sort, "") or keys, "_id")


def _item_order(codec: DocumentCodec, sort: Sequence[Sort]) -> Sequence[Key]:
    return total_order(_keys(codec, sort, _ITEM + "."), _POSITION)


def _keys(codec: DocumentCodec, sort: Sequence[Sort], prefix: str) -> list[Key]:
    """Return the sort keys of a request, all of them of fields that MongoDB sorts in the order of their values."""
    keys = []
    for each in sort:
        path, field = stored_path(codec, each.path)
        require_ordered(field, each.path)
        keys.append(Key(prefix + path, -1 if each.descending else 1))
    return keys


def _is_open(codec: DocumentCodec, stored: str) -> bool:
    """Return whether a cursor may carry a field's value: not if clients may not see it, or it is no scalar."""
    first, _, rest = stored.partition(".")
    field = codec.by_stored.get(first)
    if field is None or field.declared.hidden or field.declared.write_only:
        return False
    if not rest or field.compared == stored:
        return field.declared.kind.is_scalar
    return field.holds_documents and field.declared.link is not None and _is_open(field.target(), rest)


# -- what comes beyond an item


def _at(item: Any, path: str) -> Any:
    for name in path.split("."):
        item = item.get(name) if isinstance(item, dict) else None
    return item


def _is_scalar(value: Any) -> bool:
    if isinstance(value, DBRef):
        return isinstance(value.id, _SCALARS) and value.as_doc().keys() == {"$ref", "$id"}
    return isinstance(value, _SCALARS)


def _beyond(keys: Sequence[Key], values: Sequence[Any]) -> Raw:
    """Return the query for what comes after the item with these sort values."""
    ways = [
        {"$and": [*({path: value} for path, value in way.same), {way.key.path: condition}]}
        for way in beyond(keys, values)
        for condition in _later(way)
    ]
    return ways[0] if len(ways) == 1 else {"$or": ways}


def _later(way: Beyond) -> list[Raw]:
    """Return conditions of which one holds for each value that sorts after that of an item.

    MongoDB sorts null first, then NaN, then numbers, then other types; and compares values of one type only, so each is
    asked for. Whatever writes to a collection beside bzz may leave a text where a number is declared.
    """
    value, ascends = way.value, way.key.direction > 0
    if way.is_last:  # one comparison is what an index answers fastest
        return [{"$gt" if ascends else "$lt": value}]
    if value is None:
        return [{"$ne": None}] if ascends else []
    rank = _rank(value)
    if ascends:
        same: Raw = {"$gte": -math.inf} if _is_nan(value) else {"$gt": value}
        return [same] if rank is None else [same, {"$type": _TYPES[rank + 1 :]}]
    if _is_nan(value):
        return [{"$eq": None}]
    nan: list[Raw] = [{"$eq": math.nan}] if rank == 0 else []
    others: list[Raw] = [{"$type": _TYPES[:rank]}] if rank else []
    return [{"$lt": value}, *nan, *others, {"$eq": None}]


def _rank(value: Any) -> int | None:
    """Return the position of a value's type in :data:`_TYPES`."""
    if isinstance(value, bool):
        return _TYPES.index("bool")
    return next((rank for rank, types in enumerate(_PYTHON_TYPES) if isinstance(value, types)), None)


def _is_nan(value: Any) -> bool:
    if isinstance(value, Decimal128):
        return value.to_decimal().is_nan()
    return isinstance(value, float) and math.isnan(value)
