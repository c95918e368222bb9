"""The reading half of the provider for MongoEngine documents: what is served, and what each verb that reads asks.

How documents are found and read is not known here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping as Map
from collections.abc import Sequence
from typing import Any

from bzz.providers.asked import filters_in
from bzz.providers.base import (
    ListQuery,
    Page,
    Path,
    Record,
)
from bzz.providers.diagnosis import Diagnosed, Diagnosis
from bzz.providers.mongoengine.changes.live import LiveDocuments
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.diagnosis import diagnose
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.path_reader import PathReader
from bzz.providers.mongoengine.record import DocumentRecord, render
from bzz.providers.public_ids import PublicIds
from bzz.shape import Shape
from bzz.shape.values import key_text

__all__ = ["DocumentReads"]

logger = logging.getLogger("bzz.providers.mongoengine")


class DocumentReads(LiveDocuments, Diagnosed):
    """Reads the documents of a class and everything nested in them."""

    combines = True

    _reader: PathReader
    _registry: Registry
    _documents: DocumentStore
    _public_ids: PublicIds

    async def ping(self) -> None:
        await (await self._documents.collection()).ping()

    async def get(self, path: Path, context: Any) -> Record:
        step = path.last
        if len(path.steps) == 1 and step.shape.url_id is not None:
            raw, _ = await self._documents.find(step.shape.url_id, step.key, context)
            return DocumentRecord(self._documents.codec, raw)
        return (await self._reader.locate(path.steps, context)).subdocument.record

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        return await self._reader.page(path, await self._resolve(path, query, context), context)

    def searches(self, path: Path) -> bool:
        return self._reader.searches(path)

    async def _resolve(self, path: Path, query: ListQuery, context: Any) -> ListQuery:
        """Return a query that names documents by primary keys only."""
        if self.has_public_ids(path.last.shape):
            query = await self._public_ids.resolve_filters(query, context)
        if any(condition.operator == "match" for each in filters_in(query.filters) for condition in each.any_of):
            query = await self._reader.resolve_links(query, self._public_ids.resolve_filters, context)
        return query

    async def facets(
        self, path: Path, query: ListQuery, names: Sequence[str], context: Any
    ) -> Map[str, Sequence[tuple[Any, int]]]:
        return await self._reader.facets(path, await self._resolve(path, query, context), names, context)

    async def fetch(self, shape: Shape, keys: Sequence[Any], context: Any) -> Map[str, Record]:
        documents = self._reader.of(shape)
        records = [DocumentRecord(documents.codec, raw) for raw in await documents.find_many(keys, context)]
        return {key_text(shape.pk, documents.codec.key_value(each.raw["_id"])): each for each in records}

    async def render(self, items: Sequence[Any]) -> list[Any]:
        return await render(self._registry.root, items)

    async def diagnose(self, paths: Sequence[str]) -> Diagnosis:
        return await diagnose(self._documents, paths)
