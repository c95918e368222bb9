"""The seam of histories: where a provider keeps what happened to each document, and who did it.

An entry is made of a committed change, by whoever follows the changes. Who wrote it is known to the writing process
alone, which knows nothing of the change's position. So each of them stores what it has, an entry or a note, both with
one digest of what was changed; and each then looks for the other's. Whoever comes later finds both, and joins them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bzz.change import Diff, Position

__all__ = ["EntryKind", "History", "HistoryEntry"]

EntryKind = Literal["created", "updated", "deleted"]


@dataclass(frozen=True)
class HistoryEntry:
    """One change of one document.

    :param change: its id: the same whoever records it, and however often.
    :param collection: of the document.
    :param document: its primary key, as a text that names it in the collection.
    :param position: in the order of all changes of the database.
    :param at: when it was committed, by the clock of the database.
    :param diff: in storable values; None where it is too large to be kept.
    :param who: made it; None where that is not known.
    """

    change: str
    collection: str
    document: str
    position: Position
    at: datetime
    kind: EntryKind
    diff: Diff | None
    who: str | None = None


class History(ABC):
    """The histories of the documents of one database. Everything is stored by majority.

    Methods raise :class:`~bzz.errors.Unavailable`; those that write :class:`~bzz.errors.OutcomeUnknown`. Each may be
    repeated after that.
    """

    @abstractmethod
    async def add(self, entry: HistoryEntry, digest: str) -> None:
        """Store an entry, with who wrote it if that is known already; nothing happens where it is there.

        :param digest: of what was changed.
        """

    @abstractmethod
    async def sign(self, note: str, digest: str, who: str, began: float) -> None:
        """Note who wrote a change, and join that with its entry if it is there already.

        :param note: names the note, and no other one ever.
        :param digest: of what was changed.
        :param began: the change was committed between this moment and the call, by :func:`time.monotonic`.
        """

    @abstractmethod
    async def entries(
        self,
        collection: str,
        document: str,
        limit: int,
        before: Position | None = None,
        after: Position | None = None,
    ) -> list[HistoryEntry]:
        """Return entries of a document, the newest first.

        :param before: only those that happened before this position; None for all.
        :param after: and after this one.
        """

    @abstractmethod
    async def deletion(self, collection: str, document: str) -> Position | None:
        """Return when a document was deleted last; None if it never was. Another one may have its key since."""

    @abstractmethod
    async def entry(self, change: str) -> HistoryEntry | None:
        """Return one entry."""
