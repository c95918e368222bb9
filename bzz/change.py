"""What a write changed: the document that was written, and its diff.

Providers make changes; signals, events and relays carry them. This module knows no ORM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from bzz.codec import plain

__all__ = ["Change", "ChangeKind", "Diff", "FromTo", "storable"]

FromTo = Mapping[str, Any]
"""The change of one field: ``{'from': 'Rio', 'to': 'Olinda'}``."""

Diff = dict[str, dict[str, Any]]
"""``{'address.city': {'from': 'Rio', 'to': 'Olinda'}}``: real changes only, by dotted path."""

ChangeKind = Literal["created", "updated", "deleted", "linked", "unlinked"]


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
    """

    model: type
    id: Any
    kind: ChangeKind
    compare: Callable[[], Diff] = field(repr=False)

    @cached_property
    def diff(self) -> Diff:
        """How the root differs from before; of a created one every value is new, of a deleted one every value is gone.

        A function of before and after alone, whatever path the write came by. Embedded documents are told field by
        field. Lists of embedded documents are told item by item (``comments.0.text``) where both sides hold the same
        ids in the same order (without ids: equally many items), any other list as a whole (``members``).
        """
        return self.compare()


def storable(diff: Mapping[str, FromTo]) -> Diff:
    """Return ``diff`` with values that JSON and MongoDB can store, in the form that clients see.

    Dates and datetimes, ids, ``Decimal`` and ``UUID`` become strings, bytes base64, enum members their value, embedded
    documents objects, NaN and infinity None. A value of any other class becomes its ``str()``.

    :param diff: ``change.diff``, ``updated_fields`` or ``event.diff``.

    >>> from decimal import Decimal
    >>> storable({"price": {"from": None, "to": Decimal("1.50")}})
    {'price': {'from': None, 'to': '1.50'}}
    """
    return {name: {side: plain(value) for side, value in pair.items()} for name, pair in diff.items()}
