"""One change stream of a database, opened anew where it was whenever it breaks."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Collection, Coroutine
from contextlib import suppress
from enum import Enum
from typing import Any, cast

from bson import Timestamp
from pymongo.errors import InvalidOperation, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from bzz.errors import Unavailable
from bzz.providers.changes import HistoryLost
from bzz.providers.mongoengine.changes.pace import AWAIT_MS, HURRIED_AWAIT_MS, INTERVAL_SECONDS, Pace
from bzz.providers.mongoengine.changes.stream_event import StreamEvent, event_class

__all__ = ["ChangeStream"]

logger = logging.getLogger("bzz.database")

SILENCE_SECONDS = 10.0
"""How long it may say nothing at all; after that, its connection counts as lost."""

OPEN_SECONDS = 40.0
"""How long opening may take: the driver looks for a primary for thirty seconds."""

CLOSE_SECONDS = 2.0
"""How long closing is waited for. It goes on after that: a cursor that is left open costs the server ten minutes."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0

_TOO_LARGE = 10334
_LOST = frozenset({260, 280, 286})
"""InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost."""

_IMAGES = {"full_document": "whenAvailable", "full_document_before_change": "whenAvailable"}
_SPARE = {"$unset": ["updateDescription"]}
_BARE = {"$unset": ["fullDocument", "fullDocumentBeforeChange", "updateDescription"]}


_closings: set[asyncio.Task[None]] = set()
"""Nobody else holds them once they are not waited for any more."""


class _Reading(Enum):
    """How much is read at once.

    MongoDB ends a stream at a change whose two sides do not fit into one event, and tells none of the batch that it is
    in. So those before it are read one by one, and then that one alone, without its sides. It is known by that the
    stream cannot even be opened before it: the first batch is of one, while the driver asks for no less than two later.
    """

    BATCHES = "batches"
    ONE_BY_ONE = "one by one"
    BARE = "bare"


