"""One stored document, or one embedded in it, on its way to a client or to receivers."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import mongoengine as me

from bzz.codec import dumps
from bzz.providers.base import Record
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.document import DocumentCodec, documents_in
from bzz.providers.mongoengine.codecs.instance import touched
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.worker import in_thread
from bzz.shape import Shape

__all__ = ["StoredRecord", "render", "shape_of", "state_of"]


def state_of(codec: DocumentCodec, raw: Raw) -> str:
    """The hash by which ``ETag`` and preconditions know what is stored."""
    return _hash(dumps(codec.to_json(raw)))


def _hash(shown: bytes) -> str:
    return blake2b(shown, digest_size=12).hexdigest()


class StoredRecord(Record):
    """A raw document and its codec; its JSON and its instance are made when they are first asked for."""

    __slots__ = ("_instance", "_position", "_stored", "codec", "raw")

    def __init__(self, codec: DocumentCodec, raw: Raw, position: int | None = None) -> None:
        self.codec = codec.variant(raw) if codec.inherits else codec
        self.raw = raw
        self._position = position
        self._instance: Any = None
        self._stored: bytes | None = None

    @property
    def id(self) -> str | None:
        key = self._position if self.codec.shape.url_id is None else self.codec.key_of(self.raw)
        return None if key is None else str(key)

    @property
    def _shown(self) -> bytes:
        if self._stored is None:
            self._stored = dumps(self.codec.to_json(self.raw))
        return self._stored

    @property
    def state(self) -> str:
        return _hash(self._shown)

    @property
    def _is_untouched(self) -> bool:
        """Whether nobody can have changed anything in the instance."""
        return self._instance is None or touched(self._instance) == set()

    @property
    def body(self) -> bytes | None:
        if self.codec.has_custom_json:
            return None
        if self._is_untouched:
            return self._shown
        return self._shown if dumps(self.show()) == self._shown else None

    @property
    def instance(self) -> Any:
        if self._instance is None:
            self._instance = self.codec.load(self.raw)
        return self._instance

    def show(self) -> dict[str, Any]:
        """What clients see: what is stored, but for the fields that somebody changed in the instance."""
        if self._is_untouched:
            return self.codec.to_json(self.raw)
        return self.codec.changed_json(self._instance, self.raw)


async def render(codec: DocumentCodec, items: Sequence[Any]) -> list[Any]:
    """What clients see of records, or of instances that a receiver put in their place.

    ``to_dict()`` of a model runs in a worker thread, where it may follow references.
    """
    if codec.registry.has_custom_json and any(_is_custom(codec, item) for item in items):
        return await in_thread(lambda: [_present(codec, item) for item in items])
    return [_show(codec, item) for item in items]


def shape_of(codec: DocumentCodec, item: Any) -> Shape | None:
    """The shape by which :func:`render` shows an item; None where ``to_dict()`` or a receiver says what is shown."""
    if isinstance(item, StoredRecord):
        found = item.codec
    elif isinstance(item, me.base.BaseDocument):
        found = codec.registry.of(type(item))
    else:
        return None
    return None if hasattr(found.model, "to_dict") else found.shape


def _is_custom(codec: DocumentCodec, item: Any) -> bool:
    if isinstance(item, StoredRecord):
        return item.codec.has_custom_json
    return isinstance(item, me.base.BaseDocument) and codec.registry.of(type(item)).has_custom_json


def _show(codec: DocumentCodec, item: Any) -> Any:
    if isinstance(item, StoredRecord):
        return item.show()
    if isinstance(item, me.base.BaseDocument):
        found = codec.registry.of(type(item))
        return found.to_json(found.dump_shown(item))
    return item


def _present(codec: DocumentCodec, item: Any) -> Any:
    instance = item.instance if isinstance(item, StoredRecord) else item
    if not _is_custom(codec, item):
        return _show(codec, item)
    with _following_references(instance):
        return codec.registry.of(type(instance)).custom_json(instance)


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
