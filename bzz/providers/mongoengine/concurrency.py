"""How many database operations are on their way at once, and for how long: the one door to the driver.

Whoever asks the database does it through :class:`Operations`, whose errors are bzz's own (``failures`` has the rules).
What the operations are about is not known here.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any, TypeVar

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from bzz.batching import LATE_SECONDS, LOOK_SECONDS, MAX_WAIT_SECONDS
from bzz.errors import TOO_SLOW, Unavailable
from bzz.providers.mongoengine.failures import TROUBLE, blames_data, failed_read, failed_write

__all__ = ["CONCURRENT", "TIMEOUT_SECONDS", "CapacityLimiter", "Operations", "heeding"]

TIMEOUT_SECONDS = 10.0
"""How long one operation may take, unless the connection's own settings say otherwise (``timeoutMS``)."""

ATTEMPT_SECONDS = 3.0
"""How long a read waits for a server that says nothing, before it asks the primary that there is by then."""

_SPENT_SECONDS = 0.25
"""What the driver may leave of the time of an attempt whose time is up: it allows for the way to the server."""

CONCURRENT = 32
"""How many operations on one collection are on their way at once. More would be answered later, not sooner: MongoDB has
fewer cores, and where the pool of ``AsyncMongoClient`` is empty, each that waits costs a task and a timer. Motor's own
bound is five for each core."""

MOST = 64
"""How many there may be with those that are late: less than the hundred connections of a client."""

T = TypeVar("T")


class Operations:
    """The operations on one collection, bounded in number and in time. They belong to one event loop.

    The driver bounds the time, which Motor needs for its threads. ``AsyncMongoClient`` could be cancelled instead, at
    50 µs less, but after many were cancelled at once, a later operation of PyMongo 4.20 hung.

    :param client: the driver's client.
    """

    def __init__(self, client: Any) -> None:
        own = client.options.timeout
        self._seconds: float = (TIMEOUT_SECONDS if own is None else own) or inf  # 0 is any time
        self._limiter = CapacityLimiter(CONCURRENT, MOST)

    async def write(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Wait for a turn, and do the operation in what is left of its time.

        :raises pymongo.errors.OperationFailure: if the database blames the data.
        :raises bzz.errors.Unavailable: if nothing was done: no time is left, or no turn came in three seconds.
        :raises bzz.errors.OutcomeUnknown: if it may have been done.
        """
        deadline = time.monotonic() + self._seconds
        turn = await self._limiter.acquire()
        try:
            with pymongo.timeout(_left_until(deadline)):
                return await heeding(operation())
        except TROUBLE as error:
            if blames_data(error):
                raise
            raise failed_write(error) from error
        finally:
            self._limiter.release(turn)

    async def read(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Wait for a turn, and do the operation; where an attempt brings no answer, ask again while there is time.

        The driver itself repeats a read whose connection breaks. Of a primary that is frozen it hears nothing, and
        would wait for it while another has long been elected. Where the server itself says that the time of an attempt
        was too short, the next attempt has all that is left.

        :raises bzz.errors.Unavailable: if no answer came.
        :raises bzz.errors.BadRequest: if the database blames a filter.
        """
        try:
            return await self.run(operation)
        except TROUBLE as error:
            raise failed_read(error) from error

    async def run(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Do as :meth:`read` does, for those who know best what an error of the driver means: it is raised as it is."""
        deadline = time.monotonic() + self._seconds
        longest = ATTEMPT_SECONDS
        turn = await self._limiter.acquire()
        try:
            while True:
                seconds = _left_until(deadline, longest)
                spent = time.monotonic() + (inf if seconds is None else seconds) - _SPENT_SECONDS
                try:
                    with pymongo.timeout(seconds):
                        return await heeding(operation())
                except PyMongoError as error:
                    if not spent <= time.monotonic() < deadline - _SPENT_SECONDS:
                        raise
                    if isinstance(error, OperationFailure):
                        longest = inf
        finally:
            self._limiter.release(turn)


async def heeding(operation: Awaitable[T]) -> T:
    """Await what a driver does, and be cancelled when the task was.

    PyMongo 4.20 loses about one cancellation in twenty: it does its work and returns, or raises an error of its own.
    The task would go on as if nothing had been said, and whoever waits for its end would wait for ever.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    try:
        return await operation
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError()


def _left_until(deadline: float, longest: float = inf) -> float | None:
    """Return the seconds until a deadline, and no more than ``longest``; None without any bound."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise Unavailable(TOO_SLOW)
    seconds = min(left, longest)
    return None if seconds == inf else seconds


class CapacityLimiter:
    """Lets so many work at once; the others wait for their turn, but not for those that are late.

    It belongs to one event loop.

    :param number: how many have a turn at once.
    :param most: how many with those that are late: a turn that takes longer than half a second is lent to another.
    """

    def __init__(self, number: int, most: int) -> None:
        self._number = number
        self._most = most
        self._taken: dict[object, float] = {}  # and since when; the oldest first
        self._waiting: deque[tuple[asyncio.Future[object], float]] = deque()
        self._look_later: asyncio.TimerHandle | None = None

    async def acquire(self) -> object:
        """Wait for a turn; returns what :meth:`release` wants.

        :raises bzz.errors.Unavailable: if none came in three seconds.
        """
        loop = asyncio.get_running_loop()
        turn = None if self._waiting else self._try_take(loop)
        if turn is not None:
            return turn
        future: asyncio.Future[object] = loop.create_future()
        self._waiting.append((future, loop.time()))
        if self._look_later is None:
            self._look_later = loop.call_later(LOOK_SECONDS, self._look, loop)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.release(future.result())
            raise

    def release(self, turn: object) -> None:
        """Let another have the turn."""
        del self._taken[turn]
        if self._waiting:
            self._hand_out(asyncio.get_running_loop())

    def _try_take(self, loop: asyncio.AbstractEventLoop) -> object | None:
        """Take a turn if one is free, or may be lent; return None if there is none."""
        taken, now = len(self._taken), loop.time()
        if taken >= self._number:
            is_lent = taken < self._most and taken - self._count_late(now - LATE_SECONDS) < self._number
            if not is_lent:
                return None
        turn = object()
        self._taken[turn] = now
        return turn

    def _count_late(self, since: float) -> int:
        return next((count for count, taken in enumerate(self._taken.values()) if taken > since), len(self._taken))

    def _hand_out(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            future, _ = self._waiting[0]
            turn = None if future.done() else self._try_take(loop)
            if turn is not None:
                future.set_result(turn)
            elif not future.done():
                return
            self._waiting.popleft()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look after those who wait, as long as there are any."""
        self._look_later = None
        self._hand_out(loop)
        while self._waiting and self._waiting[0][1] <= loop.time() - MAX_WAIT_SECONDS:
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_exception(Unavailable(TOO_SLOW))
        if self._waiting:
            self._look_later = loop.call_later(LOOK_SECONDS, self._look, loop)