class ChangeStream:
    """The events of some collections, each once, in order.

    :param database: of either driver.
    :param collections: whose events are read. A drop of the database, which ends a stream, is outlived.
    :param start: the cluster time of the first events.
    """

    def __init__(self, database: Any, collections: Collection[str], start: Timestamp) -> None:
        options = database.codec_options
        options = options.with_options(document_class=event_class(options))
        self._database = database.with_options(codec_options=options, read_concern=ReadConcern("majority"))
        self._match = {"$match": _of(sorted(collections))}
        self._start = start
        self._token: Any = None
        self._stream: Any = None
        self._session: Any = None
        self._asked: asyncio.Future[Any] | None = None
        self._pace = Pace()
        self._is_hurried = False
        self._reading = _Reading.BATCHES
        self._failures = 0

    @property
    def token(self) -> str:
        """The resume token up to which all has been read, as the server's text; empty at first. It can be compared."""
        return "" if self._token is None else str(self._token["_data"])

    async def open(self) -> None:
        """Open the stream, and wait for the database where it is away.

        :raises bzz.providers.changes.HistoryLost: where the server does not know any more what it has to begin with.
        """
        while self._stream is None:
            try:
                async with asyncio.timeout(OPEN_SECONDS):
                    self._stream = await self._watch()
            except (PyMongoError, TimeoutError) as error:
                await self._recover(error, opening=True)

    async def read(self) -> StreamEvent | None:
        """Return the next event, or None if no event is waiting. Images that are too large are left out of it.

        :raises bzz.providers.changes.HistoryLost: where the server does not know any more what comes next.
        """
        while True:
            is_here = self.has_more
            if not is_here:
                await self._keep_pace()
            try:
                event = await (self._stream.try_next() if is_here else self._next())
            except (PyMongoError, TimeoutError) as error:
                await self._recover(error)
                continue
            self._failures = 0
            self._token = self._stream.resume_token if event is None else event["_id"]  # the driver's is a deep copy
            is_bare = event is not None and self._reading is _Reading.BARE
            if is_bare:
                self._reading = _Reading.BATCHES
            if is_bare or not self._stream.alive:  # it ends where the database was dropped
                await self.close()
            return cast("StreamEvent | None", event)

    @property
    def has_more(self) -> bool:
        """Whether an event was received already that waits to be read."""
        return self._stream is not None and _has_more(self._stream)

    async def close(self) -> None:
        """Have the server forget the stream: now, or as soon as it answers again, without being waited for."""
        stream, self._stream = self._stream, None
        session, self._session = self._session, None
        asked, self._asked = self._asked, None
        if session is not None:
            await _finish(_close(stream, session, asked))

    async def _keep_pace(self) -> None:
        """Have the stream open, in the way that suits what is written; leave it alone a while where that is much."""
        if self._stream is not None and self._reading is _Reading.BATCHES:
            if self._pace.is_hurried == self._is_hurried:
                if self._is_hurried:
                    await asyncio.sleep(INTERVAL_SECONDS)
                return
            await self.close()  # how long the server waits is settled when it is opened
        await self.open()

    async def _next(self) -> StreamEvent | None:
        """Ask the server. A driver that is cancelled meanwhile may forget its cursor: :meth:`close` lets it end."""
        self._asked = asyncio.ensure_future(self._stream.try_next())
        self._asked.add_done_callback(lambda done: done.cancelled() or done.exception())  # told below, if anyone waits
        async with asyncio.timeout(AWAIT_MS / 1000 + SILENCE_SECONDS * 2 ** min(self._failures, 3)):
            event = await asyncio.shield(self._asked)
        self._pace.note(asyncio.get_running_loop().time(), self._session.operation_time)
        return cast("StreamEvent | None", event)

    async def _watch(self) -> Any:
        """Return an open stream. If this is cancelled, close what the server has opened or will."""
        opening = asyncio.ensure_future(self._begin())
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            await _finish(_close_opened(opening))
            raise

    async def _begin(self) -> Any:
        bare = self._reading is _Reading.BARE
        self._is_hurried = self._pace.is_hurried
        client = self._database.client
        session = client.start_session(causal_consistency=False)
        self._session = await session if inspect.isawaitable(session) else session
        place = {"start_at_operation_time": self._start} if self._token is None else {"start_after": self._token}
        stream = self._database.watch(
            [self._match, _BARE if bare else _SPARE],
            max_await_time_ms=HURRIED_AWAIT_MS if self._is_hurried else AWAIT_MS,
            session=self._session,
            batch_size=None if self._reading is _Reading.BATCHES else 1,
            **place,
            **({} if bare else _IMAGES),
        )
        if inspect.isawaitable(stream):
            return await stream
        await stream.__aenter__()  # Motor's
        return stream

    async def _recover(self, error: Exception, *, opening: bool = False) -> None:
        """Get ready to open the stream again: at once where the reason is known, else after a while."""
        await self.close()
        code = error.code if isinstance(error, OperationFailure) else None
        if code in _LOST or (code == _TOO_LARGE and self._reading is _Reading.BARE):
            raise HistoryLost(f"MongoDB failed with code {code}") from error
        if isinstance(error, InvalidOperation):  # the client was closed
            raise Unavailable() from error
        if code == _TOO_LARGE:
            is_next = opening and self._reading is _Reading.ONE_BY_ONE
            self._reading = _Reading.BARE if is_next else _Reading.ONE_BY_ONE
            return
        self._failures += 1
        pause = min(FIRST_PAUSE_SECONDS * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE_SECONDS)
        reason = type(error).__name__ if code is None else f"code {code}"
        logger.warning(
            "The change stream of %s broke (%s). It is opened where it was, in %.1f s.",
            self._database.name,
            reason,
            pause,
        )
        await asyncio.sleep(pause)


async def _close(stream: Any, session: Any, asked: asyncio.Future[Any] | None) -> None:
    try:
        if stream is not None:
            await stream.close()
            if asked is not None and not asked.done():
                # It still waits for an event. PyMongo opens a cursor there in place of the one that was just killed.
                await asyncio.wait([asked])
                await stream.close()
        await session.end_session()
    finally:
        if asked is not None:
            asked.cancel()


async def _close_opened(opening: asyncio.Future[Any]) -> None:
    await (await opening).close()


async def _finish(closing: Coroutine[Any, Any, None]) -> None:
    """Wait for what closes something, for so long as one does; leave it to itself after that, and if it fails."""
    task = asyncio.ensure_future(_quietly(closing))
    _closings.add(task)
    task.add_done_callback(_closings.discard)
    await asyncio.wait([task], timeout=CLOSE_SECONDS)


async def _quietly(closing: Coroutine[Any, Any, None]) -> None:
    with suppress(PyMongoError, TimeoutError):
        async with asyncio.timeout(OPEN_SECONDS):
            await closing


def _has_more(stream: Any) -> bool:
    """Whether events that were received wait to be read.

    PyMongo tells it by private names only. Where it has them no more, a stream is never left alone.
    """
    cursor = getattr(getattr(stream, "delegate", stream), "_cursor", None)  # Motor's has one of PyMongo's
    has_next = getattr(cursor, "_has_next", None)
    return has_next is None or bool(has_next())


def _of(collections: list[str]) -> dict[str, Any]:
    """The condition for events of these collections, those that a rename makes, and the end of a stream."""
    names = {"$in": collections}
    return {"$or": [{"ns.coll": names}, {"to.coll": names}, {"operationType": "invalidate"}]}
