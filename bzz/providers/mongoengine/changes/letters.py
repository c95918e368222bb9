"""The letters of durable listeners, in a collection of a MongoDB database.

``bzz_letters`` has one document for each. What an owner writes here is a transaction that begins with the document of
its partition in ``bzz_listeners``: so it conflicts with whoever claims the partition meanwhile.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import ReadPreference, UpdateOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bzz.change import Position
from bzz.providers.deliveries import DEAD, Claim, Deliveries, Letter, LetterState
from bzz.providers.mongoengine.changes.claim_sessions import ClaimSessions
from bzz.providers.mongoengine.changes.letter_codec import LetterCodec
from bzz.providers.mongoengine.changes.progress_codec import read_position
from bzz.providers.mongoengine.concurrency import Operations
from bzz.providers.mongoengine.raw import Raw

__all__ = ["MongoLetters", "held", "partition_id"]

LISTENERS, LETTERS = "bzz_listeners", "bzz_letters"

T = TypeVar("T")


class MongoLetters(Deliveries):
    """The part of :class:`~bzz.providers.mongoengine.changes.deliveries.MongoDeliveries` that keeps letters.

    :param database: of either driver.
    """

    def __init__(self, database: Any) -> None:
        readable: CodecOptions[Any] = CodecOptions(
            tz_aware=True,
            tzinfo=UTC,
            uuid_representation=database.codec_options.uuid_representation,
            datetime_conversion=DatetimeConversion.DATETIME_AUTO,  # a cursor may be any key
        )
        majority = database.with_options(
            codec_options=readable,
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority"),
        )
        self._sessions = ClaimSessions(database.client)
        self._operations = Operations(database.client)
        self._listeners = majority[LISTENERS]
        self._letters = majority[LETTERS]
        self._codec = LetterCodec(database.codec_options)
        self._raw_letters = self._letters.with_options(codec_options=self._codec.options)
        self._is_indexed = False
        self._unfinished: set[asyncio.Future[Any]] = set()

    # -- by their owner

    async def put(self, claim: Claim, letters: Sequence[Letter]) -> bool:
        writes = []
        for each in letters:
            stored = self._codec.stored(each)
            writes.append(UpdateOne({"_id": stored.pop("_id")}, {"$setOnInsert": stored}, upsert=True))

        async def write(session: Any) -> bool:
            await self._raw_letters.bulk_write(writes, session=session)
            return True

        return bool(await self._fenced(claim, write))

    async def replace(self, claim: Claim, letter: Letter) -> bool:
        stored = self._codec.stored(letter)

        async def write(session: Any) -> bool:
            await self._raw_letters.replace_one({"_id": letter.id}, stored, session=session)
            return True

        return bool(await self._fenced(claim, write))

    async def remove(self, claim: Claim, letter: Letter) -> bool | None:
        of_document = {"listener": letter.listener, "key": letter.key}

        async def write(session: Any) -> bool:
            gone = await self._letters.delete_one({"_id": letter.id}, session=session)
            if gone.deleted_count:  # or it was removed before, and the next one waits already
                await self._letters.find_one_and_update(
                    {**of_document, "state": "queued"},
                    {"$set": {"state": "waiting", "due": datetime.now(UTC)}},
                    sort=[("position", 1)],
                    projection={"_id": 1},
                    session=session,
                )
            return await self._letters.find_one(of_document, {"_id": 1}, session=session) is not None

        return await self._fenced(claim, write)

    async def _fenced(self, claim: Claim, write: Callable[[Any], Awaitable[bool]]) -> bool | None:
        """Run a transaction while a claim holds; return None where it does not."""

        async def checked(session: Any) -> bool | None:
            done = await self._listeners.update_one(held(claim), {"$inc": {"letters": 1}}, session=session)
            return await write(session) if done.matched_count else None

        async def run() -> bool | None:
            async with self._sessions.of(claim.listener, claim.partition) as session:
                return await session.with_transaction(checked, write_concern=WriteConcern("majority"))  # type: ignore[no-any-return]

        # Where nobody waits for it any more, it ends by itself: left half done, it would lock the partition.
        running = asyncio.ensure_future(self._write(run))
        self._unfinished.add(running)
        running.add_done_callback(self._unfinished.discard)
        running.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(running)

    async def keys(self, claim: Claim) -> dict[str, Position]:
        own = {"listener": claim.listener, "partition": claim.partition}
        last = {"_id": "$key", "position": {"$max": "$position"}}
        rows = await self._all(self._letters, [{"$match": own}, {"$group": last}])
        return {row["_id"]: read_position(row["position"]) for row in rows}

    async def due(self, claims: Sequence[Claim], but: Collection[str], limit: int) -> list[Letter]:
        query = {**_of_claims(claims), **_OPEN, "due": {"$lte": datetime.now(UTC)}, "key": {"$nin": list(but)}}
        return await self._found(query, [("due", 1)], limit)

    async def next_due(self, claims: Sequence[Claim]) -> datetime | None:
        row = await self._operations.read(
            lambda: self._letters.find_one({**_of_claims(claims), **_OPEN}, {"due": 1}, sort=[("due", 1)])
        )
        return None if row is None else row["due"]

    # -- by people

    async def letters(
        self, listener: str | None = None, states: Collection[LetterState] = DEAD, limit: int = 100
    ) -> list[Letter]:
        query = {"state": {"$in": list(states)}, **({} if listener is None else {"listener": listener})}
        return await self._found(query, [("position", 1)], limit)

    async def letter(self, id: str) -> Letter | None:
        found = await self._found({"_id": id}, [("_id", 1)], 1)
        return found[0] if found else None

    async def mark(
        self,
        state: Literal["skipped", "waiting"],
        listener: str,
        ids: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        bounds = {**({} if since is None else {"$gte": since}), **({} if until is None else {"$lt": until})}
        marked = ["dead", "waiting"] if state == "waiting" else ["dead"]
        query: Raw = {"listener": listener, "state": {"$in": marked}}
        query |= {"_id": {"$in": list(ids)}} if ids else {}
        query |= {"at": bounds} if bounds else {}
        changed = {"$set": {"state": state, "attempts": 0, "due": datetime.now(UTC)}}
        done = await self._write(lambda: self._letters.update_many(query, changed))
        return int(done.modified_count)

    # -- how

    async def _found(self, query: Mapping[str, Any], sort: Sequence[tuple[str, int]], limit: int) -> list[Letter]:
        rows = await self._operations.read(lambda: self._raw_letters.find(query, sort=sort, limit=limit).to_list(None))
        return [self._codec.letter(row) for row in rows]

    async def _all(self, collection: Any, pipeline: Sequence[Mapping[str, Any]]) -> list[Raw]:
        async def fetch() -> list[Raw]:
            cursor = collection.aggregate(pipeline)
            if inspect.isawaitable(cursor):
                cursor = await cursor
            found: list[Raw] = await cursor.to_list(None)
            return found

        return await self._operations.read(fetch)

    async def _write(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await self._operations.write(operation)

    async def _make_indexes(self) -> None:
        if self._is_indexed:
            return
        wanted = (
            (self._listeners, [("listener", 1), ("number", 1)]),
            (self._letters, [("listener", 1), ("partition", 1), ("state", 1), ("due", 1)]),
            (self._letters, [("listener", 1), ("key", 1), ("state", 1), ("position", 1)]),
        )
        for collection, keys in wanted:
            await self._operations.read(lambda collection=collection, keys=keys: collection.create_index(keys))  # type: ignore[misc]
        self._is_indexed = True


_OPEN: Raw = {"state": {"$in": ["waiting", "skipped"]}}


def partition_id(listener: str, number: int) -> str:
    return f"{listener}/{number}"


def held(claim: Claim) -> Raw:
    """Return what finds a partition while a claim of it holds."""
    return {"_id": partition_id(claim.listener, claim.partition), "fence": claim.fence, "holder": claim.holder}


def _of_claims(claims: Sequence[Claim]) -> Raw:
    return {"listener": claims[0].listener, "partition": {"$in": [each.partition for each in claims]}}
