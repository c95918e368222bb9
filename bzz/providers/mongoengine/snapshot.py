"""All documents of a query as they were at one cluster time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from bson import Timestamp
from pymongo.errors import OperationFailure, PyMongoError

from bzz.change import Position
from bzz.errors import Unavailable
from bzz.providers.mongoengine.commands import Commands
from bzz.providers.mongoengine.failures import reading
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.paging import Key

__all__ = ["position_after", "read_snapshot"]

BATCH_DOCUMENTS = 100
"""How many documents are read at once; and never more than MongoDB's reply of 16 MiB."""

REPLY_SECONDS = 30.0
_ATTEMPTS = 20
_NOT_YET = frozenset({239, 246})
"""SnapshotTooOld, and SnapshotUnavailable: a collection or an index was made a moment ago."""


def position_after(time: Any) -> Position:
    """Return the position behind all changes at a cluster time."""
    return Position(time.time, time.inc + 1, 0)


def _time_before(position: Position) -> Timestamp:
    return Timestamp(position.seconds, position.increment - 1)


async def read_snapshot(
    commands: Commands,
    collection: str,
    query: Mapping[str, Any],
    sort: Sequence[Key],
    options: Any,
    at: Position | None = None,
) -> tuple[Position, AsyncGenerator[list[Raw]]]:
    """Read documents on the primary, all as they were at one cluster time.

    They have to be read within five minutes: so long MongoDB keeps what was.

    :param options: the codec options for the documents.
    :param at: the position behind the cluster time, from another snapshot of a moment ago; None for now.
    :returns: the position behind that time, and the documents, which are read as they are asked for.
    :raises bzz.errors.Unavailable: if the database is away, here or later.
    """
    find = {
        "find": collection,
        "filter": query,
        "sort": dict(sort),
        "batchSize": BATCH_DOCUMENTS,
        "readConcern": {"level": "snapshot", **({} if at is None else {"atClusterTime": _time_before(at)})},
    }
    with reading():
        reader = _Reader(commands, await commands.session(), options)
        try:
            position, first = await _begin(commands, reader, find, at)
        except BaseException:
            await reader.close()
            raise
    return position, reader.batches(collection, first)


async def _begin(commands: Commands, reader: _Reader, find: Raw, at: Position | None) -> tuple[Position, Raw]:
    position = at
    for attempt in range(_ATTEMPTS):
        try:
            cursor = (await reader.run(find))["cursor"]
        except OperationFailure as error:
            if error.code not in _NOT_YET or attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.05)
            continue
        if "atClusterTime" in cursor:
            return position_after(cursor["atClusterTime"]), cursor
        if position is not None:
            return position, cursor
        # There is no such collection, and so no time: what is made from now on has to be told by the stream.
        position = position_after(await commands.last_commit())
    raise Unavailable()


class _Reader:
    """One cursor. Not the driver's: that does not say at which cluster time it reads."""

    def __init__(self, commands: Commands, session: Any, options: Any) -> None:
        self._database = commands.database
        self._session = session
        self._options = options

    async def run(self, command: Raw) -> Raw:
        # The driver's own bound would set maxTimeMS, which getMore refuses, and find passes on to all of the cursor.
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                reply: Raw = await self._database.command(command, session=self._session, codec_options=self._options)
                return reply
        except TimeoutError:
            raise Unavailable() from None

    async def batches(self, collection: str, cursor: Raw) -> AsyncGenerator[list[Raw]]:
        found: list[Raw] = cursor["firstBatch"]
        number = cursor["id"]
        try:
            while True:
                if found:
                    yield found
                if not number:
                    return
                with reading():
                    more = {"getMore": number, "collection": collection, "batchSize": BATCH_DOCUMENTS}
                    reply = (await self.run(more))["cursor"]
                found, number = reply["nextBatch"], reply["id"]
        finally:
            if number:
                with suppress(PyMongoError, Unavailable):
                    await self.run({"killCursors": collection, "cursors": [number]})
            await self.close()

    async def close(self) -> None:
        with suppress(PyMongoError):
            await self._session.end_session()
