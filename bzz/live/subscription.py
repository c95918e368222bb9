"""What waits for one client: bounded, and ended with a reason."""

from __future__ import annotations

import asyncio

from bzz.live.frames import ResetReason, reset
from bzz.providers.changes import Position

__all__ = ["MAX_AGE_SECONDS", "MAX_BYTES", "Subscription"]

MAX_BYTES = 192 * 1024
"""How much may wait for a client that does not read, on its way to it included. A single frame may be larger."""

MAX_AGE_SECONDS = 30.0
"""How long it may wait."""


class Subscription:
    """A queue of frames that one client reads, and others fill.

    A client that is too slow loses what waits, and is told so: its last position still holds.
    """

    __slots__ = ("_end", "_floor", "_frames", "_loop", "_size", "_waiter")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._frames: list[tuple[float, Position, bytes]] = []  # a deque takes 0.7 KiB where it is empty
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
        is_old = bool(self._frames) and now - self._frames[0][0] > MAX_AGE_SECONDS
        if is_old or (self._size and self._size + len(frame) > MAX_BYTES):
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
        self._frames = [each for each in self._frames if each[1] > position]
        self._size = sum(len(frame) for _, _, frame in self._frames)

    def fail(self, reason: ResetReason) -> None:
        """Take nothing more and tell the reason; what waits is dropped, for there is a gap before it."""
        self._frames.clear()
        self._end = reset(reason)

    async def take(self) -> tuple[bytes, bool]:
        """Wait for frames; return all of them, and whether they are the last.

        Until it is called again they count as waiting: the client has not read them yet.
        """
        self._size = sum(len(frame) for _, _, frame in self._frames)
        while not self._frames and self._end is None:
            self._waiter = self._loop.create_future()
            await self._waiter
        taken = b"".join([frame for _, _, frame in self._frames])
        self._frames.clear()
        return (taken, False) if self._end is None else (taken + self._end, True)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
