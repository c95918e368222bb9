"""The progress and the owners of durable listeners, in a collection of a MongoDB database, beside their letters.

``bzz_listeners`` has one document for each listener, and one for each of its partitions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from pymongo import UpdateOne

from bzz.change import Position
from bzz.providers.deliveries import Claim, LetterState, ListenerState, PartitionState, Standing, Trouble
from bzz.providers.mongoengine.changes.letters import MongoLetters, held, partition_id
from bzz.providers.mongoengine.changes.progress_codec import read_progress, stored_progress
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.progress import FROM_THE_BEGINNING, Progress

__all__ = ["MongoDeliveries"]

LEAVING_SECONDS = 5.0
"""How long who leaves waits for what is being written beside it."""

_FREE = {"$lte": [{"$ifNull": ["$leased_until", "$$NOW"]}, "$$NOW"]}

_PRESENT = {"$filter": {"input": {"$objectToArray": "$members"}, "cond": {"$gt": ["$$this.v", "$$NOW"]}}}
"""The processes that share the work of a listener, as keys and until when they said that they are there."""


class MongoDeliveries(MongoLetters):
    """Deliveries of one database.

    :param database: of either driver.
    """

    # -- owners

    async def enroll(self, listener: str, partitions: int, start: Progress) -> None:
        await self._make_indexes()
        rows: dict[str, Raw] = {listener: {"kind": "listener", "members": {}}}
        of_each = {"kind": "partition", "listener": listener, "progress": stored_progress(start)}
        for number in range(partitions):
            rows[partition_id(listener, number)] = {**of_each, "number": number}
        writes = [UpdateOne({"_id": id}, {"$setOnInsert": row}, upsert=True) for id, row in rows.items()]
        await self._write(lambda: self._listeners.bulk_write(writes, ordered=False))

    async def attend(self, listener: str, holder: str, seconds: float) -> Standing | None:
        until = {"$add": ["$$NOW", round(seconds * 1000)]}
        me = {"$arrayToObject": [[{"k": holder, "v": until}]]}
        members = {"$mergeObjects": [{"$arrayToObject": _PRESENT}, me]}
        row = await self._write(
            lambda: self._listeners.find_one_and_update(
                {"_id": listener}, [{"$set": {"members": members}}], return_document=True
            )
        )
        if row is None:
            return None
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
        claimable = {"_id": partition_id(listener, partition), "$expr": _claimable(holder)}
        before = await self._operations.read(lambda: self._listeners.find_one(claimable, {"session": 1}))
        if before is None:
            return None
        taken["session"] = await self._sessions.begin(listener, partition, before.get("session"))
        row = await self._write(
            lambda: self._listeners.find_one_and_update(claimable, [{"$set": taken}], return_document=True)
        )
        return None if row is None else Claim(listener, partition, holder, row["fence"], read_progress(row["progress"]))

    async def release(self, claims: Sequence[Claim]) -> None:
        owned = {"$or": [held(each) for each in claims]}
        await self._write(lambda: self._listeners.update_many(owned, {"$unset": {"holder": "", "leased_until": ""}}))

    async def save(self, progress: Sequence[tuple[Claim, Progress]]) -> list[Claim]:
        writes = [
            UpdateOne(held(claim), {"$set": {"progress": stored_progress(reached)}}) for claim, reached in progress
        ]
        done = await self._write(lambda: self._listeners.bulk_write(writes, ordered=False))
        return [] if done.matched_count == len(writes) else await self._lost(claim for claim, _ in progress)

    async def _lost(self, claims: Iterable[Claim]) -> list[Claim]:
        asked = {(partition_id(each.listener, each.partition), each.fence, each.holder): each for each in claims}
        rows = await self._operations.read(
            lambda: self._listeners.find(
                {"_id": {"$in": [id for id, _, _ in asked]}}, {"fence": 1, "holder": 1}
            ).to_list(None)
        )
        for row in rows:
            asked.pop((row["_id"], row.get("fence"), row.get("holder")), None)
        return list(asked.values())

    async def note_failing(self, listener: str, is_failing: bool) -> None:
        since = {"$ifNull": ["$failing_since", "$$NOW"]} if is_failing else "$$REMOVE"
        await self._write(lambda: self._listeners.update_one({"_id": listener}, [{"$set": {"failing_since": since}}]))

    # -- people, and what they are told

    async def halt(self, listener: str, trouble: Trouble, reason: str) -> None:
        changed = {"$set": {"trouble": trouble, "reason": reason}}
        await self._write(lambda: self._listeners.update_one({"_id": listener}, changed))

    async def resume(self, listener: str, start: Position | None = None) -> bool:
        if start is not None:
            await self._move(listener, {"progress": stored_progress(Progress(start))})
        return await self._call_again(listener)

    async def resync(self, listener: str) -> bool:
        row = await self._operations.read(lambda: self._listeners.find_one({"_id": listener}, {"trouble": 1}))
        if row is None:
            return False
        anew = stored_progress(FROM_THE_BEGINNING)
        is_lost = row.get("trouble") == "lost"
        await self._move(listener, {"progress": anew} if is_lost else {"progress.cursor": anew["cursor"]})
        return await self._call_again(listener)

    async def _move(self, listener: str, places: Raw) -> None:
        """Set the progress of all partitions, and fence their owners out."""
        changed = {"$inc": {"fence": 1}, "$set": places, "$unset": {"holder": "", "leased_until": ""}}
        await self._write(lambda: self._listeners.update_many({"listener": listener}, changed))

    async def _call_again(self, listener: str) -> bool:
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


def _claimable(holder: str) -> Raw:
    return {"$or": [_FREE, {"$eq": ["$holder", holder]}]}


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
