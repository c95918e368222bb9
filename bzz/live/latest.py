"""What was made of one change, kept for those who ask next."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from bzz.providers.changes import Commit

__all__ = ["Latest"]

T = TypeVar("T")


class Latest(Generic[T]):
    """A value of the last change, kept no longer than anybody else knows the change: some come once a year."""

    __slots__ = ("__weakref__", "_commit", "_forget", "_value")

    def __init__(self) -> None:
        self._commit: weakref.ref[Commit] | None = None
        self._value: T | None = None
        self._forget = _forgets(weakref.ref(self))

    def get(self, commit: Commit) -> T | None:
        """Return the value of a change; None where another was the last."""
        return self._value if self._commit is not None and self._commit() is commit else None

    def put(self, commit: Commit, value: T) -> T:
        """Keep the value of a change, in place of that of any other; return it."""
        self._value = value
        self._commit = weakref.ref(commit, self._forget)
        return value


def _forgets(owner: weakref.ref[Latest[Any]]) -> Callable[[weakref.ref[Commit]], None]:
    """Return what is called when a change is gone. It does not keep its owner alive."""

    def forget(_: weakref.ref[Commit]) -> None:
        found = owner()
        if found is not None:
            found._commit = found._value = None

    return forget
