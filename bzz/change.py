"""What a write changed: the document that was written, and its diff.

Providers make changes; signals, events and relays carry them. This module knows no ORM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple

from bzz.codec import plain

__all__ = ["MASKED", "Change", "ChangeKind", "ChangeSource", "Diff", "FromTo", "Position", "storable"]

MASKED = "***"
"""What a diff tells on both sides in place of the values of a write-only field."""

FromTo = Mapping[str, Any]
"""The change of one field: ``{'from': 'Rio', 'to': 'Olinda'}``."""

Diff = dict[str, dict[str, Any]]
"""``{'address.city': {'from': 'Rio', 'to': 'Olinda'}}``: real changes only, by dotted path."""

ChangeKind = Literal["created", "updated", "deleted", "linked", "unlinked"]

ChangeSource = Literal["http", "orm", "foreign"]
"""By what a change was made: a request, the ORM in a process that has the model, or anything else."""


class Position(NamedTuple):
    """A place in the order of all changes of one database. Positions compare as tuples do.

    :param seconds: of the cluster time, since the epoch.
    :param increment: of the cluster time, within its second.
    :param number: counts, from 1, the changes of one collection that share a cluster time, as those of a transaction
        do; 0 stands before the first of them.
    """

    seconds: int
    increment: int
    number: int = 0


def _nothing() -> None:
    return None


@dataclass(frozen=True, eq=False)
class Change:
    """One change of one stored document: the argument ``change`` of every ``post_`` signal of a write.

    The document is the one that was written, the *root*: the ticket, if a comment inside it was edited or its
    assignee was unlinked; the user, if it was edited at a path through a reference.

    :param model: the root's model class.
    :param id: its primary key, as in ``instance.pk``.
    :param kind: what was done to the root: ``created``, ``updated``, ``deleted``; ``linked`` and ``unlinked`` are
        updates that added or took away references.
    :param compare: works out :attr:`diff`, if anybody asks.
    :param load_before: makes :attr:`before`, if anybody asks.
    :param load_after: makes :attr:`after`, if anybody asks.
    :param position: in the order of all committed changes of the database; None where the change was told by its
        writer, who does not know it.
    :param at: when it was committed, by the clock of the database; None as for ``position``.
    :param source: by what it was made; None where that is not known.
    """

    model: type
    id: Any
    kind: ChangeKind
    compare: Callable[[], Diff | None] = field(repr=False)
    load_before: Callable[[], Any] = field(default=_nothing, repr=False)
    load_after: Callable[[], Any] = field(default=_nothing, repr=False)
    position: Position | None = None
    at: datetime | None = None
    source: ChangeSource | None = None

    @cached_property
    def before(self) -> Any:
        """The root as it was: an instance of its model. None where it was not there, or the database did not keep it.

        References in it are ids. The signals of a write do not have it.
        """
        return self.load_before()

    @cached_property
    def after(self) -> Any:
        """The root as it is after the change, like :attr:`before`."""
        return self.load_after()

    @cached_property
    def diff(self) -> Diff | None:
        """How the root differs from before; of a created one every value is new, of a deleted one every value is gone.

        A function of before and after alone, whatever path the write came by. Embedded documents are told field by
        field. Lists of embedded documents are told item by item (``comments.0.text``) where both sides hold the same
        ids in the same order (without ids: equally many items), any other list as a whole (``members``).

        None where the database did not keep what the document was before or after; the signals of a write always have
        it.
        """
        return self.compare()


def storable(diff: Mapping[str, FromTo]) -> Diff:
    """Return ``diff`` with values that JSON and MongoDB can store.

    Dates and datetimes, ids, ``Decimal`` and ``UUID`` become strings, bytes base64, enum members their value, embedded
    documents objects by the names of their fields, NaN and infinity None. A value of any other class becomes its
    ``str()``.

    :param diff: ``change.diff``, ``updated_fields`` or ``event.diff``.

    >>> from decimal import Decimal
    >>> storable({"price": {"from": None, "to": Decimal("1.50")}})
    {'price': {'from': None, 'to': '1.50'}}
    """
    return {name: {side: plain(value) for side, value in pair.items()} for name, pair in diff.items()}
