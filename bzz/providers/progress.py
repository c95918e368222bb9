"""How far a durable listener has come with one partition of its work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bzz.change import Position
from bzz.providers.commit import Commit

__all__ = ["BEGINNING", "FROM_THE_BEGINNING", "Cursor", "Progress"]


class Cursor(NamedTuple):
    """How far the documents that were there before have been told: by collection, and then by primary key.

    :param key: None stands before all keys.
    """

    collection: str
    key: Any


BEGINNING = Cursor("", None)
"""Stands before all documents."""


@dataclass(frozen=True)
class Progress:
    """How far a partition has come: all that happened up to here was handled, or has a letter.

    :param position: everything before its cluster time; its number is 0.
    :param counts: and at its cluster time, by collection, so many changes.
    :param cursor: where the documents that were there before are being told: those behind it are not followed yet.
        None where that is over, or was not asked for.
    """

    position: Position
    counts: Mapping[str, int] = field(default_factory=dict)
    cursor: Cursor | None = None

    def has(self, commit: Commit) -> bool:
        """Return whether a change was handled, or has a letter."""
        time = commit.position._replace(number=0)
        if time != self.position:
            return time < self.position
        return commit.position.number <= self.counts.get(commit.collection, 0)


FROM_THE_BEGINNING = Progress(Position(0, 0), {}, BEGINNING)
"""All documents are to be told, and what happens from then on."""
