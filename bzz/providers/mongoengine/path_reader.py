"""Documents along a path, and pages of lists."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from bzz.errors import BadRequest, NotFound
from bzz.providers.asked import filters_in, with_filters
from bzz.providers.base import Filter, ListQuery, Page, Path, Step
from bzz.providers.missing import missing_at
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.references import reference_key
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.facets import count_values, is_searched, text_query
from bzz.providers.mongoengine.filters import filter_query
from bzz.providers.mongoengine.listing import DocumentListing, ItemListing
from bzz.providers.mongoengine.located import Located, Subdocument, linked_keys
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.options import ScopeOf
from bzz.providers.paging import read_page
from bzz.providers.value_checks import FindMissing
from bzz.shape import Shape
from bzz.shape.values import key_text

__all__ = ["PathReader"]

Resolve = Callable[[ListQuery, Any], Awaitable[ListQuery]]


class PathReader:
    """Finds what a path points to. One per set of routes.

    :param registry: the classes that the routes can reach.
    :param database: the database object that the application handed in, or None.
    :param scope: returns what documents have to meet to be there for a request.
    """

    def __init__(self, registry: Registry, database: Any, scope: ScopeOf | None = None) -> None:
        self._database = database
        self._scope = scope
        self._documents: dict[DocumentCodec, DocumentStore] = {}
        self.registry = registry

    def documents(self, codec: DocumentCodec) -> DocumentStore:
        """Return the documents of one class."""
        if codec not in self._documents:
            self._documents[codec] = DocumentStore(codec, self._database, self._scope)
        return self._documents[codec]

    def of(self, shape: Shape) -> DocumentStore:
        """Return the documents of the model that a shape describes."""
        return self.documents(self.registry.of(shape.model))

    def missing_for(self, context: Any) -> FindMissing:
        """Return what finds out which primary keys name no document for one request."""

        async def find_missing(shape: Shape, keys: Sequence[Any]) -> list[Any]:
            return await self.of(shape).missing(keys, context)

        return find_missing

    # -- one

    async def locate(self, steps: Sequence[Step], context: Any) -> Located:
        """Return the document that holds the end of a path, and the way inside it.

        :raises bzz.errors.NotFound: where anything on the way is missing.
        """
        documents = self.of(steps[0].shape)
        assert steps[0].shape.url_id is not None
        with missing_at(steps[0]):
            raw, query = await documents.find(steps[0].shape.url_id, steps[0].key, context)
        located = Located(documents, query, raw, scope=await documents.scope(context))
        for step in steps[1:]:
            located = await self._follow(located, step, context) if step.is_reference else located.within(step)
        return located

    async def _follow(self, located: Located, step: Step, context: Any) -> Located:
        with missing_at(step):
            return await self._find_linked(located, step, context)

    async def _find_linked(self, located: Located, step: Step, context: Any) -> Located:
        assert step.field is not None
        assert step.shape.pk is not None
        assert step.shape.url_id is not None
        keys = _held(located, step)
        if not keys:
            raise NotFound()
        target = self.of(step.shape)
        if step.key is None:
            raw, query = await target.find(step.shape.pk, target.codec.key_value(keys[0]), context)
        else:
            raw, query = await target.find(step.shape.url_id, step.key, context)
        if raw["_id"] not in keys:
            raise NotFound()
        return Located(target, query, raw, scope=await target.scope(context))

    async def linked(self, located: Located, step: Step, context: Any) -> Subdocument:
        """Return the document that a reference at ``located`` leads to.

        Of one that is gone, only the primary key is there: a link can be taken away without it. So can one to what is
        beyond the scope of the user, which is not told from what is gone.

        :raises bzz.errors.NotFound: if there is no such reference, or a hook of the model keeps its document from the
            client.
        """
        try:
            return (await self._follow(located, step, context)).subdocument
        except NotFound:
            target = self.of(step.shape)
            for key in _held(located, step):
                value = target.codec.key_value(key)
                is_meant = step.key in (None, value, key_text(step.shape.pk, value))
                if is_meant and not await target.holds(key, context):
                    return Subdocument(target.codec, {"_id": key})
            raise

    async def dangling(self, located: Located, step: Step, context: Any) -> Any:
        """Return the stored reference of a single property whose document is gone or beyond the scope, or None."""
        subdocument = located.subdocument
        stored = subdocument.raw.get(subdocument.field(step).stored)
        if stored is None or await self.of(step.shape).holds(reference_key(stored), context):
            return None
        return stored

    # -- many

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        """Return one page of the list at the end of a path."""
        step = path.last
        if step.field is None or step.is_reference:
            return await self._list_documents(path, query, context)
        if query.search is not None:
            raise BadRequest("The parameter 'q' searches lists of documents, not those that are embedded in one.")
        located = await self.locate(path.steps[:-1], context)
        subdocument = located.subdocument
        field = subdocument.field(step)
        assert field.item is not None
        collection, where = await located.documents.collection(), subdocument.below(field.stored)
        return await read_page(ItemListing(collection, located.query, where, field.item.target(), query), query)

    def searches(self, path: Path) -> bool:
        """Return whether the list at the end of a path can be searched for words."""
        step = path.last
        return (step.field is None or step.is_reference) and is_searched(self.of(step.shape).codec)

    async def _list_documents(self, path: Path, query: ListQuery, context: Any) -> Page:
        documents = self.of(path.last.shape)
        conditions, ordering = await self._conditions(path, query, context)
        rows = await documents.pages()
        return await read_page(DocumentListing(rows, documents.codec, query, conditions, ordering), query)

    async def _conditions(self, path: Path, query: ListQuery, context: Any) -> tuple[list[Raw], list[tuple[str, int]]]:
        """Return what limits a list of documents besides its filters, and the order that its model gives it."""
        documents = self.of(path.last.shape)
        scope, ordering = await documents.list_query(context)
        conditions = [scope] if scope else []
        if path.last.field is not None:
            conditions.append({"_id": {"$in": await self._linked(path, context)}})
        if query.search is not None:
            conditions.insert(0, text_query(documents.codec, query.search))
        return conditions, ordering

    async def facets(
        self, path: Path, query: ListQuery, names: Sequence[str], context: Any
    ) -> dict[str, list[tuple[Any, int]]]:
        """Return how often each value of fields occurs in a list of documents.

        :raises bzz.errors.BadRequest: for a list of embedded documents.
        """
        step = path.last
        if step.field is not None and not step.is_reference:
            raise BadRequest("The values of embedded documents are not counted; those of lists of documents are.")
        documents = self.of(step.shape)
        conditions, _ = await self._conditions(path, query, context)
        return await count_values(await documents.collection(), documents.codec, conditions, query.filters, names)

    async def resolve_links(self, query: ListQuery, resolve: Resolve, context: Any) -> ListQuery:
        """Return a query whose filters of what references lead to name the primary keys of the documents.

        :param resolve: makes the filters within name documents by their primary keys.
        """
        found = {id(each): await self._resolved(each, resolve, context) for each in filters_in(query.filters)}
        return replace(query, filters=with_filters(query.filters, lambda each: found[id(each)]))

    async def _resolved(self, wanted: Filter, resolve: Resolve, context: Any) -> Filter:
        (condition, *others) = wanted.any_of
        link = condition.field.link
        if others or condition.operator != "match" or link is None or not link.is_reference:
            return wanted
        inner = await resolve(ListQuery(filters=condition.value), context)
        documents = self.of(link.shape)
        keys = await documents.matching(filter_query(documents.codec, inner.filters), context)
        return replace(wanted, any_of=(replace(condition, operator="in", value=keys),))

    async def _linked(self, path: Path, context: Any) -> list[Any]:
        return _held(await self.locate(path.steps[:-1], context), path.last)


def _held(located: Located, step: Step) -> list[Any]:
    """Return the raw primary keys of the references that a step from ``located`` may follow."""
    subdocument = located.subdocument
    return linked_keys(subdocument.raw.get(subdocument.field(step).stored))
