"""The provider for MongoEngine documents: each verb a location, an edit, and what it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as Map
from typing import Any

import mongoengine as me

from bzz.change import Diff
from bzz.errors import ConfigurationError, Invalid, NotFound, PreconditionFailed
from bzz.providers.base import (
    Changed,
    ListQuery,
    Options,
    Page,
    Path,
    Precondition,
    Record,
    Step,
    Written,
)
from bzz.providers.mongoengine import embedded, hooked, in_place, internals, written
from bzz.providers.mongoengine.changes import assignments
from bzz.providers.mongoengine.client import check_database
from bzz.providers.mongoengine.codecs import forms
from bzz.providers.mongoengine.codecs.diff import diff
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.forms import merged
from bzz.providers.mongoengine.codecs.references import reference_key
from bzz.providers.mongoengine.codecs.refusals import refusals
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.deletion import delete_document
from bzz.providers.mongoengine.documents import Documents
from bzz.providers.mongoengine.editing import Edit, Edited, edit, require_expected
from bzz.providers.mongoengine.live import LiveDocuments
from bzz.providers.mongoengine.location import Location, Spot, linked_keys
from bzz.providers.mongoengine.overrides import check_signatures
from bzz.providers.mongoengine.public_ids import PublicIds
from bzz.providers.mongoengine.raw import Raw, applied
from bzz.providers.mongoengine.reading import Reading
from bzz.providers.mongoengine.record import StoredRecord, represent, shape_of, state_of
from bzz.providers.mongoengine.references import check_references
from bzz.providers.mongoengine.sorting import moved
from bzz.shape import Shape
from bzz.shape.documents import TAG, UNKNOWN

__all__ = ["MongoEngineProvider"]


class MongoEngineProvider(LiveDocuments):
    """Serves a :class:`mongoengine.Document` and everything nested in it."""

    def __init__(self, model: type, options: Options) -> None:
        if not issubclass(model, me.Document) or internals.is_abstract(model):
            raise ConfigurationError(f"{model!r} is no concrete mongoengine.Document")
        if options.database is not None:
            check_database(options.database)
        registry = Registry(model, options.hidden, options.read_only)
        for each in registry.reachable:
            check_signatures(each)
        self._reading = Reading(registry, options.database)
        self._schema = registry
        self.shape = registry.root.shape
        self._public_ids = PublicIds(self._reading)

    def check(self, shape: Shape, values: Map[str, Any]) -> Map[str, Sequence[str]]:
        return refusals(self._schema.of(shape.model), values)

    # -- reading

    async def get(self, path: Path, context: Any) -> Record:
        return await self._reading.get(path, context)

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        if self.has_public_ids(path.last.shape):
            query = await self._public_ids.resolve_filters(query, context)
        return await self._reading.page(path, query, context)

    async def represent(self, items: Sequence[Any]) -> list[Any]:
        return await represent(self._schema.root, items)

    # -- public ids

    def has_public_ids(self, shape: Shape) -> bool:
        return shape.model in self._schema.with_public_ids

    async def resolve_public_ids(self, shape: Shape, data: dict[str, Any], context: Any) -> None:
        await self._public_ids.resolve(shape, data, context)

    async def show_public_ids(self, items: Sequence[Any], shown: Sequence[Any], context: Any) -> None:
        shapes = [each if isinstance(each, Shape) else shape_of(self._schema.root, each) for each in items]
        await self._public_ids.show(shapes, shown, context)

    # -- creating

    async def create(self, path: Path, values: Map[str, Any], context: Any) -> Written:
        codec = self._schema.of(path.last.shape.model)
        if TAG in values:
            codec = self._schema.named(values[TAG])
            values = {name: value for name, value in values.items() if name != TAG}
        await check_references(codec, values, self._reading.documents, context)
        if path.last.field is None:
            return await self._insert(self._reading.documents(codec), values)
        return await self._attach(path, forms.new(codec, values), context)

    async def _insert(self, documents: Documents, values: Map[str, Any]) -> Written:
        codec = documents.codec
        if hooked.saves_itself(codec):
            stored = await hooked.create(documents, forms.given(codec, values))
        else:
            stored = await documents.insert(forms.new(codec, values))
        return written.created(self._schema.root, stored)

    async def _attach(self, path: Path, item: Raw, context: Any) -> Written:
        location = await self._reading.locate(path.steps[:-1], context)
        item = location.documents.as_stored(item, await location.documents.collection())
        alter = embedded.push(item) if path.last.is_list else embedded.attach(item)
        edited = await edit(location, embedded.at(location, _name(path.last), alter))
        spot = location.ending(edited.after)
        field = spot.codec.fields[_name(path.last)]
        value = spot.raw[field.stored]
        if not isinstance(value, list):
            return written.inside(location, edited, StoredRecord(field.target(value), value))
        assert field.item is not None
        position = len(value) - 1 - (value[::-1].index(item) if item in value else 0)  # of twins, the last is new
        record = StoredRecord(field.item.target(value[position]), value[position], position)
        return written.inside(location, edited, record)

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
        codec = self._schema.of(path.last.shape.model)

        async def stored() -> Raw:
            return (await self._reading.locate(path.steps, context)).spot.raw

        if any(_unknown(codec, values)):  # only what is stored tells which subclass has them
            codec = (await self._reading.locate(path.steps, context)).spot.codec
            _require_declared(codec, values)
        await check_references(codec, values, self._reading.documents, context, stored)
        ids, values = _split(codec, values)
        conditional = precondition is not None or expected is not None
        if len(path.steps) == 1 and not conditional and not ids and in_place.can_update(codec, values, merge=merge):
            done = await self._update_in_place(path.last, values, context)
            if done is not None:
                return done
        location = await self._reading.locate(path.steps, context)
        left_at = location

        def make(raw: Raw) -> Edit:
            nonlocal left_at
            spot = location.find_again(raw)
            if precondition is not None and not precondition(state_of(spot.codec, spot.raw)):
                raise PreconditionFailed()
            require_expected(location, spot.raw, expected)
            _require_ids(spot, ids)
            _require_declared(spot.codec, values)
            after = merged(spot.codec, spot.raw, values, merge=merge)
            move = moved(location, raw, after)
            left_at = location if move is None else location.at_position(move.position)
            return _edit_of(location, raw, spot, after, whole=conditional) if move is None else move.edit

        edited = await edit(location, make)
        return written.changed_at(location, edited, left_at)

    def preview(self, record: Record, values: Map[str, Any], *, merge: bool = False) -> Diff:
        assert isinstance(record, StoredRecord)
        _, values = _split(record.codec, values)
        _require_declared(record.codec, values)
        after = merged(record.codec, record.raw, values, merge=merge)
        return diff(record.codec, record.raw, after, by_item=not record.codec.embedded)

    async def _update_in_place(self, step: Step, values: Map[str, Any], context: Any) -> Changed | None:
        documents = self._reading.documents(self._schema.root)
        assert step.shape.url_id is not None
        query = await documents.query(step.shape.url_id, step.key, context)
        return await in_place.update(documents, query, values)

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
        if len(path.steps) == 1 and precondition is None and expected is None and self._deletes_blind():
            return await self._delete_blind(step, context)
        if step.field is None:
            location = await self._reading.locate(path.steps, context)
            return await delete_document(location, precondition, expected)
        if step.is_reference:
            return await self._unlink(path, context, precondition, expected)
        location = await self._reading.locate(path.steps, context)
        remove = embedded.remove(location, precondition)

        def make(raw: Raw) -> Edit:
            wanted = remove(raw)
            require_expected(location, location.find_again(raw).raw, expected)
            return wanted

        edited = await edit(location, make)
        gone = location.ending(edited.before)
        return written.inside(location, edited, StoredRecord(gone.codec, gone.raw))

    def _deletes_blind(self) -> bool:
        """Whether a delete needs to know nothing of what is stored: then it is one round trip."""
        codec = self._schema.root
        return not codec.inherits and not hooked.deletes_itself(codec)

    async def _delete_blind(self, step: Step, context: Any) -> Written:
        documents = self._reading.documents(self._schema.root)
        assert step.shape.url_id is not None
        query = await documents.query(step.shape.url_id, step.key, context)
        gone = await (await documents.collection()).delete(query)
        if gone is None:
            raise NotFound()
        return written.deleted(documents.codec, gone)

    # -- linking

    async def link(self, path: Path, keys: Sequence[Any], context: Any) -> list[Written]:
        step = path.last
        assert step.shape.pk is not None
        target = self._schema.of(step.shape.model)
        named = {_name(step): list(keys) if step.is_list else keys[0]}
        await check_references(self._schema.of(_owner(path)), named, self._reading.documents, context)
        documents = self._reading.documents(target)
        # Read before the write: nothing may fail between a write and the news of it.
        linked = await asyncio.gather(*(documents.find(step.shape.pk, key, context) for key in keys))
        location = await self._reading.locate(path.steps[:-1], context)
        field = location.spot.codec.fields[_name(step)]
        stored = [(field.item or field).to_bson(key) for key in keys]
        if step.is_list:
            alter = embedded.add_links(stored)
        else:
            alter = embedded.attach(stored[0], await self._reading.dangling(location, step))
        edited = await edit(location, embedded.at(location, _name(step), alter))
        new = _new_links(location, edited, _name(step), keys, stored)
        records = [StoredRecord(target, raw) for key, (raw, _) in zip(keys, linked, strict=True) if key in new]
        return [written.inside(location, edited, record, "linked") for record in records]

    async def _unlink(
        self, path: Path, context: Any, precondition: Precondition | None, expected: Record | None
    ) -> Written:
        step = path.last
        location = await self._reading.locate(path.steps[:-1], context)
        target = await self._reading.linked(location, step, context)
        if precondition is not None and not precondition(state_of(target.codec, target.raw)):
            raise PreconditionFailed()
        require_expected(location, target.raw, expected)
        single = step.field is not None and not step.field.is_list
        alter = embedded.unset() if single else embedded.pull_link(target.raw["_id"])
        edited = await edit(location, embedded.at(location, _name(step), alter))
        return written.inside(location, edited, StoredRecord(target.codec, target.raw), "unlinked")


def _name(step: Step) -> str:
    assert step.field is not None
    return step.field.name


def _split(codec: DocumentCodec, values: Map[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ids among values, and the rest."""
    names = {each.name for each in (codec.shape.pk, codec.shape.url_id) if each is not None}
    ids = {name: value for name, value in values.items() if name in names}
    return ids, {name: value for name, value in values.items() if name not in names}


def _require_ids(spot: Spot, ids: Map[str, Any]) -> None:
    own = spot.codec.to_value(spot.raw) if ids else {}
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


def _edit_of(location: Location, raw: Raw, spot: Spot, after: Raw, *, whole: bool) -> Edit:
    """The edit that leaves ``after`` in the place of one (embedded) document.

    :param whole: whether it rests on the whole of it, and not only on what is changed.
    """
    change = assignments(spot.raw, after)
    placed = {operator: {spot.below(key): value for key, value in keys.items()} for operator, keys in change.items()}
    item = location.last_item(raw)
    if item is not None:
        rests_on: Collection[str] | None = [*location.identities(raw), item.where]
    elif whole:
        rests_on = None
    else:
        rests_on = {key.partition(".")[0] for keys in placed.values() for key in keys}
    return Edit(lambda root: applied(root, placed), placed, rests_on)


def _new_links(
    location: Location, edited: Edited, name: str, keys: Sequence[Any], stored: Sequence[Any]
) -> Sequence[Any]:
    spot = location.ending(edited.before)
    field = spot.codec.fields[name]
    known = linked_keys(spot.raw.get(field.stored))
    return [key for key, reference in zip(keys, stored, strict=True) if reference_key(reference) not in known]
