"""Providers with one fault each, and which tests of the contract have to find it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bzz.change import Diff
from bzz.errors import NotFound
from bzz.providers.asked import filters_in, with_filters
from bzz.providers.base import (
    Appended,
    Changed,
    Condition,
    Filter,
    ListQuery,
    Not,
    Options,
    Page,
    Path,
    Provider,
    Written,
)
from bzz.providers.mongoengine.provider import MongoEngineProvider
from bzz.shape import Shape
from bzz.shape.documents import TAG, NamedDocument

__all__ = ["FAULTS", "Fault"]


class ReportsNoChanges(MongoEngineProvider):
    """Updates, and reports that nothing has changed."""

    async def update(self, *args: Any, **kwargs: Any) -> Changed:
        changed = await super().update(*args, **kwargs)
        return Changed(record=changed.record, tell=changed.tell, compare=dict, holder=changed.holder)


class ComparesWithAnEarlierRead(MongoEngineProvider):
    """Compares with what it read before the write, and not with what the write replaced."""

    async def update(self, path: Path, values: Mapping[str, Any], context: Any, **kwargs: Any) -> Changed:
        before = await self.get(path, context)
        changed = await super().update(path, values, context, **kwargs)

        def compare() -> Diff:
            return self.preview(before, values)

        return Changed(record=changed.record, tell=changed.tell, compare=compare, holder=changed.holder)


class IgnoresExpected(MongoEngineProvider):
    """Writes whatever is stored."""

    async def update(self, *args: Any, expected: Any = None, **kwargs: Any) -> Changed:
        return await super().update(*args, **kwargs)

    async def delete(self, *args: Any, expected: Any = None, **kwargs: Any) -> Written:
        return await super().delete(*args, **kwargs)


class ChecksBeforeTheWrite(MongoEngineProvider):
    """Asks a precondition first and writes then, so that somebody else may be in between."""

    async def update(
        self, path: Path, values: Any, context: Any, *, precondition: Any = None, **kwargs: Any
    ) -> Changed:
        if precondition is not None:
            await super().update(path, {}, context, precondition=precondition)
        return await super().update(path, values, context, **kwargs)


class AppendsToWhatItRead(MongoEngineProvider):
    """Writes the whole list, as it was read, with the new items at its end."""

    async def update(self, path: Path, values: Mapping[str, Any], context: Any, **kwargs: Any) -> Changed:
        if any(isinstance(each, Appended) for each in values.values()):
            (shown,) = await self.render([await self.get(path, context)])
            values = {
                name: [*(shown[name] or ()), *each] if isinstance(each, Appended) else each
                for name, each in values.items()
            }
        return await super().update(path, values, context, **kwargs)


class ShowsHidden(MongoEngineProvider):
    """Takes the option and hides nothing."""

    def __init__(self, model: type, options: Options) -> None:
        super().__init__(model, dataclasses.replace(options, hidden=()))


class TellsWhatIsWriteOnly(MongoEngineProvider):
    """Tells a diff with all values in it."""

    async def update(self, path: Path, values: Mapping[str, Any], context: Any, **kwargs: Any) -> Changed:
        before = (await self.get(path, context)).instance
        changed = await super().update(path, values, context, **kwargs)
        told = {
            name: {"from": getattr(before, name), "to": getattr(changed.record.instance, name)}
            for name in changed.updated_fields
        }
        return Changed(record=changed.record, tell=changed.tell, compare=lambda: told, holder=changed.holder)


class SkipsTies(MongoEngineProvider):
    """A cursor leads to the next value of the sort key, over all items that share the last one."""

    def __init__(self, model: type, options: Options) -> None:
        super().__init__(model, options)
        self._seen: dict[str | None, Any] = {}

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        page = await super().page(path, query, context)
        if not query.sort or "." in query.sort[0].path:
            return page
        name = query.sort[0].path
        if query.after is not None:
            passed = self._seen[query.after]
            page.records = [record for record in page.records if getattr(record.instance, name) != passed]
        if page.records:
            self._seen[page.next] = getattr(page.records[-1].instance, name)
        return page


class CountsThePage(MongoEngineProvider):
    """Counts what it shows, and not what matches."""

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        page = await super().page(path, query, context)
        return dataclasses.replace(page, total=len(page.records) if query.count else None)


class UnsetIsNothing(MongoEngineProvider):
    """Leaves out what is unset where a value is to differ, as SQL does."""

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        there = [
            Filter(each.path, (Condition(condition.field, "exists", True),))
            for each in filters_in(query.filters)
            for condition in each.any_of
            if condition.operator in ("ne", "nin")
        ]
        return await super().page(path, dataclasses.replace(query, filters=(*query.filters, *there)), context)


class NegatesWhatIsSet(MongoEngineProvider):
    """Leaves out what is unset where filters are negated, as SQL does."""

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        there = [
            Filter(inner.path, (Condition(inner.any_of[0].field, "exists", True),))
            for each in query.filters
            if isinstance(each, Not)
            for inner in filters_in((each,))
        ]
        return await super().page(path, dataclasses.replace(query, filters=(*query.filters, *there)), context)


class DeletesTwice(MongoEngineProvider):
    """Says of what is gone that it has deleted it."""

    gone: Written | None = None

    async def delete(self, *args: Any, **kwargs: Any) -> Written:
        try:
            self.gone = await super().delete(*args, **kwargs)
        except NotFound:
            if self.gone is None:
                raise
        assert self.gone is not None
        return self.gone


class MergesShallowly(MongoEngineProvider):
    """Merges the outermost keys of a map, and replaces what is in them."""

    async def update(
        self, path: Path, values: Mapping[str, Any], context: Any, *, merge: bool = False, **kwargs: Any
    ) -> Changed:
        if merge:
            stored = (await self.get(path, context)).instance
            values = {name: self._merged(getattr(stored, name), value) for name, value in values.items()}
        return await super().update(path, values, context, **kwargs)

    def _merged(self, stored: Any, value: Any) -> Any:
        both = {**dict(stored or {}), **value} if isinstance(value, dict) else value
        return {key: each for key, each in both.items() if each is not None} if isinstance(both, dict) else both


class RewritesLists(MongoEngineProvider):
    """Attaches an item by reading the list and writing it back."""

    async def create(self, path: Path, values: Mapping[str, Any], context: Any) -> Written:
        if path.last.field is None or not path.last.is_list or path.last.shape.url_id is None:
            return await super().create(path, values, context)
        name, owner = path.last.field.name, Path(path.steps[:-1])
        items = [dict(each.to_mongo()) for each in getattr((await self.get(owner, context)).instance, name)]
        known = [{"key": each["_id"]} for each in items]
        changed = await self.update(owner, {name: [*known, values]}, context)
        return Written(record=changed.record, tell=changed.tell, holder=changed.record)


class LinksOneByOne(MongoEngineProvider):
    """Links what exists, until it comes to what does not."""

    async def link(self, path: Path, keys: Sequence[Any], context: Any) -> list[Written]:
        linked = [await super(LinksOneByOne, self).link(path, [key], context) for key in keys]
        return [written for each in linked for written in each]


class BlamesTheEnd(MongoEngineProvider):
    """Does not say which step of a path leads nowhere."""

    async def get(self, path: Path, context: Any) -> Any:
        try:
            return await super().get(path, context)
        except NotFound:
            raise NotFound() from None


class WritesFieldByField(MongoEngineProvider):
    """Writes one field after the other, until one is refused."""

    async def update(self, path: Path, values: Mapping[str, Any], context: Any, **kwargs: Any) -> Changed:
        changed = await super().update(path, {}, context, **kwargs)
        for name in sorted(values, reverse=True):
            changed = await super().update(path, {name: values[name]}, context)
        return changed


class KnowsNoSubclasses(MongoEngineProvider):
    """Describes the base alone."""

    @property
    def shape(self) -> Shape:  # type: ignore[override]  # which nobody sets
        return dataclasses.replace(super().shape, find_subclasses=dict)


class IgnoresTypes(MongoEngineProvider):
    """Creates a document of the base whatever the type, with what the base declares."""

    async def create(self, path: Path, values: Mapping[str, Any], context: Any) -> Written:
        known = {name: value for name, value in values.items() if name in path.last.shape.fields}
        return await super().create(path, known, context)


class LeavesOutForeignFields(MongoEngineProvider):
    """Writes what the stored class has, and says nothing of the rest."""

    async def update(self, path: Path, values: Mapping[str, Any], context: Any, **kwargs: Any) -> Changed:
        stored = self._registry.of(type((await self.get(path, context)).instance))
        known = {name: value for name, value in values.items() if name in stored.fields or name == TAG}
        return await super().update(path, known, context, **kwargs)


class IgnoresTypesInUpdates(MongoEngineProvider):
    """Takes any type for that of the stored document."""

    async def update(self, path: Path, values: Mapping[str, Any], context: Any, **kwargs: Any) -> Changed:
        rest = {name: value for name, value in values.items() if name != TAG}
        return await super().update(path, rest, context, **kwargs)


class IgnoresEmbeddedTypes(MongoEngineProvider):
    """Takes a type at the top only, and elsewhere what the base declares."""

    async def create(self, path: Path, values: Mapping[str, Any], context: Any) -> Written:
        return await super().create(path, {name: self._bare(value) for name, value in values.items()}, context)

    def _bare(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._bare(each) for each in value]
        known = ("key", "label")
        return {name: each for name, each in value.items() if name in known} if isinstance(value, dict) else value


class ResolvesNothing(MongoEngineProvider):
    """Takes every id in a body for a primary key."""

    async def resolve_public_ids(self, shape: Shape, data: dict[str, Any], context: Any) -> None:
        """Do nothing."""


class PrefersPrimaryKeys(MongoEngineProvider):
    """Takes a number for a primary key, though it may be a public id."""

    async def resolve_public_ids(self, shape: Shape, data: dict[str, Any], context: Any) -> None:
        keys = {name: value for name, value in data.items() if str(value).isdigit()}
        await super().resolve_public_ids(shape, data, context)
        data.update(keys)


class ShowsPrimaryKeys(MongoEngineProvider):
    """Shows references as they are stored."""

    async def render_public_ids(self, items: Sequence[Any], shown: Sequence[Any], context: Any) -> None:
        """Do nothing."""


class FindsNothingByPublicIds(MongoEngineProvider):
    """Takes a public id in a filter for one that no document has."""

    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        filters = with_filters(query.filters, lambda each: Filter(each.path, tuple(map(self._blind, each.any_of))))
        return await super().page(path, dataclasses.replace(query, filters=filters), context)

    def _blind(self, condition: Condition) -> Condition:
        is_named = isinstance(condition.value, NamedDocument)
        return dataclasses.replace(condition, operator="in", value=[]) if is_named else condition


class Fault(NamedTuple):
    """A faulty provider, and a test of the contract that finds it, with its parameters if one of them is enough."""

    provider: type[Provider]
    found_by: str

    @property
    def test(self) -> str:
        """The name of the test."""
        return self.found_by.partition("[")[0]


FAULTS = [
    Fault(ReportsNoChanges, "test_only_what_is_named_changes_and_is_reported"),
    Fault(ComparesWithAnEarlierRead, "test_the_changes_of_a_field_form_one_chain"),
    Fault(IgnoresExpected, "test_a_write_that_expects_something_else_is_stale_and_does_nothing"),
    Fault(ChecksBeforeTheWrite, "test_of_many_writes_on_one_condition_one_succeeds"),
    Fault(AppendsToWhatItRead, "test_all_that_many_writers_append_is_there"),
    Fault(ShowsHidden, "test_a_hidden_field_is_shown_by_nothing"),
    Fault(TellsWhatIsWriteOnly, "test_a_diff_names_a_write_only_field_and_masks_its_values"),
    Fault(SkipsTies, "test_cursors_lead_over_every_item_once_and_back[sort=age]"),
    Fault(CountsThePage, "test_all_matches_are_counted_where_a_count_is_asked_for"),
    Fault(NegatesWhatIsSet, "test_combined_filters_select_exactly_what_they_say"),
    Fault(UnsetIsNothing, "test_what_is_unset_differs_from_every_value"),
    Fault(DeletesTwice, "test_a_deleted_document_is_gone_and_the_others_stay"),
    Fault(MergesShallowly, "test_a_map_is_merged_by_rfc_7396"),
    Fault(RewritesLists, "test_attached_items_are_all_there"),
    Fault(LinksOneByOne, "test_all_are_linked_or_none"),
    Fault(BlamesTheEnd, "test_the_step_that_leads_nowhere_is_named"),
    Fault(WritesFieldByField, "test_what_the_model_refuses_is_named_and_nothing_is_written"),
    Fault(KnowsNoSubclasses, "test_the_shape_names_the_classes_below_it"),
    Fault(IgnoresTypes, "test_a_type_chooses_the_class_of_a_new_document"),
    Fault(LeavesOutForeignFields, "test_what_only_another_class_declares_is_refused_and_nothing_is_written"),
    Fault(IgnoresTypesInUpdates, "test_the_type_of_a_document_cannot_change"),
    Fault(IgnoresEmbeddedTypes, "test_types_are_taken_in_embedded_documents"),
    Fault(ResolvesNothing, "test_public_ids_in_a_body_become_primary_keys"),
    Fault(PrefersPrimaryKeys, "test_an_id_that_is_both_is_the_public_one"),
    Fault(ShowsPrimaryKeys, "test_references_are_shown_by_public_ids"),
    Fault(FindsNothingByPublicIds, "test_filters_name_documents_by_public_ids[sponsor=ann-bob]"),
]
