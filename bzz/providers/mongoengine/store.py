"""The small store in a MongoDB collection: one document for each key, and a TTL index for those that expire."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from pymongo import ReadPreference
from pymongo.errors import DuplicateKeyError

from bzz.providers.mongoengine.concurrency import Operations
from bzz.providers.store import Entry, Store

__all__ = ["MongoStore"]

_READABLE: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)
"""How documents are read here, whatever the application chose for its own."""


class MongoStore(Store):
    """A store in a collection that nothing else writes to.

    :param collection: an asynchronous collection, of Motor or of PyMongo's ``AsyncMongoClient``.
    :param expires: the member of its documents that holds when they expire, which the TTL index is on.
    """

    def __init__(self, collection: Any, expires: str = "expires") -> None:
        self._operations = Operations(collection.database.client)
        self._collection = collection.with_options(codec_options=_READABLE, read_preference=ReadPreference.PRIMARY)
        self._expires = expires
        self._indexed = False

    async def get(self, keys: Collection[str]) -> dict[str, Entry]:
        query = {"_id": {"$in": list(keys)}, self._expires: {"$not": {"$lte": _now()}}}
        found = await self._operations.read(
            lambda: self._collection.find(query, limit=len(keys), batch_size=len(keys)).to_list(None)
        )
        return {document["_id"]: self._entry(document) for document in found}

    async def put(
        self, key: str, value: Mapping[str, Any], expected: Entry | None, *, expires: float | None = None
    ) -> Entry | None:
        document = dict(value)
        if expires is not None:
            document[self._expires] = datetime.fromtimestamp(expires, UTC)
            await self._make_index()
        if expected is None:
            query = {"_id": key, self._expires: {"$lte": _now()}}  # what has expired is not there
        else:
            query = {"_id": key, "$expr": {"$eq": ["$$ROOT", {"$literal": expected.version}]}}
        try:
            done = await self._operations.write(
                lambda: self._collection.replace_one(query, document, upsert=expected is None)
            )
        except DuplicateKeyError:  # another entry is there
            return None
        is_put = done.matched_count or done.upserted_id is not None
        return self._entry({"_id": key, **document}) if is_put else None

    async def count(self, key: str, amount: int, window: float) -> tuple[int, float]:
        await self._make_index()
        now = _now()
        running = {"$gt": [f"${self._expires}", now]}
        found = await self._change(
            key,
            {
                "count": {"$max": [0, {"$add": [{"$cond": [running, "$count", 0]}, amount]}]},
                self._expires: {"$cond": [running, f"${self._expires}", now + timedelta(seconds=window)]},
            },
        )
        return found["count"], (found[self._expires] - now).total_seconds()

    async def lease(self, key: str, holder: str, seconds: float) -> int | None:
        own, held = {"$literal": holder}, {"$gt": ["$leased_until", "$$NOW"]}
        held_by_another = {"$and": [held, {"$ne": ["$holder", own]}]}
        found = await self._change(
            key,
            {  # without a date that expires: the number has to outlast every lease
                "number": {"$cond": [held, "$number", {"$add": [{"$ifNull": ["$number", 0]}, 1]}]},
                "holder": {"$cond": [held, "$holder", own]},
                "leased_until": {
                    "$cond": [held_by_another, "$leased_until", {"$add": ["$$NOW", round(seconds * 1000)]}]
                },
            },
        )
        return found["number"] if found["holder"] == holder else None

    async def _change(self, key: str, members: Mapping[str, Any]) -> dict[str, Any]:
        """Set ``members`` to expressions of what they were, in one step; return the document as it is then."""
        found: dict[str, Any] = await self._operations.write(
            lambda: self._collection.find_one_and_update(
                {"_id": key}, [{"$set": members}], upsert=True, return_document=True
            ),
        )
        return found

    async def _make_index(self) -> None:
        if not self._indexed:
            await self._operations.read(
                lambda: self._collection.create_index(self._expires, expireAfterSeconds=0),
            )
            self._indexed = True

    def _entry(self, document: dict[str, Any]) -> Entry:
        expires = document.get(self._expires)
        value = {name: value for name, value in document.items() if name not in ("_id", self._expires)}
        return Entry(value, None if expires is None else expires.timestamp(), document)


def _now() -> datetime:
    return datetime.now(UTC)
