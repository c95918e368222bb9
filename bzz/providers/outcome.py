"""What a provider returns: records, pages, and what a write has done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bzz.change import Change, Diff
from bzz.errors import RequestError

__all__ = ["NOT_TRIED", "ONE_BY_ONE", "Changed", "Page", "Record", "RowsRefused", "Stale", "Written"]

ONE_BY_ONE = "Send `Prefer: handling=lenient` to have each stored by itself."
"""What a client can do who posts an array that cannot be stored as a whole."""

NOT_TRIED = "This was not tried, for the database failed at the one before; nothing was done."
"""What is said of those that come after one for which the database was away: each would wait as long."""


class Record(ABC):
    """One stored instance, read or about to be written."""

    @property
    @abstractmethod
    def id(self) -> str | None:
        """The text that names it in a URL, not percent-encoded; None for an embedded document without an id."""

    @property
    @abstractmethod
    def state(self) -> str:
        """A short hash of what is stored, by which ``ETag`` and preconditions work."""

    @property
    @abstractmethod
    def body(self) -> bytes | None:
        """The JSON of the instance if it follows from what is stored alone; None if it takes ``Provider.render``."""

    @property
    @abstractmethod
    def instance(self) -> Any:
        """The model's own object, built at the first use. What is changed in it is shown changed, and changes no more:
        neither :attr:`state`, nor, where nothing is changed, :attr:`body`."""


@dataclass
class Page:
    """One page of a list.

    :param next: cursor for the page that follows, None on the last one.
    :param previous: cursor for the page before, None on the first one.
    :param total: the exact number of matches, if it was asked for.
    :param cut: whether it is shorter than asked for, since its items are too large; what follows is behind ``next``.
    """

    records: list[Record]
    next: str | None = None
    previous: str | None = None
    total: int | None = None
    cut: bool = False


@dataclass(kw_only=True)
class Written:
    """A write that has happened.

    :param record: the instance at the end of the path; of a delete, what was there.
    :param tell: makes :attr:`change`, if anybody asks.
    :param holder: the stored document that was written, where ``record`` is another: it holds the embedded document or
        the reference.
    :param is_new: False for what an earlier attempt at the same request has written: nobody is told of it again.
    """

    record: Record
    tell: Callable[[], Change]
    holder: Record | None = None
    is_new: bool = True

    @cached_property
    def change(self) -> Change:
        """What was done to the stored document that was written."""
        return self.tell()


@dataclass(kw_only=True)
class Changed(Written):
    """An update that has happened (or had nothing to change).

    :param compare: works out :attr:`updated_fields`, if anybody asks.
    """

    compare: Callable[[], Diff]

    @cached_property
    def updated_fields(self) -> Diff:
        """What this very write replaced: ``{'address.city': {'from': ..., 'to': ...}}``, real changes only."""
        return self.compare()


class Stale(Exception):
    """Something else is stored than what the write expected. Nothing was done."""


class RowsRefused(Exception):
    """Some of several documents cannot be written, and so none was.

    :param errors: why, by the position of each that was refused.
    """

    def __init__(self, errors: Mapping[int, RequestError]) -> None:
        super().__init__(f"{len(errors)} refused")
        self.errors = errors
