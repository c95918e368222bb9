"""Records of what is stored, their state, and what a write has made of them: the same for every provider.

A provider adds how its stored form is converted and compared (:class:`StoredRecord`); what that form is, is not known
here.
"""

from __future__ import annotations

from abc import abstractmethod
from hashlib import blake2b
from typing import Any, Generic, NamedTuple, Self, TypeVar

from bzz.change import Change, ChangeKind, Diff
from bzz.codec import dumps
from bzz.providers.outcome import Changed, Record, Written

__all__ = ["Edited", "StoredRecord", "changed", "changed_inside", "created", "deleted"]


class StoredRecord(Record):
    """An instance as it is stored. Its JSON and its instance are made when they are first asked for.

    Its state is a hash of the JSON that clients are shown of it, so that what they cannot see does not change it.
    """

    _instance: Any = None
    _stored_json: bytes | None = None

    # -- what a provider knows

    @property
    @abstractmethod
    def model(self) -> type:
        """The model, as :class:`bzz.change.Change` tells it."""

    @property
    @abstractmethod
    def key(self) -> Any:
        """The primary key, as an instance holds it."""

    @property
    @abstractmethod
    def has_custom_json(self) -> bool:
        """Whether the model's own code makes what clients are shown, so that it does not follow from what is stored."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return what clients see of what is stored."""

    @abstractmethod
    def changed_json(self, instance: Any) -> dict[str, Any]:
        """Return the same, but for the fields that somebody changed in an instance of it."""

    @abstractmethod
    def load(self) -> Any:
        """Return a new instance of the model."""

    def is_untouched(self, instance: Any) -> bool:
        """Return whether nobody can have changed anything in an instance that :meth:`load` gave."""
        return False

    @abstractmethod
    def is_same(self, other: Record) -> bool:
        """Return whether the very same is stored in another record, hidden fields included."""

    @abstractmethod
    def compare(self, before: Self | None, after: Self | None, *, by_item: bool = False) -> Diff:
        """Return the from/to diff of two states of the instance, of which this is one.

        :param before: None if it was not there.
        :param after: None if it is there no more.
        :param by_item: whether lists are told item by item where both sides hold the same items.
        """

    # -- what follows

    @property
    def state(self) -> str:
        return blake2b(self._json, digest_size=12).hexdigest()

    @property
    def _json(self) -> bytes:
        if self._stored_json is None:
            self._stored_json = dumps(self.to_json())
        return self._stored_json

    @property
    def body(self) -> bytes | None:
        if self.has_custom_json:
            return None
        if self._instance is None or self.is_untouched(self._instance):
            return self._json
        return self._json if dumps(self.show()) == self._json else None

    @property
    def instance(self) -> Any:
        if self._instance is None:
            self._instance = self.load()
        return self._instance

    def show(self) -> dict[str, Any]:
        """Return what clients see: what is stored, but for the fields that somebody changed in the instance."""
        if self._instance is None or self.is_untouched(self._instance):
            return self.to_json()
        return self.changed_json(self._instance)


R = TypeVar("R", bound=StoredRecord)


class Edited(NamedTuple, Generic[R]):
    """A stored document before and after a write."""

    before: R
    after: R


def created(record: StoredRecord) -> Written:
    """Return what is told of a document that was inserted."""
    return Written(record=record, tell=lambda: _change("created", None, record))


def deleted(record: StoredRecord) -> Written:
    """Return what is told of a document that was deleted."""
    return Written(record=record, tell=lambda: _change("deleted", record, None))


def changed(before: R, after: R, root: Edited[R] | None = None) -> Changed:
    """Return what is told of an instance that was updated.

    :param root: the records of the stored document, if the instance is embedded in it.
    """
    whole = root or Edited(before, after)
    return Changed(
        record=after,
        tell=lambda: _change("updated", *whole),
        holder=None if root is None else root.after,
        compare=lambda: after.compare(before, after),
    )


def changed_inside(root: Edited[R], record: StoredRecord, kind: ChangeKind = "updated") -> Written:
    """Return what is told of a document that was changed inside.

    :param root: the records of the document.
    :param record: what was attached, removed, linked or unlinked.
    """
    return Written(record=record, tell=lambda: _change(kind, *root), holder=root.after)


def _change(kind: ChangeKind, before: R | None, after: R | None) -> Change:
    either = after or before
    assert either is not None
    return Change(either.model, either.key, kind, lambda: either.compare(before, after, by_item=True))
