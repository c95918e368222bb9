"""How many operations on a collection are on their way at once, and how long each may take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import pymongo

from bzz.errors import TOO_SLOW, Unavailable

__all__ = ["TIMEOUT_SECONDS", "Bounds"]

TIMEOUT_SECONDS = 10.0
"""How long one operation may take, unless the connection's own settings say otherwise (``timeoutMS``)."""

CONCURRENT = 32
"""How many operations on one collection are on their way at once. More would be answered later, not sooner: MongoDB has
fewer cores, and where the pool of ``AsyncMongoClient`` is empty, each that waits costs a task and a timer. Motor's own
bound is five for each core."""

T = TypeVar("T")


class Bounds:
    """The bounds of the operations on one collection. They belong to one event loop.

    :param client: the driver's client.
    """

    def __init__(self, client: Any) -> None:
        own = client.options.timeout
        self._seconds: float = TIMEOUT_SECONDS if own is None else own  # 0 is any time
        self._turns = asyncio.Semaphore(CONCURRENT)

    async def run(self, told: Callable[[], AbstractContextManager[None]], operation: Callable[[], Awaitable[T]]) -> T:
        """Wait for a turn, and do the operation in what is left of its time.

        It is bounded by the driver, which Motor needs for its threads. ``AsyncMongoClient`` could be cancelled instead,
        at 50 µs less, but after many were cancelled at once, a later operation of PyMongo 4.20 hung.

        :param told: within which the operation's errors are told.
        :raises bzz.errors.Unavailable: where no time is left.
        """
        seconds = await self._turn()
        try:
            with told(), pymongo.timeout(seconds):
                return await operation()
        finally:
            self._turns.release()

    async def _turn(self) -> float:
        start = time.monotonic()
        await self._turns.acquire()
        left = self._seconds - (time.monotonic() - start)
        if left > 0 or not self._seconds:
            return max(left, 0)
        self._turns.release()
        raise Unavailable(TOO_SLOW)
