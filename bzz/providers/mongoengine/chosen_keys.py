"""Primary keys that are chosen before a document is stored, and what was stored under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import mongoengine as me
from bson import ObjectId
from pymongo import ReadPreference

from bzz.errors import NotFound
from bzz.providers.base import Path, Provider, Record, Written
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.record import DocumentRecord
from bzz.providers.records import created

__all__ = ["ChosenKeys"]


class ChosenKeys(Provider):
    """The part of :class:`~bzz.providers.mongoengine.provider.MongoEngineProvider` that chooses keys."""

    _documents: DocumentStore
    _registry: Registry

    def new_key(self, path: Path) -> Any:
        shape = path.last.shape
        pk = self._registry.of(shape.model).pk
        if pk is None or not pk.declared.kind.is_scalar or internals.generates_values(pk.source):
            return None
        if path.last.field is None and isinstance(pk.source, me.ObjectIdField):
            return pk.to_value(ObjectId())
        if path.last.field is not None and shape.url_id is not shape.pk:
            return None  # nothing could be found by it
        bson = pk.default() if callable(pk.source.default) else None  # a constant is no key of its own
        return None if bson is None else pk.to_value(bson)

    async def find_created(self, path: Path, keys: Sequence[Any], context: Any) -> Mapping[Any, Written]:
        if path.last.field is None:
            return await self._find_documents(keys)
        return {key: found for key in keys if (found := await self._find_inside(path, key, context)) is not None}

    async def _find_documents(self, keys: Sequence[Any]) -> Mapping[Any, Written]:
        codec = self._documents.codec
        raw = (await self._documents.collection()).raw
        primary = Collection(raw.with_options(read_preference=ReadPreference.PRIMARY))
        found = await primary.find({"_id": {"$in": [codec.store_key(key) for key in keys]}})
        keyed = {codec.key_value(each["_id"]): created(DocumentRecord(codec, each)) for each in found}
        return {key: replace(each, is_new=False) for key, each in keyed.items()}

    async def _find_inside(self, path: Path, key: Any, context: Any) -> Written | None:
        step = path.last._replace(key=key, text=f"{path.last.text}/{key}")
        try:
            record: Record = await self.get(Path((*path.steps[:-1], step)), context)
        except NotFound:
            return None
        return Written(record=record, tell=_not_told, is_new=False)


def _not_told() -> Any:
    raise LookupError("nobody is told of what an earlier attempt has written")
