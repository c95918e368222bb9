"""Reading: documents along a path, and pages of lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from bzz.errors import NotFound
from bzz.providers.base import ListQuery, Page, Path, Record, Step
from bzz.providers.missing import missing_at
from bzz.providers.mongoengine import array_rows
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.references import reference_key
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.documents import Documents
from bzz.providers.mongoengine.listing import Key, beyond, decode_cursor, encode_cursor, filter_query, order, reverse
from bzz.providers.mongoengine.location import Location, Spot, linked_keys
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import StoredRecord

__all__ = ["Reading"]


class Rows(Protocol):
    """Where the items of a list come from: a collection, or the array in a document."""

    async def page(self, query: Raw, *, sort: Sequence[Key], skip: int, limit: int) -> tuple[list[Raw], bool]: ...

    async def count(self, query: Raw) -> int: ...


class Reading:
    """Finds what a path points to. One per set of routes.

    :param registry: the classes that the routes can reach.
    :param database: the database object that the application handed in, or None.
    """

    def __init__(self, registry: Registry, database: Any) -> None:
        self._database = database
        self._documents: dict[DocumentCodec, Documents] = {}
        self.registry = registry

    def documents(self, codec: DocumentCodec) -> Documents:
        """The documents of one class."""
        if codec not in self._documents:
            self._documents[codec] = Documents(codec, self._database)
        return self._documents[codec]

    def _documents_at(self, step: Step) -> Documents:
        return self.documents(self.registry.of(step.shape.model))

    # -- one

    async def locate(self, steps: Sequence[Step], context: Any) -> Location:
        """The document that holds the end of a path, and the way inside it.

        :raises bzz.errors.NotFound: where anything on the way is missing.
        """
        documents = self._documents_at(steps[0])
        assert steps[0].shape.url_id is not None
        with missing_at(steps[0]):
            raw, query = await documents.find(steps[0].shape.url_id, steps[0].key, context)
        location = Location(documents, query, raw)
        for step in steps[1:]:
            location = await self._follow(location, step, context) if step.is_reference else location.within(step)
        return location

    async def _follow(self, location: Location, step: Step, context: Any) -> Location:
        with missing_at(step):
            return await self._find_linked(location, step, context)

    async def _find_linked(self, location: Location, step: Step, context: Any) -> Location:
        assert step.field is not None
        assert step.shape.pk is not None
        assert step.shape.url_id is not None
        keys = _held(location, step)
        if not keys:
            raise NotFound()
        target = self._documents_at(step)
        if step.key is None:
            raw, query = await target.find(step.shape.pk, target.codec.key_value(keys[0]), context)
        else:
            raw, query = await target.find(step.shape.url_id, step.key, context)
        if raw["_id"] not in keys:
            raise NotFound()
        return Location(target, query, raw)

    async def linked(self, location: Location, step: Step, context: Any) -> Spot:
        """Return the document that a reference at ``location`` leads to.

        Of one that is gone, only the primary key is there: a link can be taken away without it.

        :raises bzz.errors.NotFound: if there is no such reference, or the client may not see its document.
        """
        try:
            return (await self._follow(location, step, context)).spot
        except NotFound:
            target = self._documents_at(step)
            for key in _held(location, step):
                if step.key in (None, target.codec.key_value(key), str(key)) and not await target.holds(key):
                    return Spot(target.codec, {"_id": key})
            raise

    async def dangling(self, location: Location, step: Step) -> Any:
        """Return the stored reference of a single property whose document is gone, or None."""
        assert step.field is not None
        spot = location.spot
        stored = spot.raw.get(spot.codec.fields[step.field.name].stored)
        if stored is None or await self._documents_at(step).holds(reference_key(stored)):
            return None
        return stored

    async def get(self, path: Path, context: Any) -> StoredRecord:
        """The instance at the end of a path."""
        step = path.steps[0]
        if len(path.steps) == 1 and step.shape.url_id is not None:
            documents = self._documents_at(step)
            return StoredRecord(documents.codec, (await documents.find(step.shape.url_id, step.key, context))[0])
        spot = (await self.locate(path.steps, context)).spot
        return StoredRecord(spot.codec, spot.raw)

    # -- many

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        """One page of the list at the end of a path."""
        step = path.last
        if step.field is None or step.is_reference:
            return await self._list_documents(path, query, context)
        location = await self.locate(path.steps[:-1], context)
        spot = location.spot
        field = spot.codec.fields[step.field.name]
        assert field.item is not None
        rows = array_rows.ArrayRows(await location.documents.collection(), location.query, spot.below(field.stored))
        keys = order(field.item.target(), query.sort, (), array_rows.POSITION, array_rows.PREFIX)
        return await _page(rows, field.item.target(), query, [], keys, array_rows.PREFIX)

    async def _list_documents(self, path: Path, query: ListQuery, context: Any) -> Page:
        documents = self._documents_at(path.last)
        scope, ordering = await documents.list_query(context)
        conditions = [scope] if scope else []
        if path.last.field is not None:
            conditions.append({"_id": {"$in": await self._linked(path, context)}})
        keys = order(documents.codec, query.sort, ordering, "_id", "")
        return await _page(await documents.collection(), documents.codec, query, conditions, keys, "")

    async def _linked(self, path: Path, context: Any) -> list[Any]:
        return _held(await self.locate(path.steps[:-1], context), path.last)


def _held(location: Location, step: Step) -> list[Any]:
    """The raw primary keys of the references that a step from ``location`` may follow."""
    assert step.field is not None
    spot = location.spot
    return linked_keys(spot.raw.get(spot.codec.fields[step.field.name].stored))


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
    return array_rows.record(codec, row) if prefix else StoredRecord(codec, row)
