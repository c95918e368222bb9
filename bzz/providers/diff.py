"""The from/to diff of two states of a document: ``{'address.city': {'from': 'Rio', 'to': 'Olinda'}}``.

Embedded documents are compared field by field, also where they came or went as a whole; lists of them item by item, if
that is asked for and both sides hold the same items; anything else as a whole. What is stored in a field, and in which
form it is reported, is not known here: see :class:`Compared`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from bzz.change import MASKED, Diff

__all__ = ["Compared", "FieldPair", "Masked", "diff"]


class Compared(Protocol):
    """A field, as its provider compares what is stored in it."""

    @property
    def item(self) -> Compared | None:
        """What compares the items of a list; None if they are not compared one by one."""

    def differs(self, old: Any, new: Any) -> bool:
        """Return whether two stored values differ."""

    def report(self, old: Any, new: Any) -> tuple[Any, Any] | None:
        """Return what a diff reports of two stored values that differ; None if it would report the same of both."""

    def embedded_pairs(self, old: Any, new: Any) -> Iterable[FieldPair] | None:
        """Return the fields in which two embedded documents differ, each of which may be None.

        :returns: None for anything but embedded documents.
        """

    def identity(self, stored: Any) -> Any:
        """Return what identifies an item of a list; None if a diff cannot follow it."""


class FieldPair(NamedTuple):
    """What is stored in one field of two states of a document, where it differs."""

    name: str
    field: Compared
    old: Any
    new: Any


class Masked:
    """A write-only field: a diff reports that it differs, and neither of its values.

    :param field: compares the values.
    """

    item = None

    def __init__(self, field: Compared) -> None:
        self._field = field

    def differs(self, old: Any, new: Any) -> bool:
        return self._field.differs(old, new)

    def report(self, old: Any, new: Any) -> tuple[Any, Any] | None:
        return (MASKED, MASKED) if _diff(self._field, old, new, "", by_item=False) else None

    def embedded_pairs(self, old: Any, new: Any) -> None:
        return None

    def identity(self, stored: Any) -> Any:
        return None


def diff(pairs: Iterable[FieldPair], prefix: str = "", *, by_item: bool = False) -> Diff:
    """Return the changes of the fields in which two states of a document differ.

    :param prefix: stands before every name.
    :param by_item: whether a list of embedded documents is compared item by item where both sides hold the same items.
    """
    changes: Diff = {}
    for name, field, old, new in pairs:
        changes.update(_diff(field, old, new, prefix + name, by_item))
    return changes


def _diff(field: Compared, old: Any, new: Any, name: str, by_item: bool) -> Diff:
    inside = field.embedded_pairs(old, new)
    if inside is not None:
        found = diff(inside, name + ".", by_item=by_item)
        if found or not (old is None or new is None):  # one without fields comes and goes as a whole
            return found
    if by_item and field.item is not None and _are_same_items(field.item, old, new):
        return diff(_item_pairs(field.item, old, new), name + ".", by_item=True)
    pair = field.report(old, new)
    return {} if pair is None else {name: {"from": pair[0], "to": pair[1]}}


def _are_same_items(item: Compared, old: Any, new: Any) -> bool:
    """Return whether two lists hold embedded documents of the same classes and ids, in the same order."""
    if not (isinstance(old, list) and isinstance(new, list)):
        return False
    before, after = (list(map(item.identity, each)) for each in (old, new))
    return before == after and None not in before


def _item_pairs(item: Compared, old: list[Any], new: list[Any]) -> Iterator[FieldPair]:
    for position, (before, after) in enumerate(zip(old, new, strict=True)):
        if item.differs(before, after):
            yield FieldPair(str(position), item, before, after)
