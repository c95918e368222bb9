"""One stored document, or one embedded in it, on its way to a client or to receivers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import mongoengine as me

from bzz.change import Diff
from bzz.providers.base import Record
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.diff import diff
from bzz.providers.mongoengine.codecs.document import DocumentCodec, documents_in
from bzz.providers.mongoengine.codecs.instance import touched
from bzz.providers.mongoengine.raw import Raw, differ
from bzz.providers.mongoengine.worker import in_thread
from bzz.providers.records import StoredRecord
from bzz.shape import Shape

__all__ = ["DocumentRecord", "render", "shape_of"]


class DocumentRecord(StoredRecord):
    """A raw document and its codec.

    :param codec: of its class, or of a class above that.
    :param position: in a list of embedded documents without ids.
    """

    def __init__(self, codec: DocumentCodec, raw: Raw, position: int | None = None) -> None:
        self.codec = codec.variant(raw) if codec.inherits else codec
        self.raw = raw
        self._declared = codec
        self._position = position

    @property
    def id(self) -> str | None:
        key = self._position if self.codec.shape.url_id is None else self.codec.key_of(self.raw)
        return None if key is None else str(key)

    @property
    def model(self) -> type:
        found: type = self._declared.model
        return found

    @property
    def key(self) -> Any:
        assert self.codec.pk is not None
        return self.codec.pk.diff_form(self.raw.get("_id"))

    @property
    def has_custom_json(self) -> bool:
        return self.codec.has_custom_json

    def to_json(self) -> dict[str, Any]:
        return self.codec.to_json(self.raw)

    def changed_json(self, instance: Any) -> dict[str, Any]:
        return self.codec.changed_json(instance, self.raw)

    def load(self) -> Any:
        return self.codec.load(self.raw)

    def is_untouched(self, instance: Any) -> bool:
        return touched(instance) == set()

    def is_same(self, other: Record) -> bool:
        return not isinstance(other, DocumentRecord) or not differ(other.raw, self.raw)

    def compare(self, before: Self | None, after: Self | None, *, by_item: bool = False) -> Diff:
        old, new = (None if each is None else each.raw for each in (before, after))
        instance = None if after is None else lambda: after.instance
        return diff(self._declared, old, new, by_item=by_item, instance=instance)


async def render(codec: DocumentCodec, items: Sequence[Any]) -> list[Any]:
    """What clients see of records, or of instances that a receiver put in their place.

    ``to_dict()`` of a model runs in a worker thread, where it may follow references.
    """
    if codec.registry.has_custom_json and any(_is_custom(codec, item) for item in items):
        return await in_thread(lambda: [_present(codec, item) for item in items])
    return [_show(codec, item) for item in items]


def shape_of(codec: DocumentCodec, item: Any) -> Shape | None:
    """The shape by which :func:`render` shows an item; None where ``to_dict()`` or a receiver says what is shown."""
    if isinstance(item, DocumentRecord):
        found = item.codec
    elif isinstance(item, me.base.BaseDocument):
        found = codec.registry.of(type(item))
    else:
        return None
    return None if hasattr(found.model, "to_dict") else found.shape


def _is_custom(codec: DocumentCodec, item: Any) -> bool:
    if isinstance(item, DocumentRecord):
        return item.codec.has_custom_json
    return isinstance(item, me.base.BaseDocument) and codec.registry.of(type(item)).has_custom_json


def _show(codec: DocumentCodec, item: Any) -> Any:
    if isinstance(item, DocumentRecord):
        return item.show()
    if isinstance(item, me.base.BaseDocument):
        found = codec.registry.of(type(item))
        return found.to_json(found.dump_shown(item))
    return item


def _present(codec: DocumentCodec, item: Any) -> Any:
    instance = item.instance if isinstance(item, DocumentRecord) else item
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
