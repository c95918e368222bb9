"""The provider for MongoEngine documents: each verb a place, an edit, and what it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Map
from typing import Any

import mongoengine as me

from bzz.change import Diff
from bzz.errors import ConfigurationError, Invalid, NotFound
from bzz.providers.base import (
    Changed,
    ListQuery,
    Options,
    Page,
    Path,
    Precondition,
    Provider,
    Record,
    Step,
    Written,
)
from bzz.providers.compare_and_set import Conditions
from bzz.providers.mongoengine import edits, internals, orm_writes
from bzz.providers.mongoengine.client import check_database
from bzz.providers.mongoengine.codecs import forms
from bzz.providers.mongoengine.codecs.diff import diff
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.forms import merged
from bzz.providers.mongoengine.codecs.references import reference_key
from bzz.providers.mongoengine.codecs.refusals import refusals
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.conditional_writes import Edit, delete_document, edit
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.located import Located, Subdocument, linked_keys
from bzz.providers.mongoengine.overrides import check_signatures
from bzz.providers.mongoengine.path_reader import PathReader
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import DocumentRecord, represent, shape_of
from bzz.providers.mongoengine.updates import InPlace
from bzz.providers.public_ids import Identity, PublicIds
from bzz.providers.records import Edited, changed, changed_inside, created, deleted
from bzz.providers.references import Document, Stored, check_references
from bzz.shape import Field, Shape
from bzz.shape.documents import TAG, UNKNOWN

__all__ = ["MongoEngineProvider"]


class MongoEngineProvider(Provider):
    """Serves a :class:`mongoengine.Document` and everything nested in it."""

    def __init__(self, model: type, options: Options) -> None:
        if not issubclass(model, me.Document) or internals.is_abstract(model):
            raise ConfigurationError(f"{model!r} is no concrete mongoengine.Document")
        if options.database is not None:
            check_database(options.database)
        registry = Registry(model, options.hidden, options.read_only)
        for each in registry.reachable:
            check_signatures(each)
        self._reader = PathReader(registry, options.database)
        self._documents = self._reader.documents(registry.root)
        self._registry = registry
        self.shape = registry.root.shape
        self._public_ids = PublicIds(self._find_identities)

    def check(self, shape: Shape, values: Map[str, Any]) -> Map[str, Sequence[str]]:
        return refusals(self._registry.of(shape.model), values)

    # -- reading

    async def get(self, path: Path, context: Any) -> Record:
        return await self._reader.get(path, context)

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        if self.has_public_ids(path.last.shape):
            query = await self._public_ids.resolve_filters(query, context)
        return await self._reader.page(path, query, context)

    async def represent(self, items: Sequence[Any]) -> list[Any]:
        return await represent(self._registry.root, items)

    # -- public ids

    def has_public_ids(self, shape: Shape) -> bool:
        return shape.model in self._registry.with_public_ids

    async def resolve_public_ids(self, shape: Shape, data: dict[str, Any], context: Any) -> None:
        await self._public_ids.resolve(shape, data, context)

    async def show_public_ids(self, items: Sequence[Any], shown: Sequence[Any], context: Any) -> None:
        shapes = [each if isinstance(each, Shape) else shape_of(self._registry.root, each) for each in items]
        await self._public_ids.show(shapes, shown, context)

    async def _find_identities(self, shape: Shape, field: Field, keys: Sequence[Any], context: Any) -> list[Identity]:
        return await self._reader.of(shape).identities(field, keys, context)

    # -- references in bodies

    async def _check_references(
        self, codec: DocumentCodec, values: Map[str, Any], context: Any, stored: Stored | None = None
    ) -> None:
        async def find_missing(shape: Shape, keys: Sequence[Any]) -> list[Any]:
            return await self._reader.of(shape).missing(keys, context)

        if codec.refers:
            document = Document(codec.shape, values)
            await check_references(document, find_missing, refusals=lambda: refusals(codec, values), stored=stored)

    # -- creating

    async def create(self, path: Path, values: Map[str, Any], context: Any) -> Written:
        codec = self._registry.of(path.last.shape.model)
        if TAG in values:
            codec = self._registry.named(values[TAG])
            values = {name: value for name, value in values.items() if name != TAG}
        await self._check_references(codec, values, context)
        if path.last.field is None:
            return await self._insert(self._reader.documents(codec), values)
        return await self._attach(path, forms.new(codec, values), context)

    async def _insert(self, documents: DocumentStore, values: Map[str, Any]) -> Written:
        codec = documents.codec
        if orm_writes.saves_itself(codec):
            stored = await orm_writes.create(documents, forms.given(codec, values))
        else:
            stored = await documents.insert(forms.new(codec, values))
        return created(DocumentRecord(self._registry.root, stored))

    async def _attach(self, path: Path, item: Raw, context: Any) -> Written:
        located = await self._reader.locate(path.steps[:-1], context)
        item = (await located.documents.collection()).as_stored(item)
        alter = edits.push(item) if path.last.is_list else edits.attach(item)
        edited = await edit(located, edits.at(located, _name(path.last), alter))
        subdocument = located.ending(edited.after.raw)
        field = subdocument.codec.fields[_name(path.last)]
        value = subdocument.raw[field.stored]
        if not isinstance(value, list):
            return changed_inside(edited, DocumentRecord(field.target(value), value))
        assert field.item is not None
        position = len(value) - 1 - (value[::-1].index(item) if item in value else 0)  # of twins, the last is new
        record = DocumentRecord(field.item.target(value[position]), value[position], position)
        return changed_inside(edited, record)

    # -- updating

    async def update(
        self,
        path: Path,
        values: Map[str, Any],
        context: Any,
        *,
        merge: bool = False,
        precondition: Precondition | None = None,
        expected: Record | None = None,
    ) -> Changed:
        codec = self._registry.of(path.last.shape.model)

        async def stored() -> Document:
            found = (await self._reader.locate(path.steps, context)).subdocument
            return Document(found.codec.shape, found.codec.to_value(found.raw))

        if any(_unknown(codec, values)):  # only what is stored tells which subclass has them
            codec = (await self._reader.locate(path.steps, context)).subdocument.codec
            _require_declared(codec, values)
        await self._check_references(codec, values, context, stored)
        ids, values = _split(codec, values)
        is_plain = precondition is None and expected is None and not ids
        if len(path.steps) == 1 and is_plain and _replaces(codec, values, merge=merge):
            done = await self._update_in_place(path.last, values, context)
            if done is not None:
                return done
        located = left_at = await self._reader.locate(path.steps, context)
        conditions = Conditions(precondition, expected)

        def make(raw: Raw) -> Edit:
            nonlocal left_at
            found = located.find_again(raw)
            located.require(conditions, found.record)
            _require_ids(found, ids)
            _require_declared(found.codec, values)
            after = merged(found.codec, found.raw, values, merge=merge)
            wanted, left_at = edits.replace(located, raw, after, whole=conditions != Conditions())
            return wanted

        edited = await edit(located, make)
        if not located.inner:
            return changed(*edited)
        before, after = located.ending(edited.before.raw), left_at.ending(edited.after.raw)
        return changed(before.record, after.record, edited)

    def preview(self, record: Record, values: Map[str, Any], *, merge: bool = False) -> Diff:
        assert isinstance(record, DocumentRecord)
        _, values = _split(record.codec, values)
        _require_declared(record.codec, values)
        after = merged(record.codec, record.raw, values, merge=merge)
        return diff(record.codec, record.raw, after, by_item=not record.codec.embedded)

    async def _update_in_place(self, step: Step, values: Map[str, Any], context: Any) -> Changed | None:
        documents = self._documents
        assert step.shape.url_id is not None
        query = await documents.query(step.shape.url_id, step.key, context)
        done = await documents.put(query, InPlace(documents.codec, values))
        if done is None:
            return None
        before, after = done
        return changed(DocumentRecord(documents.codec, before), DocumentRecord(documents.codec, after))

    # -- deleting

    async def delete(
        self,
        path: Path,
        context: Any,
        *,
        precondition: Precondition | None = None,
        expected: Record | None = None,
    ) -> Written:
        step = path.last
        if len(path.steps) == 1 and precondition is None and expected is None and self._deletes_in_place():
            return await self._delete_in_place(step, context)
        conditions = Conditions(precondition, expected)
        if step.field is None:
            return await delete_document(await self._reader.locate(path.steps, context), conditions)
        if step.is_reference:
            return await self._unlink(path, context, conditions)
        located = await self._reader.locate(path.steps, context)
        edited = await edit(located, edits.remove(located, conditions))
        return changed_inside(edited, located.ending(edited.before.raw).record)

    def _deletes_in_place(self) -> bool:
        """Whether a delete needs to know nothing of what is stored: then it is one round trip."""
        codec = self._registry.root
        return not codec.inherits and not orm_writes.deletes_itself(codec)

    async def _delete_in_place(self, step: Step, context: Any) -> Written:
        documents = self._documents
        assert step.shape.url_id is not None
        query = await documents.query(step.shape.url_id, step.key, context)
        gone = await (await documents.collection()).delete(query)
        if gone is None:
            raise NotFound()
        return deleted(DocumentRecord(documents.codec, gone))

    # -- linking

    async def link(self, path: Path, keys: Sequence[Any], context: Any) -> list[Written]:
        step = path.last
        assert step.shape.pk is not None
        target = self._registry.of(step.shape.model)
        named = {_name(step): list(keys) if step.is_list else keys[0]}
        await self._check_references(self._registry.of(_owner(path)), named, context)
        documents = self._reader.documents(target)
        # Read before the write: nothing may fail between a write and the news of it.
        linked = await asyncio.gather(*(documents.find(step.shape.pk, key, context) for key in keys))
        located = await self._reader.locate(path.steps[:-1], context)
        field = located.subdocument.codec.fields[_name(step)]
        stored = [(field.item or field).to_bson(key) for key in keys]
        if step.is_list:
            alter = edits.add_links(stored)
        else:
            alter = edits.attach(stored[0], await self._reader.dangling(located, step))
        edited = await edit(located, edits.at(located, _name(step), alter))
        new = _new_links(located, edited, _name(step), keys, stored)
        records = [DocumentRecord(target, raw) for key, (raw, _) in zip(keys, linked, strict=True) if key in new]
        return [changed_inside(edited, record, "linked") for record in records]

    async def _unlink(self, path: Path, context: Any, conditions: Conditions) -> Written:
        step = path.last
        located = await self._reader.locate(path.steps[:-1], context)
        target = await self._reader.linked(located, step, context)
        located.require(conditions, target.record)
        single = step.field is not None and not step.field.is_list
        alter = edits.unset() if single else edits.pull_link(target.raw["_id"])
        edited = await edit(located, edits.at(located, _name(step), alter))
        return changed_inside(edited, target.record, "unlinked")


def _name(step: Step) -> str:
    assert step.field is not None
    return step.field.name


def _split(codec: DocumentCodec, values: Map[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ids among values, and the rest."""
    names = {each.name for each in (codec.shape.pk, codec.shape.url_id) if each is not None}
    ids = {name: value for name, value in values.items() if name in names}
    return ids, {name: value for name, value in values.items() if name not in names}


