"""Pings while a beginning takes long. Later the hub sends them, with positions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bzz.live.frames import PING, identified

__all__ = ["Pings"]

PING_SECONDS = 15.0
"""How long nothing is sent before a ping is."""


class Pings:
    """Sends a ping whenever nothing has been sent for a while, from :meth:`restart` on until :meth:`stop`.

    :param write: sends a frame; it returns a future.
    """

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self._timer: asyncio.TimerHandle | None = None

    def restart(self) -> None:
        """Called when something was sent."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(PING_SECONDS, self._ping)

    def stop(self) -> None:
        """Send none any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _ping(self) -> None:
        sent = asyncio.ensure_future(self._write(identified(PING)))
        sent.add_done_callback(lambda done: done.cancelled() or done.exception())  # who sends the next frame is told
        self.restart()
