"""The other processes: who they are, what they answer, and which of their numbers have arrived.

Each process numbers its events from 1. A number that is skipped is an event that never got here. Whether counting
begins at 1 or at the first number that is heard depends on who was there first: both sides read the server's clock
once, after their subscription was confirmed, and a process with the later time sent its first event when this one
listened already.
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
"""How many processes are remembered; those not heard of for the longest time are forgotten first."""

MISSES = 3
"""A process that leaves so many questions in a row unanswered is no longer waited for, until it answers again."""


@dataclass(frozen=True)
class Gap:
    """Events of another process that never got here.

    :param name: the name of its relay.
    :param process: its random id.
    :param first: the number of the first that is missing.
    :param last: the number of the last.
    """

    name: str
    process: str
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


@dataclass
class Peer:
    """One other process."""

    process: str
    name: str
    expected: int | None = None
    lost: int = 0
    heard: float = 0.0
    present: bool = False
    patterns: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    misses: int = 0

    @property
    def key(self) -> str:
        """What statistics call it."""
        return f"{self.name}/{self.process}"

    def announce(self, patterns: Sequence[str]) -> None:
        """Note which questions it answers.

        :raises ValueError: if one of them is no name and no glob.
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

    def takes(self, number: int) -> bool:
        """Return whether an event of this number is new."""
        return self.expected is None or number >= self.expected

    def reach(self, number: int) -> Gap | None:
        """Count all numbers up to ``number`` as past; those before it that never came are the gap.

        The event that has ``number`` itself has arrived.
        """
        gap = self.miss(number - 1)
        self.expected = number + 1
        return gap

    def miss(self, last: int) -> Gap | None:
        """Told that ``last`` is the number of the last event that was sent: what of it is missing."""
        if self.expected is None:
            self.expected = last + 1
        first, self.expected = self.expected, max(self.expected, last + 1)
        if first > last:
            return None
        self.lost += last - first + 1
        return Gap(self.name, self.process, first, last)


class Peers:
    """All that were heard of."""

    def __init__(self) -> None:
        self._peers: OrderedDict[str, Peer] = OrderedDict()

    def __iter__(self) -> Iterator[Peer]:
        return iter(self._peers.values())

    def get(self, process: str) -> Peer | None:
        """Return the process of this id, if it was heard of."""
        return self._peers.get(process)

    def hear(self, process: str, name: str, is_younger: bool, now: float) -> Peer:
        """Note that a process is there.

        :param is_younger: whether it sent its first event when this process listened already.
        """
        peer = self._peers.get(process)
        if peer is None:
            peer = self._peers[process] = Peer(process, name, 1 if is_younger else None)
            if len(self._peers) > MAX_PEERS:
                self._peers.popitem(last=False)
        self._peers.move_to_end(process)
        peer.heard, peer.present = now, True
        return peer

    def present(self) -> list[Peer]:
        """Return those that are there."""
        return [peer for peer in self if peer.present]

    def overdue(self, since: float) -> Sequence[Peer]:
        """Return those that are thought to be there and were not heard of since then."""
        return [peer for peer in self if peer.present and peer.heard < since]

    def lost(self) -> dict[str, int]:
        """Return how many events of each were lost."""
        return {peer.key: peer.lost for peer in self if peer.lost}
