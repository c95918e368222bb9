"""Documents along a path, and pages of lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from bzz.errors import NotFound
from bzz.providers.base import ListQuery, Page, Path, Record, Step
from bzz.providers.missing import missing_at
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.references import reference_key
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.listing import Key, beyond, decode_cursor, encode_cursor, filter_query, order, reverse
from bzz.providers.mongoengine.located import Located, Subdocument, linked_keys
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import DocumentRecord
from bzz.providers.mongoengine.updates import value_at
from bzz.shape import Shape

__all__ = ["PathReader"]


class Rows(Protocol):
    """Where the items of a list come from: a collection, or the array in a document."""

    async def page(self, query: Raw, *, sort: Sequence[Key], skip: int, limit: int) -> tuple[list[Raw], bool]: ...

    async def count(self, query: Raw) -> int: ...


class PathReader:
    """Finds what a path points to. One per set of routes.

    :param registry: the classes that the routes can reach.
    :param database: the database object that the application handed in, or None.
    """

    def __init__(self, registry: Registry, database: Any) -> None:
        self._database = database
        self._documents: dict[DocumentCodec, DocumentStore] = {}
        self.registry = registry

    def documents(self, codec: DocumentCodec) -> DocumentStore:
        """The documents of one class."""
        if codec not in self._documents:
            self._documents[codec] = DocumentStore(codec, self._database)
        return self._documents[codec]

    def of(self, shape: Shape) -> DocumentStore:
        """Return the documents of the model that a shape describes."""
        return self.documents(self.registry.of(shape.model))

    # -- one

    async def locate(self, steps: Sequence[Step], context: Any) -> Located:
        """The document that holds the end of a path, and the way inside it.

        :raises bzz.errors.NotFound: where anything on the way is missing.
        """
        documents = self.of(steps[0].shape)
        assert steps[0].shape.url_id is not None
        with missing_at(steps[0]):
            raw, query = await documents.find(steps[0].shape.url_id, steps[0].key, context)
        located = Located(documents, query, raw)
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
        return Located(target, query, raw)

    async def linked(self, located: Located, step: Step, context: Any) -> Subdocument:
        """Return the document that a reference at ``located`` leads to.

        Of one that is gone, only the primary key is there: a link can be taken away without it.

        :raises bzz.errors.NotFound: if there is no such reference, or the client may not see its document.
        """
        try:
            return (await self._follow(located, step, context)).subdocument
        except NotFound:
            target = self.of(step.shape)
            for key in _held(located, step):
                if step.key in (None, target.codec.key_value(key), str(key)) and not await target.holds(key):
                    return Subdocument(target.codec, {"_id": key})
            raise

    async def dangling(self, located: Located, step: Step) -> Any:
        """Return the stored reference of a single property whose document is gone, or None."""
        assert step.field is not None
        subdocument = located.subdocument
        stored = subdocument.raw.get(subdocument.codec.fields[step.field.name].stored)
        if stored is None or await self.of(step.shape).holds(reference_key(stored)):
            return None
        return stored

    async def get(self, path: Path, context: Any) -> DocumentRecord:
        """The instance at the end of a path."""
        step = path.steps[0]
        if len(path.steps) == 1 and step.shape.url_id is not None:
            documents = self.of(step.shape)
            return DocumentRecord(documents.codec, (await documents.find(step.shape.url_id, step.key, context))[0])
        return (await self.locate(path.steps, context)).subdocument.record

    # -- many

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        """One page of the list at the end of a path."""
        step = path.last
        if step.field is None or step.is_reference:
            return await self._list_documents(path, query, context)
        located = await self.locate(path.steps[:-1], context)
        subdocument = located.subdocument
        field = subdocument.codec.fields[step.field.name]
        assert field.item is not None
        rows = ArrayRows(await located.documents.collection(), located.query, subdocument.below(field.stored))
        keys = order(field.item.target(), query.sort, (), _POSITION, _ITEM + ".")
        return await _page(rows, field.item.target(), query, [], keys, _ITEM + ".")

    async def _list_documents(self, path: Path, query: ListQuery, context: Any) -> Page:
        documents = self.of(path.last.shape)
        scope, ordering = await documents.list_query(context)
        conditions = [scope] if scope else []
        if path.last.field is not None:
            conditions.append({"_id": {"$in": await self._linked(path, context)}})
        keys = order(documents.codec, query.sort, ordering, "_id", "")
        return await _page(await documents.collection(), documents.codec, query, conditions, keys, "")

    async def _linked(self, path: Path, context: Any) -> list[Any]:
        return _held(await self.locate(path.steps[:-1], context), path.last)


def _held(located: Located, step: Step) -> list[Any]:
    """The raw primary keys of the references that a step from ``located`` may follow."""
    assert step.field is not None
    subdocument = located.subdocument
    return linked_keys(subdocument.raw.get(subdocument.codec.fields[step.field.name].stored))


async def _page(
    rows: Rows | Collection, codec: DocumentCodec, query: ListQuery, scope: list[Raw], keys: list[Key], prefix: str
) -> Page:
    back = query.before is not None
    conditions = [*scope, *filter_query(codec, query.filters, prefix)]
    ordered = reverse(keys) if back else keys
    cursor = query.before if back else query.after
    where = conditions if cursor is None else [*conditions, beyond(ordered, decode_cursor(keys, cursor))]
    skip = 0 if cursor else (query.page - 1) * query.per_page
    found, cut = await rows.page(_all_of(where), sort=ordered, skip=skip, limit=query.per_page + 1)
    more = cut or len(found) > query.per_page
    shown = found[: query.per_page][:: -1 if back else 1]
    started_later = cursor is not None or query.page > 1
    has_previous, has_next = (more, True) if back else (started_later, more)
    return Page(
        records=[_record(codec, each, prefix) for each in shown],
        next=encode_cursor(keys, shown[-1]) if shown and has_next else None,
        previous=encode_cursor(keys, shown[0]) if shown and has_previous else None,
        total=await rows.count(_all_of(conditions)) if query.count else None,
        cut=cut,
    )


def _all_of(conditions: list[Raw]) -> Raw:
    if len(conditions) < 2:
        return conditions[0] if conditions else {}
    return {"$and": conditions}


def _record(codec: DocumentCodec, row: Raw, prefix: str) -> Record:
    if not prefix:
        return DocumentRecord(codec, row)
    return DocumentRecord(codec.variant(row[_ITEM]), row[_ITEM], row[_POSITION])


_ITEM = "item"
_POSITION = "position"


class ArrayRows:
    """The embedded documents of one list as rows ``{item, position}``, selected and sorted by the server.

    So a nested list filters, sorts and pages by the very queries of a collection.
    """

    def __init__(self, collection: Collection, query: Raw, where: str) -> None:
        self._collection = collection
        self._stages = [{"$match": query}, *_stages_to(where)]

    async def page(self, query: Raw, *, sort: Sequence[Key], skip: int, limit: int) -> tuple[list[Raw], bool]:
        """Rows that match, in order; never cut, for all of them are parts of one document."""
        found = await self._collection.aggregate(
            [*self._stages, {"$match": query}, {"$sort": dict(sort)}, {"$skip": skip}, {"$limit": limit}]
        )
        return found, False

    async def count(self, query: Raw) -> int:
        """How many rows match."""
        found = await self._collection.aggregate([*self._stages, {"$match": query}, {"$count": "total"}])
        return int(found[0]["total"]) if found else 0


def _stages_to(where: str) -> list[Raw]:
    """Replace a document by what stands at a path of names and positions, then unwind it."""
    return [
        {"$replaceWith": {_ITEM: value_at(where)}},
        {"$unwind": {"path": f"${_ITEM}", "includeArrayIndex": _POSITION}},
        {"$match": {_ITEM: {"$type": "object"}}},
    ]
