"""How the changes of several collections that share a cluster time are numbered together.

A provider numbers the changes of each collection by themselves. In a feed of several collections they are numbered
together, or two of them had one position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from bzz.providers.changes import Commit, Position

__all__ = ["Counting"]


class Counting:
    """Counts the changes of one cluster time; every change has to be counted, in order."""

    def __init__(self) -> None:
        self._time = (0, 0)
        self._counts: Counter[str] = Counter()

    def count(self, commit: Commit) -> None:
        """Take note of a change."""
        position = commit.position
        if (position.seconds, position.increment) != self._time:
            self._time = (position.seconds, position.increment)
            self._counts.clear()
        self._counts[commit.collection] = position.number

    def has(self, commit: Commit) -> bool:
        """Return whether a change of the cluster time that is counted is among those that were."""
        position = commit.position
        is_now = (position.seconds, position.increment) == self._time
        return is_now and position.number <= self._counts[commit.collection]

    def reached(self, position: Position, collections: Collection[str]) -> Position:
        """Return the position in a feed of these collections where all up to ``position`` was counted."""
        is_now = (position.seconds, position.increment) == self._time
        return position._replace(number=sum(self._counts[each] for each in collections) if is_now else 0)

    def copy(self) -> Counting:
        """Return another one that goes on from here by itself."""
        copied = Counting()
        copied._time, copied._counts = self._time, self._counts.copy()
        return copied
