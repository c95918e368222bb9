"""Pages in the order of primary keys that share a round trip: one aggregation for all that wait.

Only such pages do, without filters and near enough to where they begin: the index of the keys answers them, so that
none of them can hold up the others. Where documents are so large that one reply does not hold a few pages, each page is
asked for by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bzz.batching import Batcher
from bzz.providers.mongoengine.collection import Collection, Without
from bzz.providers.mongoengine.raw import Raw

__all__ = ["SharedPages"]

MAX_WALKED = 1_000
"""How many documents may be walked over for a page that shares a round trip, those before it included."""

MAX_PAGES = 32
"""How many pages one aggregation gives."""


class _Page(NamedTuple):
    query: Raw
    direction: int
    skip: int
    limit: int
    without: Without


class SharedPages:
    """Pages of the documents of one collection. It belongs to one event loop."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._are_small = True
        self._batcher: Batcher[_Page, tuple[list[Raw], bool] | None] = Batcher(self._send)

    async def page(
        self,
        query: Raw,
        *,
        sort: Sequence[tuple[str, int]],
        skip: int,
        limit: int,
        without: Without = None,
    ) -> tuple[list[Raw], bool]:
        """Return what :meth:`Collection.page` does."""
        if self._are_small and sort[0][0] == "_id" and skip + limit <= MAX_WALKED and _is_by_id(query):
            found = await self._batcher.ask(_Page(query, sort[0][1], skip, limit, without))
            if found is not None:
                return found
        return await self._collection.page(query, sort=sort, skip=skip, limit=limit, without=without)

    async def count(self, query: Raw) -> int:
        """Return how many documents match."""
        return await self._collection.count(query)

    async def _send(self, pages: Sequence[_Page]) -> list[tuple[list[Raw], bool] | None]:
        if len(pages) == 1:
            query, direction, skip, limit, without = pages[0]
            order = [("_id", direction)]
            return [await self._collection.page(query, sort=order, skip=skip, limit=limit, without=without)]
        found: list[tuple[list[Raw], bool] | None] = []
        for start in range(0, len(pages), MAX_PAGES):
            found += await self._read(pages[start : start + MAX_PAGES])
        return found

    async def _read(self, pages: Sequence[_Page]) -> Sequence[tuple[list[Raw], bool] | None]:
        stages = [_stages(number, page) for number, page in enumerate(pages)]
        name = self._collection.raw.name
        unions = [{"$unionWith": {"coll": name, "pipeline": each}} for each in stages[1:]]
        rows = await self._collection.one_reply([*stages[0], *unions], len(pages)) if self._are_small else None
        if rows is None:
            self._are_small = False
            return [None] * len(pages)
        documents = {row["_id"]: row["all"] for row in rows}
        return [(documents.get(number, []), False) for number in range(len(pages))]


def _is_by_id(query: Raw) -> bool:
    """Return whether a query asks for nothing but what is beyond a key, as a cursor does."""
    for key, value in query.items():
        if key == "$and":
            if not all(map(_is_by_id, value)):
                return False
        elif key != "_id" or not isinstance(value, dict) or not value.keys() <= {"$gt", "$lt"}:
            return False
    return True


def _stages(number: int, page: _Page) -> list[Raw]:
    """Return the stages that give one document: the number of a page, and all documents on it."""
    return [
        {"$match": page.query},
        {"$sort": {"_id": page.direction}},
        {"$skip": page.skip},
        {"$limit": page.limit},
        {"$group": {"_id": {"$literal": number}, "all": {"$push": "$$ROOT"}}},
    ]
