"""Counts in windows of time, in memory."""

from __future__ import annotations

import time

__all__ = ["Windows"]


class Windows:
    """Counts by key; the window of a key begins with its first count.

    :param capacity: how many keys are kept; beyond that the oldest window is dropped.
    """

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._known: dict[str, tuple[int, float]] = {}

    def add(self, key: str, amount: int, seconds: int) -> tuple[int, float]:
        """Add to the count of a key, which never falls below 0.

        :param seconds: the length of a window that begins now.
        :returns: the count in the window, and the seconds until it ends.
        """
        now = time.monotonic()
        count, end = self._known.get(key, (0, 0.0))
        if end <= now:
            self._known.pop(key, None)
            count, end = 0, now + seconds
        count = max(0, count + amount)
        self._known[key] = (count, end)
        if len(self._known) > self._capacity:
            del self._known[next(iter(self._known))]
        return count, min(end - now, seconds)  # no more, as floats are added
