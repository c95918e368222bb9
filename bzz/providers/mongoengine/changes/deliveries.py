"""The progress and letters of durable listeners, in two collections of a MongoDB database.

``bzz_listeners`` has one document for each listener, and one for each of its partitions. ``bzz_letters`` has one for
each letter. What an owner writes beside its progress is a transaction that begins with the document of its partition:
so it conflicts with whoever claims the partition meanwhile.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import ReadPreference, UpdateOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bzz.change import Position
from bzz.providers.deliveries import (
    DEAD,
    Claim,
    Deliveries,
    Letter,
    LetterState,
    ListenerState,
    PartitionState,
    Progress,
    Standing,
    Trouble,
)
from bzz.providers.mongoengine.changes.claim_sessions import ClaimSessions
from bzz.providers.mongoengine.changes.letter_codec import LetterCodec
from bzz.providers.mongoengine.changes.progress_codec import read_position, read_progress, stored_progress
from bzz.providers.mongoengine.concurrency import Operations
from bzz.providers.mongoengine.raw import Raw

__all__ = ["MongoDeliveries"]

LISTENERS, LETTERS = "bzz_listeners", "bzz_letters"

T = TypeVar("T")

LEAVING_SECONDS = 5.0
"""How long who leaves waits for what is being written beside it."""

_FREE = {"$lte": [{"$ifNull": ["$leased_until", "$$NOW"]}, "$$NOW"]}

_PRESENT = {"$filter": {"input": {"$objectToArray": "$members"}, "cond": {"$gt": ["$$this.v", "$$NOW"]}}}
"""The processes that share the work of a listener, as keys and until when they said that they are there."""


class MongoDeliveries(Deliveries):
    """Deliveries of one database.

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

    # -- owners

    async def enroll(self, listener: str, partitions: int, start: Progress) -> None:
        await self._make_indexes()
        rows: dict[str, Raw] = {listener: {"kind": "listener", "members": {}}}
        of_each = {"kind": "partition", "listener": listener, "progress": stored_progress(start)}
        for number in range(partitions):
            rows[_partition_id(listener, number)] = {**of_each, "number": number}
        writes = [UpdateOne({"_id": id}, {"$setOnInsert": row}, upsert=True) for id, row in rows.items()]
        await self._write(lambda: self._listeners.bulk_write(writes, ordered=False))

    async def attend(self, listener: str, holder: str, seconds: float) -> Standing:
        until = {"$add": ["$$NOW", round(seconds * 1000)]}
        me = {"$arrayToObject": [[{"k": holder, "v": until}]]}
        members = {"$mergeObjects": [{"$arrayToObject": _PRESENT}, me]}
        row = await self._write(
            lambda: self._listeners.find_one_and_update(
                {"_id": listener}, [{"$set": {"members": members}}], return_document=True
            )
        )
        owned = {"listener": listener, "holder": holder}
        await self._write(lambda: self._listeners.update_many(owned, [{"$set": {"leased_until": until}}]))
        rows = await self._operations.read(
            lambda: self._listeners.find(
                {"listener": listener, "$expr": _claimable(holder)},
                {"holder": 1, "number": 1},
            ).to_list(None)
        )
        return Standing(
            members=len(row["members"]),
            owned=frozenset(each["number"] for each in rows if each.get("holder") == holder),
            free=sorted(each["number"] for each in rows if each.get("holder") != holder),
            trouble=row.get("trouble"),
            failing_since=row.get("failing_since"),
        )

    async def leave(self, listener: str, holder: str) -> None:
        if self._unfinished:  # which lock partitions
            await asyncio.wait(self._unfinished, timeout=LEAVING_SECONDS)
        await self._write(
            lambda: self._listeners.update_many(
                {"listener": listener, "holder": holder}, {"$unset": {"holder": "", "leased_until": ""}}
            )
        )
        await self._write(lambda: self._listeners.update_one({"_id": listener}, {"$unset": {f"members.{holder}": ""}}))

    async def claim(self, listener: str, partition: int, holder: str, seconds: float) -> Claim | None:
        taken: Raw = {
            "holder": holder,
            "leased_until": {"$add": ["$$NOW", round(seconds * 1000)]},
            "fence": {"$add": [{"$ifNull": ["$fence", 0]}, 1]},
        }
        claimable = {"_id": _partition_id(listener, partition), "$expr": _claimable(holder)}
        before = await self._operations.read(lambda: self._listeners.find_one(claimable, {"session": 1}))
        if before is None:
            return None
        taken["session"] = await self._sessions.begin(listener, partition, before.get("session"))
        row = await self._write(
            lambda: self._listeners.find_one_and_update(claimable, [{"$set": taken}], return_document=True)
        )
        return None if row is None else Claim(listener, partition, holder, row["fence"], read_progress(row["progress"]))

    async def release(self, claims: Sequence[Claim]) -> None:
        held = {"$or": [_held(each) for each in claims]}
        await self._write(lambda: self._listeners.update_many(held, {"$unset": {"holder": "", "leased_until": ""}}))

    async def save(self, progress: Sequence[tuple[Claim, Progress]]) -> list[Claim]:
        writes = [
            UpdateOne(_held(claim), {"$set": {"progress": stored_progress(reached)}}) for claim, reached in progress
        ]
        done = await self._write(lambda: self._listeners.bulk_write(writes, ordered=False))
        return [] if done.matched_count == len(writes) else await self._lost(claim for claim, _ in progress)

    async def _lost(self, claims: Iterable[Claim]) -> list[Claim]:
        asked = {(_partition_id(each.listener, each.partition), each.fence, each.holder): each for each in claims}
        rows = await self._operations.read(
            lambda: self._listeners.find(
                {"_id": {"$in": [id for id, _, _ in asked]}}, {"fence": 1, "holder": 1}
            ).to_list(None)
        )
        for row in rows:
            asked.pop((row["_id"], row.get("fence"), row.get("holder")), None)
        return list(asked.values())

    # -- letters, by their owner

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
            done = await self._listeners.update_one(_held(claim), {"$inc": {"letters": 1}}, session=session)
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

    async def note_failing(self, listener: str, is_failing: bool) -> None:
        since = {"$ifNull": ["$failing_since", "$$NOW"]} if is_failing else "$$REMOVE"
        await self._write(lambda: self._listeners.update_one({"_id": listener}, [{"$set": {"failing_since": since}}]))

    # -- people, and what they are told

    async def halt(self, listener: str, trouble: Trouble, reason: str) -> None:
        changed = {"$set": {"trouble": trouble, "reason": reason}}
        await self._write(lambda: self._listeners.update_one({"_id": listener}, changed))

    async def resume(self, listener: str, start: Progress | None = None) -> bool:
        if start is not None:
            moved = {"$inc": {"fence": 1}, "$set": {"progress": stored_progress(start)}}
            free = {"$unset": {"holder": "", "leased_until": ""}}
            await self._write(lambda: self._listeners.update_many({"listener": listener}, {**moved, **free}))
        gone = {"$unset": {"trouble": "", "reason": "", "failing_since": ""}}
        done = await self._write(lambda: self._listeners.update_one({"_id": listener}, gone))
        return bool(done.matched_count)

    async def states(self) -> list[ListenerState]:
        alive = {"$gt": ["$leased_until", "$$NOW"]}
        shown = {"$set": {"is_held": alive, "present": {"$size": {"$ifNull": [_PRESENT, []]}}}}
        rows = await self._all(self._listeners, [shown, {"$sort": {"kind": 1, "listener": 1, "number": 1, "_id": 1}}])
        groups = {"$group": {"_id": {"listener": "$listener", "state": "$state"}, "count": {"$sum": 1}}}
        counts: dict[str, dict[LetterState, int]] = {}
        for each in await self._all(self._letters, [groups]):
            counts.setdefault(each["_id"]["listener"], {})[each["_id"]["state"]] = each["count"]
        return [_state(row, rows, counts.get(row["_id"], {})) for row in rows if row["kind"] == "listener"]

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
        query: Raw = {"listener": listener, "state": "dead"}
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


def _claimable(holder: str) -> Raw:
    return {"$or": [_FREE, {"$eq": ["$holder", holder]}]}


def _partition_id(listener: str, number: int) -> str:
    return f"{listener}/{number}"


def _held(claim: Claim) -> Raw:
    """Return what finds a partition while a claim of it holds."""
    return {"_id": _partition_id(claim.listener, claim.partition), "fence": claim.fence, "holder": claim.holder}


def _of_claims(claims: Sequence[Claim]) -> Raw:
    return {"listener": claims[0].listener, "partition": {"$in": [each.partition for each in claims]}}


def _state(row: Raw, rows: Sequence[Raw], letters: Mapping[LetterState, int]) -> ListenerState:
    return ListenerState(
        name=row["_id"],
        trouble=row.get("trouble"),
        reason=row.get("reason", ""),
        members=row["present"],
        failing_since=row.get("failing_since"),
        partitions=[
            PartitionState(
                each["number"], each.get("holder") if each["is_held"] else None, read_progress(each["progress"])
            )
            for each in rows
            if each.get("listener") == row["_id"]
        ],
        letters=letters,
    )
