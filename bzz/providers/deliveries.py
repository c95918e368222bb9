"""The seam of durable delivery: where a provider keeps how far each listener has come, and what waits for it.

The work of a listener is divided into partitions, by the keys of documents. Each partition has one owner at a time, by
a lease on the clock of the database. With each new owner its *fence* grows, a number that every write of the owner is
conditional on: what a late owner writes is refused.

A change that cannot be handled at once becomes a :class:`Letter`. So long as a document has letters, its further
changes become letters behind them:

===========  ======================================  ==============================================================
state        means                                   becomes
===========  ======================================  ==============================================================
``queued``   an earlier letter of the document is    ``waiting``, when that one is gone
             there
``waiting``  to be tried when it is due              gone, when it was handled; ``waiting`` for later, when it
                                                     failed; ``dead``, when it has failed too often
``dead``     needs a person; so do those behind it   ``waiting`` or ``skipped``, as the person says
``skipped``  to be dropped                           gone, as soon as the owner comes to it
===========  ======================================  ==============================================================

Only owners take letters away, and only they let the next one of a document wait: so no change overtakes another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from bzz.change import Position
from bzz.providers.commit import Commit
from bzz.providers.progress import Progress

__all__ = [
    "DEAD",
    "Claim",
    "Deliveries",
    "Letter",
    "LetterState",
    "ListenerState",
    "PartitionState",
    "Standing",
    "Trouble",
]

LetterState = Literal["dead", "queued", "skipped", "waiting"]

Trouble = Literal["lost", "off"]
"""Why a listener is called no more: the history it would go on from is ``lost``, or somebody switched it ``off``."""


@dataclass(frozen=True)
class Claim:
    """One partition that a process owns.

    :param fence: grows with each owner.
    :param progress: at the time of the claim.
    """

    listener: str
    partition: int
    holder: str
    fence: int
    progress: Progress


class Standing(NamedTuple):
    """How a process stands among those that share the work of a listener.

    :param members: how many there are, with this one.
    :param owned: the partitions whose leases were prolonged just now.
    :param free: the partitions that nobody owns.
    :param failing_since: since when no change was handled while others failed; None while all is well.
    """

    members: int
    owned: frozenset[int]
    free: Sequence[int]
    trouble: Trouble | None
    failing_since: datetime | None


@dataclass(frozen=True)
class Letter:
    """One change that waits for a listener.

    :param id: names it; unique.
    :param key: names the document, among all of the listener.
    :param attempts: how often the listener was called with it.
    :param due: when it is to be tried again, by the clock of the process that says so.
    :param error: what was raised last; empty if nothing was.
    :param trace: its traceback.
    """

    id: str
    listener: str
    partition: int
    key: str
    commit: Commit
    state: LetterState
    attempts: int
    due: datetime
    error: str = ""
    trace: str = ""


DEAD: Collection[LetterState] = frozenset[LetterState]({"dead"})
"""Only letters that need a person."""


class PartitionState(NamedTuple):
    """One partition, for people."""

    number: int
    holder: str | None
    progress: Progress


@dataclass(frozen=True)
class ListenerState:
    """One listener, for people.

    :param letters: how many there are, by state.
    :param reason: why it is in trouble.
    """

    name: str
    trouble: Trouble | None
    reason: str
    members: int
    failing_since: datetime | None
    partitions: Sequence[PartitionState]
    letters: Mapping[LetterState, int]


class Deliveries(ABC):
    """The progress and letters of the durable listeners of one database. Everything is stored by majority.

    Methods raise :class:`~bzz.errors.Unavailable` and :class:`~bzz.errors.OutcomeUnknown`. Each may be repeated after
    that.
    """

    # -- owners

    @abstractmethod
    async def enroll(self, listener: str, partitions: int, start: Progress) -> None:
        """Have a listener known; where it is known already, nothing happens.

        :param start: where its partitions begin.
        """

    @abstractmethod
    async def attend(self, listener: str, holder: str, seconds: float) -> Standing | None:
        """Say that a process is there, and prolong its leases; None where nothing is stored of the listener any more.

        :param holder: names the process, and no other one ever.
        :param seconds: how long that holds.
        """

    @abstractmethod
    async def leave(self, listener: str, holder: str) -> None:
        """Say that a process is gone, and free what it owns."""

    @abstractmethod
    async def claim(self, listener: str, partition: int, holder: str, seconds: float) -> Claim | None:
        """Own a partition that is free, or own it anew; None where another process was faster."""

    @abstractmethod
    async def release(self, claims: Sequence[Claim]) -> None:
        """Own partitions no more, all at once; nothing happens to those that another owner has already."""

    @abstractmethod
    async def save(self, progress: Sequence[tuple[Claim, Progress]]) -> list[Claim]:
        """Store how far partitions have come; return the claims that do not hold any more, for which nothing was."""

    # -- letters, by their owner

    @abstractmethod
    async def put(self, claim: Claim, letters: Sequence[Letter]) -> bool:
        """Store letters, in one step; false where the claim does not hold any more, and nothing was stored.

        One that is there already stays as it is.
        """

    @abstractmethod
    async def replace(self, claim: Claim, letter: Letter) -> bool:
        """Store a letter in the place of itself; false where the claim does not hold any more."""

    @abstractmethod
    async def remove(self, claim: Claim, letter: Letter) -> bool | None:
        """Remove a letter, and let the next one of its document wait, due at once.

        :returns: whether there is a next one; None where the claim does not hold any more, and nothing was done.
        """

    @abstractmethod
    async def keys(self, claim: Claim) -> dict[str, Position]:
        """Return the keys of the documents that have letters, with the position of the last one of each."""

    @abstractmethod
    async def due(self, claims: Sequence[Claim], but: Collection[str], limit: int) -> list[Letter]:
        """Return letters that are due, or skipped, the longest due first.

        :param but: keys of documents whose letters are left out.
        """

    @abstractmethod
    async def next_due(self, claims: Sequence[Claim]) -> datetime | None:
        """Return when the next letter is due; None where none will be."""

    @abstractmethod
    async def note_failing(self, listener: str, is_failing: bool) -> None:
        """Remember since when a listener fails; a time that is known already stays."""

    # -- people, and what they are told

    @abstractmethod
    async def halt(self, listener: str, trouble: Trouble, reason: str) -> None:
        """Have a listener called no more: its owners notice within the time of a lease."""

    @abstractmethod
    async def resume(self, listener: str, start: Position | None = None) -> bool:
        """Have a halted listener called again; false where it is not known. Its letters stay.

        :param start: go on from there; None to go on where it was. Owners are fenced out by it.
        """

    @abstractmethod
    async def resync(self, listener: str) -> bool:
        """Have a listener told every document that is there, halted or not; false where it is not known.

        It follows what happens from where it was, so that it is told of deletions since then, or from now where that is
        ``lost``. Its letters stay. Owners are fenced out.
        """

    @abstractmethod
    async def states(self) -> list[ListenerState]:
        """Return all listeners, by name."""

    @abstractmethod
    async def letters(
        self, listener: str | None = None, states: Collection[LetterState] = DEAD, limit: int = 100
    ) -> list[Letter]:
        """Return letters, in the order of their changes.

        :param listener: None for all.
        """

    @abstractmethod
    async def letter(self, id: str) -> Letter | None:
        """Return one letter."""

    @abstractmethod
    async def mark(
        self,
        state: Literal["skipped", "waiting"],
        listener: str,
        ids: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Have dead letters tried again, with no attempt counted, or skipped; return how many.

        Those that wait to be tried again are tried at once, too.

        :param ids: these; empty for all of the listener.
        :param since: only of changes committed at that time or later.
        :param until: only of changes committed before that time.
        """
