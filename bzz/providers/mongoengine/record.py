"""One stored document, or one embedded in it, on its way to a client or to receivers."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import mongoengine as me

from bzz.codec import dumps
from bzz.providers.base import Record
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.mapping import Mapping, documents_in
from bzz.providers.mongoengine.raw import Raw, differ
from bzz.providers.mongoengine.worker import in_thread

__all__ = ["StoredRecord", "represent", "state_of"]


def state_of(mapping: Mapping, raw: Raw) -> str:
    """The hash by which ``ETag`` and preconditions know what is stored."""
    return _hash(dumps(mapping.show(raw)))


def _hash(shown: bytes) -> str:
    return blake2b(shown, digest_size=12).hexdigest()


class StoredRecord(Record):
    """A raw document and its mapping; its JSON and its instance are made when they are first asked for."""

    __slots__ = ("_instance", "_position", "_stored", "mapping", "raw")

    def __init__(self, mapping: Mapping, raw: Raw, position: int | None = None) -> None:
        self.mapping = mapping.variant(raw)
        self.raw = raw
        self._position = position
        self._instance: Any = None
        self._stored: bytes | None = None

    @property
    def id(self) -> str | None:
        key = self._position if self.mapping.shape.url_id is None else self.mapping.key_of(self.raw)
        return None if key is None else str(key)

    @property
    def _shown(self) -> bytes:
        if self._stored is None:
            self._stored = dumps(self.mapping.show(self.raw))
        return self._stored

    @property
    def state(self) -> str:
        return _hash(self._shown)

    @property
    def body(self) -> bytes | None:
        if self.mapping.is_custom or (self._instance is not None and dumps(self.show()) != self._shown):
            return None
        return self._shown

    @property
    def instance(self) -> Any:
        if self._instance is None:
            self._instance = self.mapping.load(_copied(self.raw))  # what is changed inside it must not change the state
        return self._instance

    def show(self) -> dict[str, Any]:
        """What clients see: what is stored, but for the fields that somebody changed in the instance."""
        stored = self.mapping.show(self.raw)
        if self._instance is None:
            return stored
        shown = self._show_instance(self._instance)
        if not differ(shown, stored):
            return stored
        fresh = self._show_instance(
            self.mapping.load(self.raw)
        )  # not all that is stored comes out of an instance again
        return {name: each if differ(each, fresh[name]) else stored[name] for name, each in shown.items()}

    def _show_instance(self, instance: Any) -> dict[str, Any]:
        return self.mapping.show(self.mapping.dump(instance, self.raw))


def _copied(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {key: _copied(each) for key, each in raw.items()}
    return [_copied(each) for each in raw] if isinstance(raw, list) else raw


async def represent(mapping: Mapping, items: Sequence[Any]) -> list[Any]:
    """What clients see of records, or of instances that a receiver put in their place.

    ``to_dict()`` of a model runs in a worker thread, where it may follow references.
    """
    if mapping.schema.has_custom and any(_is_custom(mapping, item) for item in items):
        return await in_thread(lambda: [_present(mapping, item) for item in items])
    return [_show(mapping, item) for item in items]


def _is_custom(mapping: Mapping, item: Any) -> bool:
    if isinstance(item, StoredRecord):
        return item.mapping.is_custom
    return isinstance(item, me.base.BaseDocument) and mapping.schema.of(type(item)).is_custom


def _show(mapping: Mapping, item: Any) -> Any:
    if isinstance(item, StoredRecord):
        return item.show()
    if isinstance(item, me.base.BaseDocument):
        found = mapping.schema.of(type(item))
        return found.show(found.dump(item))
    return item


def _present(mapping: Mapping, item: Any) -> Any:
    instance = item.instance if isinstance(item, StoredRecord) else item
    if not _is_custom(mapping, item):
        return _show(mapping, item)
    with _following_references(instance):
        return mapping.schema.of(type(instance)).present(instance)


class _following_references:  # noqa: N801  # a context manager reads as a phrase
    """Let an instance, and the documents embedded in it, follow references: only for worker threads."""

    def __init__(self, instance: Any) -> None:
        self._quiet = [(each, internals.take_fields(each)) for each in documents_in(instance)]

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        for document, fields in self._quiet:
            if fields is not None:
                internals.give_fields(document, fields)
