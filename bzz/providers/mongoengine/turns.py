"""So many at once; the others wait for their turn, but not for those that are late."""

from __future__ import annotations

import asyncio
from collections import deque

from bzz.batching import LATE_SECONDS, LOOK_SECONDS, MAX_WAIT_SECONDS
from bzz.errors import TOO_SLOW, Unavailable

__all__ = ["Turns"]


class Turns:
    """Turns to do something. They belong to one event loop.

    :param number: how many have one at once.
    :param most: how many with those that are late: a turn that takes longer than half a second is lent to another.
    """

    def __init__(self, number: int, most: int) -> None:
        self._number = number
        self._most = most
        self._taken: dict[object, float] = {}  # and since when; the oldest first
        self._waiting: deque[tuple[asyncio.Future[object], float]] = deque()
        self._look_later: asyncio.TimerHandle | None = None

    async def take(self) -> object:
        """Wait for a turn; returns what :meth:`give_back` wants.

        :raises bzz.errors.Unavailable: where none came in three seconds.
        """
        loop = asyncio.get_running_loop()
        if not self._waiting and self._is_free(loop):
            return self._take(loop)
        future: asyncio.Future[object] = loop.create_future()
        self._waiting.append((future, loop.time()))
        if self._look_later is None:
            self._look_later = loop.call_later(LOOK_SECONDS, self._look, loop)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.give_back(future.result())
            raise

    def give_back(self, turn: object) -> None:
        """Let another have it."""
        del self._taken[turn]
        if self._waiting:
            self._hand_out(asyncio.get_running_loop())

    def _is_free(self, loop: asyncio.AbstractEventLoop) -> bool:
        taken = len(self._taken)
        if taken < self._number:
            return True
        return taken < self._most and taken - self._count_late(loop.time() - LATE_SECONDS) < self._number

    def _count_late(self, since: float) -> int:
        return next((count for count, taken in enumerate(self._taken.values()) if taken > since), len(self._taken))

    def _take(self, loop: asyncio.AbstractEventLoop) -> object:
        turn = object()
        self._taken[turn] = loop.time()
        return turn

    def _hand_out(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting and self._is_free(loop):
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_result(self._take(loop))

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
