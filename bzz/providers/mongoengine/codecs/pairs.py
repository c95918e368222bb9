"""A list that is written whole, beside the one that is stored: which item is which.

Items are matched by their ids, and keep what the client may not write. Items without an id that hold such values cannot
be told apart safely: they must come back as they are shown.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

from bzz.errors import Conflict

__all__ = ["Pairs", "twins"]

CANNOT_MATCH = (
    "The items of {name!r} have no id, and hold values that you may not write, or not see."
    " Send the list as it is shown, or change its items at their own addresses."
)

OF_SUBCLASSES = (
    "The items of {name!r} have no id, and some have fields that only their own classes declare."
    " Name the @type of each, send the list as it is shown, or change its items at their own addresses."
)


class Pairs:
    """For each item of a list that is sent, the stored item that it stands for.

    :param name: the field, for errors.
    :param keys: the ids of the items that are sent, None where an item has none.
    :param stored: the stored items.
    :param key_of: gives the id of a stored item, or None.
    :param keeps: whether a stored item holds anything that a client may not write; told whether that client is knowing.
    :param knowing: whether this client knows of which class each item is.
    :raises bzz.errors.Conflict: if items without an id hold such values, and others are sent in their place.
    """

    def __init__(
        self,
        name: str,
        keys: Sequence[Any],
        stored: Sequence[Any],
        *,
        key_of: Callable[[Any], Any],
        keeps: Callable[..., bool],
        knowing: bool,
    ) -> None:
        self._name = name
        self._keeps = keeps
        known: defaultdict[str, deque[Any]] = defaultdict(deque)  # of twins, the first is the first
        for each in stored:
            known[repr(key_of(each))].append(each)
        nameless = known[repr(None)]
        self._kept = [each for each in nameless if keeps(each, knowing=knowing)]
        if sum(key is None for key in keys) != len(nameless):
            self._refuse_if_bound()
            nameless.clear()
        self.counterparts = [known[repr(key)].popleft() if known[repr(key)] else None for key in keys]
        self._nameless = [key is None for key in keys]

    def check(self, written: Sequence[Any], *, sets_unseen: Sequence[bool]) -> None:
        """Refuse to write items that had to come back as they are shown.

        :param written: the raw items, the very object of the stored one where nothing changes.
        :param sets_unseen: whether each item sets a write-only field. Such an item counts as changed, whatever is
            stored: else the answer would tell whether a guess was right.
        :raises bzz.errors.Conflict: if one of them would change.
        """
        items = zip(self._nameless, written, self.counterparts, sets_unseen, strict=True)
        if any(nameless and (sets or new is not old) for nameless, new, old, sets in items):
            self._refuse_if_bound()

    def _refuse_if_bound(self) -> None:
        if self._kept:
            is_protected = any(self._keeps(each, knowing=True) for each in self._kept)
            raise Conflict((CANNOT_MATCH if is_protected else OF_SUBCLASSES).format(name=self._name))


def twins(keys: Sequence[Any]) -> list[int]:
    """Return the positions of the ids that stand in a list for a second time; None is no id.

    >>> twins(["a", None, "b", "a", None])
    [3]
    """
    seen: set[str] = set()
    found = []
    for position, key in enumerate(map(repr, keys)):
        if key in seen and keys[position] is not None:
            found.append(position)
        seen.add(key)
    return found
