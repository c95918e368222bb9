"""Records of what is stored, their state, and what a write has made of them: the same for every provider.

A provider brings how its stored form is converted (:class:`RecordCodec`) and compared (:class:`StoredRecord`). What
that form is, is not known here.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from bzz.change import Change, ChangeKind, Diff
from bzz.codec import dumps
from bzz.providers.outcome import Changed, Record, Written
from bzz.shape import Shape
from bzz.shape.values import key_text

__all__ = ["Edited", "RecordCodec", "StoredRecord", "changed", "changed_inside", "created", "deleted", "linked"]


class RecordCodec(Protocol):
    """What a provider knows of the instances of one class: how what is stored of them is converted.

    :ivar shape: of the class.
    :ivar inherits: whether instances may be of a class below it.
    :ivar has_custom_json: whether the model's own code makes what clients are shown.
    """

    shape: Shape
    inherits: bool

    @property
    def has_custom_json(self) -> bool: ...

    def variant(self, raw: Any, /) -> Self:
        """Return the codec of the very class of an instance."""

    def key_of(self, raw: Any, /) -> Any:
        """Return the value that names an instance in URLs; None for an embedded one without an id."""

    @property
    def to_json(self) -> Callable[[Any], dict[str, Any]]:
        """What returns what clients see of an instance."""

    def changed_json(self, instance: Any, raw: Any, /) -> dict[str, Any]:
        """Return the same, but for the fields that somebody changed in the model's own object."""

    def load(self, raw: Any, /) -> Any:
        """Return a new object of the model."""


C = TypeVar("C", bound=RecordCodec)


class StoredRecord(Record, Generic[C]):
    """An instance as it is stored. Its JSON and its object are made when they are first asked for.

    Its state is a hash of the JSON that clients are shown of it, so that what they cannot see does not change it.

    :param codec: of its class, or of a class above that.
    :param raw: what is stored, in the provider's own form.
    :param position: in a list of embedded documents without ids.
    """

    _instance: Any = None
    _stored_json: bytes | None = None

    def __init__(self, codec: C, raw: Any, position: int | None = None) -> None:
        self.codec = codec.variant(raw) if codec.inherits else codec
        self.raw = raw
        self.declared = codec
        self._position = position

    # -- how a provider compares

    @property
    @abstractmethod
    def key(self) -> Any:
        """The primary key, as the model's object holds it."""

    def is_untouched(self, instance: Any) -> bool:
        """Return whether nobody can have changed anything in an object that the codec has loaded."""
        return False

    @abstractmethod
    def is_same(self, other: Record) -> bool:
        """Return whether the very same is stored in another record, hidden fields included."""

    @abstractmethod
    def compare(self, before: Self | None, after: Self | None, *, by_item: bool = False) -> Diff:
        """Return the from/to diff of two states of the instance, of which this is one.

        :param before: None if it was not there.
        :param after: None if it is there no more.
        :param by_item: whether lists are compared item by item where both sides hold the same items.
        """

    # -- what follows

    @property
    def id(self) -> str | None:
        field = self.codec.shape.url_id
        key = self._position if field is None else self.codec.key_of(self.raw)
        return None if key is None else key_text(field, key)

    @property
    def state(self) -> str:
        return blake2b(self._json, digest_size=12).hexdigest()

    @property
    def _json(self) -> bytes:
        if self._stored_json is None:
            self._stored_json = dumps(self.codec.to_json(self.raw))
        return self._stored_json

    @property
    def body(self) -> bytes | None:
        if self.codec.has_custom_json:
            return None
        if self._instance is None or self.is_untouched(self._instance):
            return self._json
        return self._json if dumps(self.show()) == self._json else None

    @property
    def instance(self) -> Any:
        if self._instance is None:
            self._instance = self.codec.load(self.raw)
        return self._instance

    def show(self) -> dict[str, Any]:
        """Return what clients see: what is stored, but for the fields that somebody changed in the instance."""
        if self._instance is None or self.is_untouched(self._instance):
            return self.codec.to_json(self.raw)
        return self.codec.changed_json(self._instance, self.raw)


R = TypeVar("R", bound=StoredRecord[Any])


class Edited(NamedTuple, Generic[R]):
    """A stored document before and after a write."""

    before: R
    after: R


def created(record: StoredRecord[Any]) -> Written:
    """Return the outcome of an insert."""
    return Written(record=record, tell=lambda: _change("created", None, record))


def deleted(record: StoredRecord[Any]) -> Written:
    """Return the outcome of a delete."""
    return Written(record=record, tell=lambda: _change("deleted", record, None))


def changed(before: R, after: R, root: Edited[R] | None = None) -> Changed:
    """Return the outcome of an update.

    :param root: the records of the stored document, if the instance is embedded in it.
    """
    whole = root or Edited(before, after)
    return Changed(
        record=after,
        tell=lambda: _change("updated", *whole),
        holder=None if root is None else root.after,
        compare=lambda: after.compare(before, after),
    )


def changed_inside(root: Edited[R], record: StoredRecord[Any], kind: ChangeKind = "updated") -> Written:
    """Return the outcome of a change inside a document.

    :param root: the records of the document.
    :param record: what was attached, removed, linked or unlinked.
    """
    return Written(record=record, tell=lambda: _change(kind, *root), holder=root.after)


def linked(root: Edited[R], records: Sequence[StoredRecord[Any]]) -> list[Written]:
    """Return the outcomes of links that one write has made; all of them have one change.

    :param root: the records of the document that refers.
    :param records: what was linked.
    """
    tell = functools.cache(lambda: _change("linked", *root))
    return [Written(record=each, tell=tell, holder=root.after) for each in records]


def _change(kind: ChangeKind, before: R | None, after: R | None) -> Change:
    either = after or before
    assert either is not None
    compare = functools.partial(either.compare, before, after, by_item=True)
    return Change(either.declared.shape.model, either.key, kind, compare, source="http")
