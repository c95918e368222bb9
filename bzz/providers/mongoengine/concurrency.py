"""How many operations on a collection are on their way at once, and how long each may take."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from math import inf
from typing import Any, TypeVar

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from bzz.errors import TOO_SLOW, Unavailable
from bzz.providers.mongoengine.turns import Turns

__all__ = ["TIMEOUT_SECONDS", "Bounds"]

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


class Bounds:
    """The bounds of the operations on one collection. They belong to one event loop.

    :param client: the driver's client.
    """

    def __init__(self, client: Any) -> None:
        own = client.options.timeout
        self._seconds: float = (TIMEOUT_SECONDS if own is None else own) or inf  # 0 is any time
        self._turns = Turns(CONCURRENT, MOST)

    async def run(self, told: Callable[[], AbstractContextManager[None]], operation: Callable[[], Awaitable[T]]) -> T:
        """Wait for a turn, and do the operation in what is left of its time.

        It is bounded by the driver, which Motor needs for its threads. ``AsyncMongoClient`` could be cancelled instead,
        at 50 µs less, but after many were cancelled at once, a later operation of PyMongo 4.20 hung.

        :param told: within which the operation's errors are told.
        :raises bzz.errors.Unavailable: where no time is left, or no turn came in three seconds.
        """
        deadline = time.monotonic() + self._seconds
        turn = await self._turns.take()
        try:
            with told(), pymongo.timeout(_bounded(_left_until(deadline))):
                return await operation()
        finally:
            self._turns.give_back(turn)

    async def read(self, told: Callable[[], AbstractContextManager[None]], operation: Callable[[], Awaitable[T]]) -> T:
        """As :meth:`run`, but where an attempt brings no answer, ask again, as long as there is time.

        The driver itself repeats a read whose connection breaks. Of a primary that is frozen it hears nothing, and
        would wait for it while another has long been elected. Where the server itself says that the time of an attempt
        was too short, the next attempt has all that is left.
        """
        deadline = time.monotonic() + self._seconds
        turn = await self._turns.take()
        try:
            with told():
                return await _repeat(operation, deadline)
        finally:
            self._turns.give_back(turn)


async def _repeat(operation: Callable[[], Awaitable[T]], deadline: float) -> T:
    longest = ATTEMPT_SECONDS
    while True:
        seconds = min(_left_until(deadline), longest)
        spent = time.monotonic() + seconds - _SPENT_SECONDS
        try:
            with pymongo.timeout(_bounded(seconds)):
                return await operation()
        except PyMongoError as error:
            if not spent <= time.monotonic() < deadline - _SPENT_SECONDS:
                raise
            if isinstance(error, OperationFailure):
                longest = inf


def _left_until(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left > 0:
        return left
    raise Unavailable(TOO_SLOW)


def _bounded(seconds: float) -> float | None:
    return None if seconds == inf else seconds
