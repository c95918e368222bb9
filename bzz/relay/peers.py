"""The other processes, the questions that they answer, and the numbers of their events.

Each process numbers its events from 1. A number that is skipped is an event that was lost. Counting begins at 1 for a
process that started later than this one, else at the first number that is received. To compare, each process reads the
server's clock once, after its subscription was confirmed: one with a later time sent its first event when this one was
subscribed already.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bzz.errors import ConfigurationError
from bzz.events.event import AdHocEvent
from bzz.events.targets import Subject, Target, parse

__all__ = ["MAX_PEERS", "MISSES", "Gap", "Peer", "Peers"]

MAX_PEERS = 1024
"""How many processes are kept; beyond that the one with the oldest message is dropped."""

MISSES = 3
"""After so many unanswered questions in a row, a process is not waited for until it answers again."""


@dataclass(frozen=True)
class Gap:
    """Events of another process that were lost.

    :param name: the name of its relay.
    :param process: its random id.
    :param first: the number of the first lost event.
    :param last: the number of the last one.
    """

    name: str
    process: str
    first: int
    last: int

    @property
    def count(self) -> int:
        """The number of lost events."""
        return self.last - self.first + 1


@dataclass
class Peer:
    """One other process."""

    process: str
    name: str
    expected: int | None = None
    lost: int = 0
    last_heard: float = 0.0
    present: bool = False
    patterns: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    misses: int = 0

    @property
    def key(self) -> str:
        """Its key in statistics."""
        return f"{self.name}/{self.process}"

    def announce(self, patterns: Sequence[str]) -> None:
        """Set which questions it answers.

        :raises ValueError: if one of them is neither a name nor a glob.
        """
        if self.patterns != tuple(patterns):
            try:
                self.targets = tuple(parse(each) for each in patterns)
            except ConfigurationError as error:
                raise ValueError(str(error)) from None
            self.patterns = tuple(patterns)

    def answers(self, name: str) -> bool:
        """Return whether it answers questions of this name."""
        return any(each.matches(Subject(name, AdHocEvent)) for each in self.targets)

    def is_new(self, number: int) -> bool:
        """Return whether an event of this number is new."""
        return self.expected is None or number >= self.expected

    def received(self, number: int) -> Gap | None:
        """Note that the event ``number`` was received, and return the gap before it."""
        gap = self.sent_up_to(number - 1)
        self.expected = number + 1
        return gap

    def sent_up_to(self, last: int) -> Gap | None:
        """Note that the events up to ``last`` were sent, and return the gap: those that were not received."""
        if self.expected is None:
            self.expected = last + 1
        first, self.expected = self.expected, max(self.expected, last + 1)
        if first > last:
            return None
        self.lost += last - first + 1
        return Gap(self.name, self.process, first, last)


class Peers:
    """The other processes that are known, by their id."""

    def __init__(self) -> None:
        self._peers: OrderedDict[str, Peer] = OrderedDict()

    def __iter__(self) -> Iterator[Peer]:
        return iter(self._peers.values())

    def get(self, process: str) -> Peer | None:
        """Return the process with this id, or None."""
        return self._peers.get(process)

    def hear(self, process: str, name: str, is_younger: bool, now: float) -> Peer:
        """Note that a process is present, and return it.

        :param is_younger: whether it started later than this process.
        """
        peer = self._peers.get(process)
        if peer is None:
            peer = self._peers[process] = Peer(process, name, 1 if is_younger else None)
            if len(self._peers) > MAX_PEERS:
                self._peers.popitem(last=False)
        self._peers.move_to_end(process)
        peer.last_heard, peer.present = now, True
        return peer

    def present(self) -> list[Peer]:
        """Return the processes that are present."""
        return [peer for peer in self if peer.present]

    def overdue(self, since: float) -> Sequence[Peer]:
        """Return the present processes without a message since then."""
        return [peer for peer in self if peer.present and peer.last_heard < since]

    def lost(self) -> dict[str, int]:
        """Return the number of lost events of each process that lost any."""
        return {peer.key: peer.lost for peer in self if peer.lost}
