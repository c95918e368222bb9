"""Updates of documents: what changes, what is reported, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from bzz.change import storable
from bzz.errors import Conflict, Invalid
from bzz.providers.base import Unchanged
from bzz.testing.provider.client import Client
from bzz.testing.provider.creating import named
from bzz.testing.provider.suite import Suite, requires

__all__ = ["Updating"]


class Updating(Suite):
    """:meth:`Provider.update` and :meth:`Provider.preview` of whole documents."""

    async def test_only_what_is_named_changes_and_is_reported(self, people: Client) -> None:
        ann = await people.add(name="Ann", age=3, secret="x")
        changed = await people.update(ann, {"name": "Ann", "age": 4, "height": 1.5, "secret": None})
        change, stored = changed.change, await people.shown(ann)
        assert (change.kind, change.model, change.id) == ("updated", self.models.person, people.key(ann))
        assert (await people.show(changed.record), changed.holder) == (stored, None)
        assert (stored["name"], stored["age"], stored["height"], stored["secret"]) == ("Ann", 4, 1.5, None)
        diff = {"age": {"from": 3, "to": 4}, "height": {"from": None, "to": 1.5}, "secret": {"from": "x", "to": None}}
        assert changed.updated_fields == diff
        assert change.diff == diff

    @pytest.mark.parametrize("values", [{}, {"age": 3}, {"height": None}, {"name": "Ann", "age": 3}])
    async def test_what_changes_nothing_is_reported_as_nothing(self, people: Client, values: dict[str, Any]) -> None:
        ann = await people.add(name="Ann", age=3)
        before = await people.get(ann)
        changed = await people.update(ann, values)
        assert (changed.updated_fields, changed.change.diff) == ({}, {})
        assert changed.record.state == before.state == (await people.get(ann)).state

    async def test_an_id_may_come_back_and_cannot_change(self, people: Client) -> None:
        assert people.shape.pk is not None
        ann, bob = await people.add(name="Ann"), await people.add(name="Bob")
        await people.update(ann, {people.shape.pk.name: people.key(ann), "age": 4})
        with pytest.raises(Invalid) as caught:
            await people.update(ann, {people.shape.pk.name: people.key(bob), "age": 5})
        assert named(caught) == [people.shape.pk.name]
        assert (await people.shown(ann))["age"] == 4

    async def test_what_the_model_refuses_is_named_and_nothing_is_written(self, people: Client) -> None:
        ann = await people.add(name="Ann", age=3)
        before = await people.shown(ann)
        with pytest.raises(Invalid) as caught:
            await people.update(ann, {"name": None, "age": -1, "height": 2.5})
        assert named(caught) == ["age", "name"]
        assert await people.shown(ann) == before

    @requires("unique")
    async def test_a_unique_value_that_another_has_is_a_conflict(self, people: Client) -> None:
        await people.add(name="Ann")
        bob = await people.add(name="Bob", age=3)
        with pytest.raises(Conflict) as caught:
            await people.update(bob, {"name": "Ann", "age": 4})
        assert named(caught) == ["name"]
        assert (await people.shown(bob))["age"] == 3

    @requires("links")
    async def test_a_link_is_changed_to_what_exists(self, people: Client, teams: Client) -> None:
        ann, gone = await people.add(name="Ann"), await people.add(name="Bob")
        await people.delete(gone)
        await teams.add(code="red")
        changed = await teams.update("red", {"lead": people.key(ann), "members": [people.key(ann)]})
        assert changed.updated_fields["lead"] == {"from": None, "to": people.key(ann)}
        assert changed.updated_fields["members"]["to"] == [people.key(ann)]
        with pytest.raises(Invalid) as caught:
            await teams.update("red", {"lead": people.key(gone)})
        assert named(caught) == ["lead"]

    # -- values that hold others

    @requires("lists")
    async def test_a_list_is_replaced_and_reported_whole(self, people: Client) -> None:
        ann = await people.add(name="Ann", tags=["a", "b"])
        changed = await people.update(ann, {"tags": ["b"]})
        assert (await people.shown(ann))["tags"] == ["b"]
        assert changed.updated_fields == {"tags": {"from": ["a", "b"], "to": ["b"]}}

    @requires("embedded")
    async def test_an_embedded_document_comes_changes_and_goes_field_by_field(self, people: Client) -> None:
        ann = await people.add(name="Ann")
        came = await people.update(ann, {"home": {"city": "Rio"}})
        changed = await people.update(ann, {"home": {"zip": "2"}})
        assert (await people.shown(ann))["home"] == {"city": "Rio", "zip": "2"}
        went = await people.update(ann, {"home": None})
        assert (await people.shown(ann))["home"] is None
        assert came.updated_fields == {"home.city": {"from": None, "to": "Rio"}}
        assert changed.updated_fields == {"home.zip": {"from": None, "to": "2"}}
        assert went.updated_fields == {
            "home.city": {"from": "Rio", "to": None},
            "home.zip": {"from": "2", "to": None},
        }

    @requires("lists", "maps")
    async def test_a_list_and_a_map_that_are_unset_are_reported_as_none(self, people: Client) -> None:
        ann = await people.add(name="Ann", tags=["a"], extra={"a": 1})
        went = await people.update(ann, {"tags": None, "extra": None})
        shown = await people.shown(ann)
        came = await people.update(ann, {"tags": ["b"], "extra": {"b": 2}})
        assert (shown["tags"], shown["extra"]) == (None, None)
        assert went.updated_fields == {"tags": {"from": ["a"], "to": None}, "extra": {"from": {"a": 1}, "to": None}}
        assert came.updated_fields == {"tags": {"from": None, "to": ["b"]}, "extra": {"from": None, "to": {"b": 2}}}

    @requires("embedded")
    async def test_a_list_of_embedded_documents_is_written_whole(self, people: Client) -> None:
        ann = await people.add(name="Ann", notes=[{"key": "a", "text": "x"}, {"key": "b", "text": "y"}])
        changed = await people.update(ann, {"notes": [{"key": "a", "text": "x"}, {"key": "b", "text": "new"}]})
        assert changed.change.diff == {"notes.1.text": {"from": "y", "to": "new"}}
        moved = await people.update(ann, {"notes": [{"key": "b", "text": "new"}]})
        assert list(moved.change.diff or ()) == ["notes"]
        assert [each["key"] for each in (await people.shown(ann))["notes"]] == ["b"]

    @requires("maps")
    async def test_a_map_is_replaced_unless_it_is_merged(self, people: Client) -> None:
        ann = await people.add(name="Ann", extra={"a": 1, "b": {"c": [1, True, None, "x", 1.5]}})
        changed = await people.update(ann, {"extra": {"d": 2}})
        assert (await people.shown(ann))["extra"] == {"d": 2}
        assert storable(changed.updated_fields)["extra"]["from"] == {"a": 1, "b": {"c": [1, True, None, "x", 1.5]}}

    @requires("maps")
    @pytest.mark.parametrize(
        ("stored", "patch", "left"),
        [
            ({"a": 1, "b": 2}, {"b": 3, "c": 4}, {"a": 1, "b": 3, "c": 4}),
            ({"a": 1, "b": 2}, {"b": None, "c": None}, {"a": 1}),
            ({"a": {"b": 1, "c": 2}}, {"a": {"c": None, "d": [None]}}, {"a": {"b": 1, "d": [None]}}),
            ({"a": [1]}, {"a": {"b": 1, "c": None}}, {"a": {"b": 1}}),
            (None, {"a": 1, "b": None}, {"a": 1}),
        ],
    )
    async def test_a_map_is_merged_by_rfc_7396(self, people: Client, stored: Any, patch: Any, left: Any) -> None:
        ann = await people.add(name="Ann", extra=stored)
        await people.update(ann, {"extra": patch}, merge=True)
        assert (await people.shown(ann))["extra"] == left

    # -- values that came back, and previews

    async def test_an_unchanged_value_must_be_what_is_stored(self, people: Client) -> None:
        ann = await people.add(name="Ann", age=3)
        changed = await people.update(ann, {"age": Unchanged(3), "height": Unchanged(None), "name": "Eve"})
        assert list(changed.updated_fields) == ["name"]
        with pytest.raises(Invalid) as caught:
            await people.update(ann, {"age": Unchanged(4), "name": "Ivy"})
        assert named(caught) == ["age"]
        assert (await people.shown(ann))["name"] == "Eve"

    @requires("embedded")
    async def test_an_unchanged_value_is_compared_at_any_depth(self, people: Client) -> None:
        ann = await people.add(name="Ann", home={"city": "Rio", "zip": "1"}, notes=[{"key": "a", "text": "x"}])
        await people.update(ann, {"home": {"city": Unchanged("Rio")}, "notes": [{"key": "a", "text": Unchanged("x")}]})
        for values, name in (
            ({"home": {"city": Unchanged("Olinda")}}, "home.city"),
            ({"notes": [{"key": "a", "text": Unchanged("y")}]}, "notes.0.text"),
        ):
            with pytest.raises(Invalid) as caught:
                await people.update(ann, values)
            assert named(caught) == [name]

    async def test_a_preview_reports_and_refuses_as_an_update_does(self, people: Client) -> None:
        ann = await people.add(name="Ann", age=3)
        record, values = await people.get(ann), {"age": 4, "name": "Ann", "height": Unchanged(None)}
        preview = people.provider.preview(record, values)
        assert (await people.shown(ann))["age"] == 3
        assert preview == (await people.update(ann, values)).updated_fields == {"age": {"from": 3, "to": 4}}
        with pytest.raises(Invalid) as caught:
            people.provider.preview(record, {"age": -1})
        assert named(caught) == ["age"]
