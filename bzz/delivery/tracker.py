"""How far a partition has come, while several of its changes are handled at a time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from bzz.change import Position
from bzz.providers.commit import Commit
from bzz.providers.progress import Cursor, Progress

__all__ = ["Ticket", "Tracker"]


@dataclass(eq=False)
class Ticket:
    """One change that was handed over.

    :ivar is_done: whether it was handled, or has a letter.
    """

    commit: Commit
    is_done: bool = False


class Tracker:
    """Says up to where everything is done. Changes are handed over in order; they may be done in any.

    :ivar progress: what may be stored.
    :ivar stored: what is.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.stored = progress
        self._open: deque[Ticket] = deque()
        self._passed = 0

    def begin(self, commit: Commit) -> Ticket:
        """Take note that a change is handed over."""
        ticket = Ticket(commit)
        self._open.append(ticket)
        return ticket

    def advance(self) -> None:
        """Pass the changes that are done."""
        while self._open and self._open[0].is_done:
            self.progress = _after(self.progress, self._open.popleft().commit)
            self._passed += 1

    def tick(self, position: Position) -> None:
        """Take note that nothing else is to come of what happened before the cluster time of ``position``."""
        time = position._replace(number=0)
        if not self._open and time > self.progress.position:
            self.progress = Progress(time, {}, self.progress.cursor)

    def set_cursor(self, cursor: Cursor | None) -> None:
        """Take note of how far the documents that were there before have been told; nothing may be open."""
        self.progress = replace(self.progress, cursor=cursor)

    @property
    def is_changed(self) -> bool:
        """Whether there is progress that was not stored."""
        return self.progress is not self.stored

    @property
    def is_idle(self) -> bool:
        """Whether everything that was handed over is done."""
        return not self._open

    @property
    def passed(self) -> int:
        """How many changes are done, and not in what is stored."""
        return self._passed

    def saved(self, progress: Progress, passed: int) -> None:
        """Take note that progress was stored.

        :param passed: what :attr:`passed` was then.
        """
        self.stored = progress
        self._passed -= passed


def _after(progress: Progress, commit: Commit) -> Progress:
    if commit.position.number == 0:  # of a document that was there before
        return progress
    time = commit.position._replace(number=0)
    counts = progress.counts if time == progress.position else {}
    return Progress(time, {**counts, commit.collection: commit.position.number}, progress.cursor)
