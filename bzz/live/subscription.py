"""What waits for one client: bounded, and ended with a reason."""

from __future__ import annotations

import asyncio
from collections import deque

from bzz.live.frames import ResetReason, reset
from bzz.providers.changes import Position

__all__ = ["MAX_AGE_SECONDS", "MAX_BYTES", "Subscription"]

MAX_BYTES = 256 * 1024
"""How much may wait for a client that does not read. A single frame may be larger."""

MAX_AGE_SECONDS = 30.0
"""How long it may wait."""


class Subscription:
    """A queue of frames that one client reads, and others fill.

    A client that is too slow loses what waits, and is told so: its last position still holds.
    """

    __slots__ = ("_end", "_floor", "_frames", "_loop", "_size", "_waiter")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._frames: deque[tuple[float, Position, bytes]] = deque()
        self._size = 0
        self._end: bytes | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._floor = Position(0, 0)

    @property
    def is_ended(self) -> bool:
        """Whether nothing more is taken."""
        return self._end is not None

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits."""
        return not self._frames

    def put(self, position: Position, frame: bytes) -> None:
        """Let a frame wait for the client.

        :param position: of the change that it tells.
        """
        if self._end is not None or position <= self._floor:
            return
        now = self._loop.time()
        if self._frames and (self._size + len(frame) > MAX_BYTES or now - self._frames[0][0] > MAX_AGE_SECONDS):
            self.end("slow")
            return
        self._frames.append((now, position, frame))
        self._size += len(frame)
        self._wake()

    def end(self, reason: ResetReason) -> None:
        """Take nothing more and tell the reason; what waits is dropped, but for a stop of the server."""
        if self._end is None:
            if reason != "shutdown":
                self._frames.clear()
            self._end = reset(reason)
            self._wake()

    def skip_until(self, position: Position) -> None:
        """Drop what is at or before ``position``, now and later."""
        self._floor = position
        while self._frames and self._frames[0][1] <= position:
            self._size -= len(self._frames.popleft()[2])

    async def take(self) -> tuple[bytes, bool]:
        """Wait for frames; return all of them, and whether they are the last."""
        while not self._frames and self._end is None:
            self._waiter = self._loop.create_future()
            await self._waiter
        taken = b"".join([frame for _, _, frame in self._frames])
        self._frames.clear()
        self._size = 0
        return (taken, False) if self._end is None else (taken + self._end, True)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
