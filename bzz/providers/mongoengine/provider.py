"""The provider for MongoEngine documents: what each verb of the seam asks of which module.

How documents are found, read and written is not known here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping as Map
from collections.abc import Sequence
from typing import Any

import mongoengine as me

from bzz.change import Diff
from bzz.errors import BadRequest, ConfigurationError, NotFound
from bzz.providers import hidden
from bzz.providers.base import (
    ONE_BY_ONE,
    Changed,
    Options,
    Path,
    Precondition,
    Record,
    Step,
    Written,
)
from bzz.providers.compare_and_set import Conditions
from bzz.providers.mongoengine import bulk, edits, internals, nested, orm_writes
from bzz.providers.mongoengine.chosen_keys import ChosenKeys
from bzz.providers.mongoengine.client import check_database
from bzz.providers.mongoengine.codecs import forms
from bzz.providers.mongoengine.codecs.classes import named_class
from bzz.providers.mongoengine.codecs.diff import diff
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.forms import merged
from bzz.providers.mongoengine.codecs.refusals import check_references_of, refusals
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.codecs.rights import check_denials
from bzz.providers.mongoengine.conditional_writes import Edit, delete_document, edit
from bzz.providers.mongoengine.document_reads import DocumentReads
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.path_reader import PathReader
from bzz.providers.mongoengine.querysets import check_hooks
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import DocumentRecord, shape_of
from bzz.providers.mongoengine.scoping import touches
from bzz.providers.mongoengine.updates import InPlace
from bzz.providers.public_ids import Identity, PublicIds
from bzz.providers.records import changed, created, deleted
from bzz.providers.value_checks import (
    Document,
    Stored,
    require_declared,
    require_ids,
    split_ids,
    undeclared,
)
from bzz.shape import Field, Shape
from bzz.shape.documents import TAG

__all__ = ["MongoEngineProvider"]

logger = logging.getLogger("bzz.providers.mongoengine")


class MongoEngineProvider(ChosenKeys, DocumentReads):
    """Serves a :class:`mongoengine.Document` and everything nested in it."""

    keeps_rules = True

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
        options = self._options
        registry = Registry(self._model, options.hidden, options.read_only, options.restrictions)
        for each in registry.reachable:
            check_hooks(each)
            orm_writes.check_save(each)
        self._reader = PathReader(registry, options.database, options.scope)
        self._documents = self._reader.documents(registry.root)
        self._registry = registry

    def check_denials(self) -> None:
        check_denials(self._model)

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

    def has_public_ids(self, shape: Shape) -> bool:
        return shape.model in self._registry.with_public_ids

    async def resolve_public_ids(self, shape: Shape, data: dict[str, Any], context: Any) -> None:
        await self._public_ids.resolve(shape, data, context)

    async def render_public_ids(self, items: Sequence[Any], shown: Sequence[Any], context: Any) -> None:
        shapes = [each if isinstance(each, Shape) else shape_of(self._registry.root, each) for each in items]
        await self._public_ids.show(shapes, shown, context)

    async def _find_identities(self, shape: Shape, field: Field, keys: Sequence[Any], context: Any) -> list[Identity]:
        return await self._reader.of(shape).identities(field, keys, context)

    async def _check_references(
        self, codec: DocumentCodec, values: Map[str, Any], context: Any, stored: Stored | None = None
    ) -> None:
        if codec.refers:
            await check_references_of(codec, values, self._reader.missing_for(context), stored)

    # -- creating

    async def create(self, path: Path, values: Map[str, Any], context: Any) -> Written:
        is_root = path.last.field is None
        codec = self._registry.root if is_root else self._registry.of(path.last.shape.model)
        if TAG in values:
            codec = named_class(codec, values)
        await self._check_references(codec, values, context)
        if is_root:
            is_own = codec is self._registry.root
            return await self._insert(self._documents if is_own else self._reader.documents(codec), values, context)
        return await nested.attach(self._reader, path, forms.new(codec, values), context)

    async def create_many(
        self, path: Path, values: Sequence[Map[str, Any]], context: Any, *, all_or_none: bool
    ) -> list[Written | Exception]:
        codec = self._registry.of(path.last.shape.model)
        rows = bulk.rows(codec, values, self._reader.missing_for(context))
        if not any(orm_writes.saves_itself(row.codec) for row in rows if isinstance(row, bulk.Row)):
            return await bulk.insert(self._documents, rows, context, all_or_none=all_or_none)
        if all_or_none:
            raise BadRequest(f"{self.shape.name} is saved by code of its own, one by one. {ONE_BY_ONE}")
        return await super().create_many(path, values, context, all_or_none=False)

    async def _insert(self, documents: DocumentStore, values: Map[str, Any], context: Any) -> Written:
        codec, is_orm = documents.codec, orm_writes.saves_itself(documents.codec)
        made = forms.new(codec, values) if documents.scoping.is_declared or not is_orm else {}
        if documents.scoping.is_declared:
            await documents.scoping.require(await documents.collection(), made, context)
        given = orm_writes.create(documents, forms.given(codec, values)) if is_orm else documents.insert(made)
        stored = await given
        return created(DocumentRecord(self._registry.root, stored))

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
        is_root = len(path.steps) == 1
        codec = self._registry.root if is_root else self._registry.of(path.last.shape.model)

        async def stored() -> Document:
            found = (await self._reader.locate(path.steps, context)).subdocument
            return Document(found.codec.shape, found.codec.to_value(found.raw))

        if not values.keys() <= codec.shape.fields.keys() and undeclared(codec.shape, values):
            # Only what is stored tells which subclass has them.
            codec = (await self._reader.locate(path.steps, context)).subdocument.codec
            require_declared(codec.shape, values)
        await self._check_references(codec, values, context, stored)
        ids: Map[str, Any] = {}
        if not codec.shape.ids.isdisjoint(values):
            ids, values = split_ids(codec.shape, values)
        if is_root and precondition is None and expected is None and not ids:
            done = await self._update_in_place(path.last, values, context, merge=merge)
            if done is not None:
                return done
        located = left_at = await self._reader.locate(path.steps, context)
        conditions = Conditions(precondition, expected)

        def make(raw: Raw) -> Edit:
            nonlocal left_at
            found = located.find_again(raw)
            located.require(conditions, found.record)
            require_ids(ids, found.codec.to_value(found.raw) if ids else {})
            after = merged(found.codec, found.raw, values, merge=merge)
            wanted, left_at = edits.replace(located, raw, after, whole=conditions != Conditions())
            return wanted

        edited = await edit(located, make)
        if not located.inner:
            return changed(*edited)
        before, after = located.ending(edited.before.raw), left_at.ending(edited.after.raw)
        return changed(before.record, after.record, edited)

    def appends(self, shape: Shape, name: str) -> bool:
        return self._registry.of(shape.model).fields[name].takes_appended

    def preview(self, record: Record, values: Map[str, Any], *, merge: bool = False) -> Diff:
        assert isinstance(record, DocumentRecord)
        _, values = split_ids(record.codec.shape, values)
        after = merged(record.codec, record.raw, values, merge=merge)
        return diff(record.codec, record.raw, after, by_item=not record.codec.embedded)

    async def _update_in_place(self, step: Step, values: Map[str, Any], context: Any, *, merge: bool) -> Changed | None:
        """Update a document in one round trip; None if the values rest on what is stored, or nothing is there."""
        documents, codec = self._documents, self._documents.codec
        if codec.inherits or orm_writes.saves_itself(codec) or not codec.replaces(values, merge=merge):
            return None
        assert step.shape.url_id is not None
        wanted = InPlace(codec, values)
        scope = await documents.scope(context)
        if scope is not None and touches(scope, wanted.keys):
            return None
        query = await documents.query(step.shape.url_id, step.key, context)
        done = await documents.put(query, wanted)
        if done is None:
            return None
        before, after = done
        return changed(DocumentRecord(codec, before), DocumentRecord(codec, after))

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
            return await nested.unlink(self._reader, path, conditions, context)
        return await nested.remove(self._reader, path, conditions, context)

    def _deletes_in_place(self) -> bool:
        """Return whether a delete needs to know nothing of what is stored: then it is one round trip."""
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
        assert step.field is not None
        named = {step.field.name: list(keys) if step.is_list else keys[0]}
        await self._check_references(await self._owner(path, context), named, context)
        return await nested.link(self._reader, path, keys, context)

    async def _owner(self, path: Path, context: Any) -> DocumentCodec:
        """Return the codec of the class that has the field at the end of a path.

        What is stored tells it, if only subclasses have it.

        :raises bzz.errors.NotFound: if the stored document has no such field.
        """
        codec = self._registry.of(path.steps[-2].shape.model)
        assert path.last.field is not None
        if path.last.field.name in codec.fields:
            return codec
        found = (await self._reader.locate(path.steps[:-1], context)).subdocument
        found.field(path.last)
        return found.codec
