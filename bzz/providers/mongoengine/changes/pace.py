"""When a change stream is read: as soon as anything is committed, or at intervals while very much is written.

MongoDB wakes whoever waits for a change at every write of the whole server, in whatever collection, to look whether it
is one. Measured on 6.0.5: 40 to 70 µs of its processor time for each write. A stream that is read at intervals costs
the writes in between nothing, and all their changes come in one batch. So where more is written than :data:`MUCH`, it
is read at intervals.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from bson import Timestamp

__all__ = ["AWAIT_MS", "HURRIED_AWAIT_MS", "INTERVAL_SECONDS", "Pace"]

AWAIT_MS = 400
"""How long the server waits for a change before it says that there is none. Less than half a second, so that two of
three readings lie within one second of the cluster time."""

HURRIED_AWAIT_MS = 1
"""The same where the stream is read at intervals: as short as MongoDB knows."""

INTERVAL_SECONDS = 0.01
"""How long a stream is left alone while much is written. A change is told half of it later, in the middle."""

MUCH, LITTLE = 1000.0, 500.0
"""Writes per second of the whole server, from which on a stream is read at intervals, and below which it waits again.
Below, 100 readings per second cost more than they save."""

SAMPLE_SECONDS = 0.3
SAMPLES = 4


class _Sample(NamedTuple):
    at: float
    time: Timestamp


class Pace:
    """Says how to read a stream, from how fast the cluster time goes on.

    :ivar is_hurried: whether so much is written that the stream is to be read at intervals.
    """

    def __init__(self) -> None:
        self.is_hurried = False
        self._last: _Sample | None = None
        self._rates: deque[float] = deque(maxlen=SAMPLES)

    def note(self, at: float, time: Timestamp | None) -> None:
        """Take note of what the cluster time is.

        :param at: by a clock of this machine, in seconds.
        :param time: of the last reply; None where there was none.
        """
        last = self._last
        if time is None or (last is not None and at - last.at < SAMPLE_SECONDS):
            return
        self._last = _Sample(at, time)
        if last is not None:
            self._rates.append(_writes(last.time, time) / (at - last.at))
            fastest = max(self._rates)
            self.is_hurried = fastest >= (LITTLE if self.is_hurried else MUCH)


def _writes(since: Timestamp, until: Timestamp) -> int:
    """Return how many writes there were at least: a cluster time counts those of its second."""
    return int(until.inc - since.inc if until.time == since.time else until.inc if until > since else 0)