def _require_ids(subdocument: Subdocument, ids: Map[str, Any]) -> None:
    own = subdocument.codec.to_value(subdocument.raw) if ids else {}
    wrong = [name for name, value in ids.items() if own[name] != value]
    if wrong:
        raise Invalid({name: ["This field cannot change."] for name in wrong})


def _unknown(codec: DocumentCodec, values: Map[str, Any]) -> Iterator[str]:
    """The names of values that documents of the class may not hold."""
    return (name for name in values if name not in codec.fields and codec.shape.undeclared(name) is None)


def _require_declared(codec: DocumentCodec, values: Map[str, Any]) -> None:
    """Refuse fields that other subclasses declare, but not the one of which the stored document is."""
    unknown = {name: [UNKNOWN] for name in _unknown(codec, values)}
    if unknown:
        raise Invalid(unknown)


def _owner(path: Path) -> Any:
    return path.steps[-2].shape.model


def _replaces(codec: DocumentCodec, values: Map[str, Any], *, merge: bool) -> bool:
    """Whether values can be stored without knowing what is stored: then it is one round trip."""
    return not codec.inherits and not orm_writes.saves_itself(codec) and codec.replaces(values, merge=merge)


def _new_links(
    located: Located, edited: Edited[DocumentRecord], name: str, keys: Sequence[Any], stored: Sequence[Any]
) -> Sequence[Any]:
    subdocument = located.ending(edited.before.raw)
    field = subdocument.codec.fields[name]
    known = linked_keys(subdocument.raw.get(field.stored))
    return [key for key, reference in zip(keys, stored, strict=True) if reference_key(reference) not in known]
