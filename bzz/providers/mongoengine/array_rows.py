"""The embedded documents of one list as rows, so that they are filtered and sorted by the queries of a collection."""

from __future__ import annotations

from collections.abc import Sequence

from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.expressions import value_at
from bzz.providers.mongoengine.listing import Key
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import StoredRecord

__all__ = ["POSITION", "PREFIX", "ArrayRows", "record", "stages_to"]

ITEM = "item"
POSITION = "position"
PREFIX = ITEM + "."
"""What stands before the paths of a row's item."""


def record(codec: DocumentCodec, row: Raw) -> StoredRecord:
    """Return the record of one row.

    :param codec: of the items.
    """
    return StoredRecord(codec.variant(row[ITEM]), row[ITEM], row[POSITION])


class ArrayRows:
    """The embedded documents of one list as rows ``{item, position}``, selected and sorted by the server.

    So a nested list filters, sorts and pages by the very queries of a collection.
    """

    def __init__(self, collection: Collection, query: Raw, where: str) -> None:
        self._collection = collection
        self._stages = [{"$match": query}, *stages_to(where)]

    async def page(self, query: Raw, *, sort: Sequence[Key], skip: int, limit: int) -> tuple[list[Raw], bool]:
        """Rows that match, in order; never cut, for all of them are parts of one document."""
        found = await self._collection.aggregate(
            [*self._stages, {"$match": query}, {"$sort": dict(sort)}, {"$skip": skip}, {"$limit": limit}]
        )
        return found, False

    async def count(self, query: Raw) -> int:
        """How many rows match."""
        found = await self._collection.aggregate([*self._stages, {"$match": query}, {"$count": "total"}])
        return int(found[0]["total"]) if found else 0


def stages_to(where: str) -> list[Raw]:
    """Replace a document by what stands at a path of names and positions, then unwind it."""
    return [
        {"$replaceWith": {ITEM: value_at(where)}},
        {"$unwind": {"path": f"${ITEM}", "includeArrayIndex": POSITION}},
        {"$match": {ITEM: {"$type": "object"}}},
    ]
