"""One committed change of a stored document, as a provider tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from bzz.change import Position

__all__ = ["Commit", "CommitKind", "Tick"]

CommitKind = Literal["created", "updated", "deleted", "dropped", "renamed"]
"""``dropped`` and ``renamed`` happen to a whole collection: they have no document."""


@dataclass(frozen=True, eq=False)
class Commit:
    """One committed change, as it was stored: before the options of any route are applied.

    :param collection: where, by the provider's own name for it.
    :param key: the primary key as it is stored; None for ``dropped`` and ``renamed``.
    :param before: the document as it was stored before the change; None if it was created by the change, or if the
        database did not keep this version.
    :param after: the document as it is stored after the change; None if the change deleted it, or if the database did
        not keep this version.
    :param is_whole: whether both versions are known. If not, the diff is None.
    :param at: when, by the clock of the database.
    :param size: about how many bytes both sides take.
    """

    collection: str
    key: Any
    kind: CommitKind
    before: Any
    after: Any
    is_whole: bool
    position: Position
    at: datetime
    size: int = 0


class Tick(NamedTuple):
    """Nothing else was committed up to ``position``: told now and then while a stream is idle."""

    position: Position
