"""One stored document, or one embedded in it, on its way to a client or to receivers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import mongoengine as me

from bzz.change import Diff
from bzz.providers.base import Record
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.diff import diff
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.instance import documents_in, touched
from bzz.providers.mongoengine.raw import differ
from bzz.providers.mongoengine.worker import in_thread
from bzz.providers.records import StoredRecord
from bzz.shape import Shape

__all__ = ["DocumentRecord", "render", "shape_of"]


class DocumentRecord(StoredRecord[DocumentCodec]):
    """A raw document and its codec."""

    @property
    def key(self) -> Any:
        assert self.codec.pk is not None
        return self.codec.pk.diff_form(self.raw.get("_id"))

    def is_untouched(self, instance: Any) -> bool:
        return touched(instance) == set()

    def is_same(self, other: Record) -> bool:
        return not isinstance(other, DocumentRecord) or not differ(other.raw, self.raw)

    def compare(self, before: Self | None, after: Self | None, *, by_item: bool = False) -> Diff:
        old, new = (None if each is None else each.raw for each in (before, after))
        instance = None if after is None else lambda: after.instance
        return diff(self.declared, old, new, by_item=by_item, instance=instance)


async def render(codec: DocumentCodec, items: Sequence[Any]) -> list[Any]:
    """Return what clients see of records, or of instances that a receiver put in their place.

    ``to_dict()`` of a model runs in a worker thread, where it may follow references.
    """
    if codec.registry.has_custom_json and any(_is_custom(codec, item) for item in items):
        return await in_thread(lambda: [_present(codec, item) for item in items])
    return [_show(codec, item) for item in items]


def shape_of(codec: DocumentCodec, item: Any) -> Shape | None:
    """Return the shape by which :func:`render` shows an item; None if ``to_dict()`` or a receiver makes its JSON."""
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
