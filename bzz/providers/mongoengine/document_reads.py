"""The reading half of the provider for MongoEngine documents: what is served, and what each verb that reads asks.

How documents are found and read is not known here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping as Map
from collections.abc import Sequence
from typing import Any

import mongoengine as me

from bzz.errors import ConfigurationError
from bzz.providers import hidden
from bzz.providers.base import (
    ListQuery,
    Options,
    Page,
    Path,
    Record,
)
from bzz.providers.diagnosis import Diagnosed, Diagnosis
from bzz.providers.mongoengine import internals, orm_writes
from bzz.providers.mongoengine.changes.live import LiveDocuments
from bzz.providers.mongoengine.client import check_database
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.refusals import check_references_of, refusals
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.diagnosis import diagnose
from bzz.providers.mongoengine.path_reader import PathReader
from bzz.providers.mongoengine.querysets import check_hooks
from bzz.providers.mongoengine.record import DocumentRecord, render, shape_of
from bzz.providers.public_ids import Identity, PublicIds
from bzz.providers.value_checks import (
    Stored,
)
from bzz.shape import Field, Shape

__all__ = ["DocumentReads"]

logger = logging.getLogger("bzz.providers.mongoengine")


class DocumentReads(LiveDocuments, Diagnosed):
    """Reads the documents of a class and everything nested in them."""

    def __init__(self, model: type, options: Options) -> None:
        if not issubclass(model, me.Document) or internals.is_abstract(model):
            raise ConfigurationError(f"{model!r} is no concrete mongoengine.Document")
        if options.database is not None:
            check_database(options.database)
        self._model = model
        self._options = options
        self._public_ids = PublicIds(self._find_identities)
        self._draw()

    def _draw(self) -> None:
        """Describe the model, and all classes that its routes lead to, as they are known now."""
        self._drawn_of = internals.count_registered()
        registry = Registry(self._model, self._options.hidden, self._options.read_only)
        for each in registry.reachable:
            check_hooks(each)
            orm_writes.check_save(each)
        self._reader = PathReader(registry, self._options.database)
        self._documents = self._reader.documents(registry.root)
        self._registry = registry

    @property
    def shape(self) -> Shape:  # type: ignore[override]  # which nobody sets
        """The model. Each request asks for it first, so that classes that were imported since are known to it."""
        if self._drawn_of != internals.count_registered():
            self._draw_again()
        return self._registry.root.shape

    def _draw_again(self) -> None:
        try:
            self._draw()
        except ConfigurationError:
            logger.exception("%s is served without the classes that were imported last", self._model.__name__)
        else:
            hidden.note(self._registry.root.shape)

    def check(self, shape: Shape, values: Map[str, Any]) -> Map[str, Sequence[str]]:
        return refusals(self._registry.of(shape.model), values)

    # -- reading

    async def ping(self) -> None:
        await (await self._documents.collection()).ping()

    async def get(self, path: Path, context: Any) -> Record:
        return await self._reader.get(path, context)

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        return await self._reader.page(path, await self._resolve(path, query, context), context)

    async def _resolve(self, path: Path, query: ListQuery, context: Any) -> ListQuery:
        """Return a query that names documents by primary keys only."""
        if self.has_public_ids(path.last.shape):
            query = await self._public_ids.resolve_filters(query, context)
        if any(condition.operator == "match" for each in query.filters for condition in each.any_of):
            query = await self._reader.resolve_links(query, self._public_ids.resolve_filters, context)
        return query

    async def facets(
        self, path: Path, query: ListQuery, names: Sequence[str], context: Any
    ) -> Map[str, Sequence[tuple[Any, int]]]:
        return await self._reader.facets(path, await self._resolve(path, query, context), names, context)

    async def fetch(self, shape: Shape, keys: Sequence[Any], context: Any) -> Map[str, Record]:
        documents = self._reader.of(shape)
        records = [DocumentRecord(documents.codec, raw) for raw in await documents.find_many(keys, context)]
        return {str(documents.codec.key_value(each.raw["_id"])): each for each in records}

    async def render(self, items: Sequence[Any]) -> list[Any]:
        return await render(self._registry.root, items)

    async def diagnose(self, paths: Sequence[str]) -> Diagnosis:
        return await diagnose(self._documents, paths)

    # -- public ids

    def has_public_ids(self, shape: Shape) -> bool:
        return shape.model in self._registry.with_public_ids

    async def resolve_public_ids(self, shape: Shape, data: dict[str, Any], context: Any) -> None:
        await self._public_ids.resolve(shape, data, context)

    async def render_public_ids(self, items: Sequence[Any], shown: Sequence[Any], context: Any) -> None:
        shapes = [each if isinstance(each, Shape) else shape_of(self._registry.root, each) for each in items]
        await self._public_ids.show(shapes, shown, context)

    async def _find_identities(self, shape: Shape, field: Field, keys: Sequence[Any], context: Any) -> list[Identity]:
        return await self._reader.of(shape).identities(field, keys, context)

    # -- references in bodies

    async def _check_references(
        self, codec: DocumentCodec, values: Map[str, Any], context: Any, stored: Stored | None = None
    ) -> None:
        if codec.refers:
            await check_references_of(codec, values, self._reader.missing_for(context), stored)
