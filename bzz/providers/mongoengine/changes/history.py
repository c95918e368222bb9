"""Histories in two collections of a MongoDB database.

``bzz_history`` has one document for each change: for good, until somebody deletes it. ``bzz_history_notes`` has one for
each write of a request whose change is not there yet; what no change comes for is removed after a week.

An entry keeps the digest of its change while nobody has signed it, and the id of the note when somebody has, which is
unique: two entries of equal changes cannot be signed with one note.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, timedelta
from typing import Any, Literal

from bson.codec_options import CodecOptions
from pymongo import ReadPreference
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bzz.change import Position
from bzz.providers.history import History, HistoryEntry
from bzz.providers.mongoengine.changes.progress_codec import read_position, stored_position
from bzz.providers.mongoengine.concurrency import Operations
from bzz.providers.mongoengine.raw import Raw

__all__ = ["MongoHistory"]

ENTRIES, NOTES = "bzz_history", "bzz_history_notes"

NOTE_LIFE = timedelta(days=7)
"""How long a note waits for its change, where nobody follows the changes."""

SLACK = timedelta(seconds=2)
"""How much the clock of the database may be off between a change and its note: it is two clocks after an election."""

MOST_CANDIDATES = 100


class MongoHistory(History):
    """Histories of one database.

    :param database: of either driver.
    """

    def __init__(self, database: Any) -> None:
        own: CodecOptions[Any] = CodecOptions(tz_aware=True, tzinfo=UTC)
        majority = database.with_options(
            codec_options=own,
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority"),
        )
        self._operations = Operations(database.client)
        self._entries = majority[ENTRIES]
        self._notes = majority[NOTES]
        self._is_indexed = False

    async def add(self, entry: HistoryEntry, digest: str) -> None:
        await self._make_indexes()
        stored = {**_stored(entry), "digest": digest}
        with suppress(DuplicateKeyError):  # it was recorded before, and may wait still for who wrote it
            await self._operations.write(lambda: self._entries.insert_one(dict(stored)))
        covering = {"digest": digest, "since": {"$lte": entry.at}, "until": {"$gte": entry.at}}
        for note in await self._found(self._notes, covering, [("until", 1)], MOST_CANDIDATES):
            if await self._join(entry.change, note) != "note used":
                return

    async def sign(self, note: str, digest: str, who: str, began: float) -> None:
        await self._make_indexes()
        asked = time.monotonic()
        made = await self._store_note(note, digest, who, asked - began)
        late = time.monotonic() - asked
        if late > SLACK.total_seconds() / 2:  # the server may have read its clock at the end of that
            made["since"] -= timedelta(seconds=late)
            since = {"$set": {"since": made["since"]}}
            await self._operations.write(lambda: self._notes.update_one({"_id": note}, since))
        written = {"digest": digest, "at": {"$gte": made["since"], "$lte": made["until"]}}
        for each in await self._found(self._entries, written, [("position", 1)], MOST_CANDIDATES):
            if await self._join(each["_id"], made) != "entry signed":
                return

    async def _store_note(self, note: str, digest: str, who: str, seconds: float) -> Raw:
        slack, life = (round(each.total_seconds() * 1000) for each in (SLACK, NOTE_LIFE))
        members = {
            "digest": {"$literal": digest},
            "who": {"$literal": who},
            "since": {"$subtract": ["$$NOW", round(seconds * 1000) + slack]},
            "until": {"$add": ["$$NOW", slack]},
            "expires": {"$add": ["$$NOW", life]},
        }
        made: Raw = await self._operations.write(
            lambda: self._notes.find_one_and_update(
                {"_id": note}, [{"$set": members}], upsert=True, return_document=True
            )
        )
        return made

    async def _join(self, change: str, note: Mapping[str, Any]) -> Literal["joined", "note used", "entry signed"]:
        """Sign an entry with a note, unless the note was used for another, or the entry was signed meanwhile."""
        signed = {"$set": {"who": note["who"], "note": note["_id"]}, "$unset": {"digest": ""}}
        unsigned = {"_id": change, "digest": {"$exists": True}}
        try:
            done = await self._operations.write(lambda: self._entries.update_one(unsigned, signed))
        except DuplicateKeyError:
            return "note used"
        if not done.matched_count:
            return "entry signed"
        await self._operations.write(lambda: self._notes.delete_one({"_id": note["_id"]}))
        return "joined"

    async def entries(
        self,
        collection: str,
        document: str,
        limit: int,
        before: Position | None = None,
        after: Position | None = None,
    ) -> list[HistoryEntry]:
        query: Raw = {"collection": collection, "document": document}
        between = {
            operator: stored_position(position)
            for operator, position in (("$lt", before), ("$gt", after))
            if position is not None
        }
        if between:
            query["position"] = between
        return [_entry(row) for row in await self._found(self._entries, query, [("position", -1)], limit)]

    async def deletion(self, collection: str, document: str) -> Position | None:
        query = {"collection": collection, "document": document, "kind": "deleted"}
        found = await self._found(self._entries, query, [("position", -1)], 1)
        return read_position(found[0]["position"]) if found else None

    async def entry(self, change: str) -> HistoryEntry | None:
        row = await self._operations.read(lambda: self._entries.find_one({"_id": change}))
        return None if row is None else _entry(row)

    async def _found(
        self, collection: Any, query: Mapping[str, Any], sort: Sequence[tuple[str, int]], limit: int
    ) -> list[Raw]:
        async def find() -> list[Raw]:
            found: list[Raw] = await collection.find(query, sort=sort, limit=limit).to_list(None)
            return found

        return await self._operations.read(find)

    async def _make_indexes(self) -> None:
        if self._is_indexed:
            return
        wanted: list[tuple[Any, list[tuple[str, int]], dict[str, Any]]] = [
            (self._entries, [("collection", 1), ("document", 1), ("position", -1)], {}),
            (self._entries, [("digest", 1)], {"sparse": True}),
            (self._entries, [("note", 1)], {"sparse": True, "unique": True}),
            (self._notes, [("digest", 1)], {}),
            (self._notes, [("expires", 1)], {"expireAfterSeconds": 0}),
        ]
        for collection, keys, options in wanted:
            await self._operations.read(
                lambda collection=collection, keys=keys, options=options: collection.create_index(keys, **options)  # type: ignore[misc]
            )
        self._is_indexed = True


def _stored(entry: HistoryEntry) -> Raw:
    """Return an entry as a document. Names of fields hold dots, so they are no keys in it."""
    pairs = None if entry.diff is None else [[name, each["from"], each["to"]] for name, each in entry.diff.items()]
    return {
        "_id": entry.change,
        "collection": entry.collection,
        "document": entry.document,
        "position": stored_position(entry.position),
        "at": entry.at,
        "kind": entry.kind,
        "diff": pairs,
    }


def _entry(row: Raw) -> HistoryEntry:
    pairs = row["diff"]
    return HistoryEntry(
        change=row["_id"],
        collection=row["collection"],
        document=row["document"],
        position=read_position(row["position"]),
        at=row["at"],
        kind=row["kind"],
        diff=None if pairs is None else {name: {"from": from_, "to": to} for name, from_, to in pairs},
        who=row.get("who"),
    )
