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
from bzz.providers.mongoengine.changes.commands import Commands
from bzz.providers.mongoengine.concurrency import heeding
from bzz.providers.mongoengine.failures import reading
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.paging import Key

__all__ = ["position_after", "read_snapshot"]

BATCH_DOCUMENTS = 100
"""How many documents are read at once; and never more than MongoDB's reply of 16 MiB."""

REPLY_SECONDS = 30.0
ATTEMPTS = 20
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
    collation: Mapping[str, Any] | None = None,
) -> tuple[Position, AsyncGenerator[list[Raw]]]:
    """Read documents on the primary, all as they were at one cluster time.

    They have to be read within five minutes: so long MongoDB keeps what was.

    :param options: the codec options for the documents.
    :param at: the position behind the cluster time, of another snapshot or a stream, from a moment ago; None for now.
    :param collation: by which texts are compared; None for that of the collection.
    :returns: the position behind that time, and the documents, which are read as they are asked for.
    :raises bzz.errors.Unavailable: if the database is away, here or later.
    """
    find: Raw = {"find": collection, "filter": query, "sort": dict(sort), "batchSize": BATCH_DOCUMENTS}
    if collation is not None:
        find["collation"] = collation
    database = commands.database.with_options(codec_options=options)  # by which the further batches are read
    with reading():
        for attempt in range(ATTEMPTS):
            time = await commands.last_commit() if at is None else _time_before(at)
            find["readConcern"] = {"level": "snapshot", "atClusterTime": time}
            try:
                async with asyncio.timeout(REPLY_SECONDS):
                    cursor = await heeding(database.cursor_command(find, codec_options=options))
            except TimeoutError:
                break
            except OperationFailure as error:
                if error.code not in _NOT_YET:
                    raise
                if attempt == ATTEMPTS - 1:
                    break
                await asyncio.sleep(0.05)
                continue
            cursor.batch_size(BATCH_DOCUMENTS)
            return position_after(time), _batches(cursor)
    raise Unavailable()


async def _batches(cursor: Any) -> AsyncGenerator[list[Raw]]:
    try:
        while found := await _batch(cursor):
            yield found
    finally:
        with suppress(PyMongoError):
            await cursor.close()


async def _batch(cursor: Any) -> list[Raw]:
    # The bound of other operations would count for the cursor as a whole.
    try:
        with reading():
            async with asyncio.timeout(REPLY_SECONDS):
                found: list[Raw] = await heeding(cursor.to_list(BATCH_DOCUMENTS))
                return found
    except TimeoutError:
        raise Unavailable() from None
