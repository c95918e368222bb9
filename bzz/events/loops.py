"""The event loops that a bus has met, each with its background listeners."""

from __future__ import annotations

import asyncio
import threading

from bzz.events.background import Background

__all__ = ["Loops", "running_loop"]


class Loops:
    """Event loops, from any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[asyncio.AbstractEventLoop, Background] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, loop: object) -> bool:
        return loop in self._known

    def here(self) -> Background:
        """Return the background listeners of the running loop, which is known from then on."""
        loop = asyncio.get_running_loop()
        background = self._known.get(loop)
        if background is None:
            background = Background()
            with self._lock:
                others = {each: its for each, its in self._known.items() if not each.is_closed()}
                self._known = {**others, loop: background}
        return background

    def only(self) -> asyncio.AbstractEventLoop | None:
        """Return the one known loop that is running; None if there is none, or more than one."""
        with self._lock:
            running = [loop for loop in self._known if loop.is_running()]
        return running[0] if len(running) == 1 else None


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop of this thread, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
