"""Embedded documents attached, edited and removed at their own paths."""

from __future__ import annotations

from typing import Any

import pytest

from bzz.errors import Conflict, Invalid, NotFound
from bzz.testing.provider.client import Client
from bzz.testing.provider.creating import named
from bzz.testing.provider.reading import missing_step
from bzz.testing.provider.suite import Suite, requires

__all__ = ["Nesting"]


def notes(*keys: str) -> list[dict[str, Any]]:
    """Return notes with these keys, each with its key as text."""
    return [{"key": key, "text": key} for key in keys]


async def each_of(people: Client, where: str, field: str) -> list[Any]:
    """Return one field of each item of a list."""
    return [each[field] for each in await people.listed(where)]


@requires("embedded")
class Nesting(Suite):
    """:meth:`Provider.create`, :meth:`Provider.update` and :meth:`Provider.delete` below a document."""

    async def test_an_item_is_attached_at_the_end_and_reported(self, people: Client) -> None:
        ann = await people.add(name="Ann", notes=None)
        await people.create(f"{ann}/notes", {"key": "b"})
        written = await people.create(f"{ann}/notes", {"key": "a", "text": "new"})
        assert await each_of(people, f"{ann}/notes", "key") == ["b", "a"]
        assert (written.record.id, (await people.show(written.record))["text"]) == ("a", "new")
        assert written.holder is not None
        assert (written.holder.id, written.change.id) == (ann, people.key(ann))
        assert (written.change.kind, written.change.model) == ("updated", self.models.person)
        assert list(written.change.diff or ()) == ["notes"]

    async def test_an_id_that_is_there_already_is_a_conflict(self, people: Client) -> None:
        ann = await people.add(name="Ann", notes=notes("a"))
        with pytest.raises(Conflict):
            await people.create(f"{ann}/notes", {"key": "a", "text": "new"})
        assert await each_of(people, f"{ann}/notes", "text") == ["a"]

    async def test_a_single_property_is_filled_once_and_emptied_once(self, people: Client) -> None:
        ann = await people.add(name="Ann")
        filled = await people.create(f"{ann}/home", {"city": "Rio"})
        with pytest.raises(Conflict):
            await people.create(f"{ann}/home", {"city": "Olinda"})
        emptied = await people.delete(f"{ann}/home")
        with pytest.raises(NotFound):
            await people.delete(f"{ann}/home")
        assert (filled.record.id, filled.change.diff) == (None, {"home.city": {"from": None, "to": "Rio"}})
        assert emptied.change.diff == {"home.city": {"from": "Rio", "to": None}}
        assert (await people.shown(ann))["home"] is None

    async def test_what_the_model_refuses_is_named_and_not_written(self, people: Client) -> None:
        ann, bob = await people.add(name="Ann"), await people.add(name="Bob", home={"city": "Rio"})
        refused: list[tuple[Any, str, dict[str, Any], str]] = [
            (people.create, ann, {"city": "Rio", "zip": "123456"}, "zip"),
            (people.create, ann, {}, "city"),
            (people.update, bob, {"zip": "123456"}, "zip"),
            (people.update, bob, {"city": None}, "city"),
        ]
        for verb, whose, values, name in refused:
            with pytest.raises(Invalid) as caught:
                await verb(f"{whose}/home", values)
            assert named(caught) == [name]
        assert [each["home"] for each in await people.listed("", "sort=name")] == [None, {"city": "Rio", "zip": None}]

    async def test_nothing_is_found_below_what_is_missing(self, people: Client) -> None:
        gone = await people.add(name="Ann", notes=notes("a"))
        await people.delete(gone)
        for verb in (
            lambda: people.page(f"{gone}/notes"),
            lambda: people.create(f"{gone}/notes", {"key": "b"}),
            lambda: people.update(f"{gone}/notes/a", {"text": "new"}),
            lambda: people.delete(f"{gone}/notes/a"),
        ):
            with pytest.raises(NotFound):
                await verb()
        assert await people.listed("") == []

    async def test_an_item_is_edited_in_its_place_and_keeps_its_id(self, people: Client) -> None:
        ann = await people.add(name="Ann", notes=notes("a", "b", "c"))
        changed = await people.update(f"{ann}/notes/b", {"key": "b", "text": "new"})
        assert await each_of(people, f"{ann}/notes", "text") == ["a", "new", "c"]
        assert (await people.show(changed.record))["text"] == "new"
        assert changed.updated_fields == {"text": {"from": "b", "to": "new"}}
        with pytest.raises(Invalid):
            await people.update(f"{ann}/notes/a", {"key": "z"})

    async def test_an_edit_inside_is_a_change_of_the_root_reported_by_item(self, people: Client) -> None:
        ann = await people.add(name="Ann", notes=notes("a", "b"), home={"city": "Rio"})
        note = await people.update(f"{ann}/notes/b", {"text": "new"})
        home = await people.update(f"{ann}/home", {"zip": "53000"})
        assert [each.holder and each.holder.id for each in (note, home)] == [ann, ann]
        assert (note.change.model, note.change.id) == (self.models.person, people.key(ann))
        assert note.change.diff == {"notes.1.text": {"from": "b", "to": "new"}}
        assert home.change.diff == {"home.zip": {"from": None, "to": "53000"}}

    @requires("links")
    async def test_an_edit_through_a_link_is_one_of_the_document_there(self, people: Client, teams: Client) -> None:
        ann = await people.add(name="Ann", notes=notes("a"))
        await teams.add(code="red", lead=people.key(ann))
        for changed in (
            await teams.update("red/lead", {"age": 7}),
            await teams.update("red/lead/notes/a", {"text": "new"}),
        ):
            assert (changed.change.model, changed.change.id) == (self.models.person, people.key(ann))
        stored = await people.shown(ann)
        assert (stored["age"], stored["notes"][0]["text"]) == (7, "new")

    async def test_an_item_is_removed_once_and_its_neighbours_stay(self, people: Client) -> None:
        ann = await people.add(name="Ann", notes=notes("a", "b", "c"))
        written = await people.delete(f"{ann}/notes/b")
        assert await each_of(people, f"{ann}/notes", "key") == ["a", "c"]
        assert (await people.show(written.record))["text"] == "b"
        assert (written.change.kind, list(written.change.diff or ())) == ("updated", ["notes"])
        with pytest.raises(NotFound):
            await people.delete(f"{ann}/notes/b")

    # -- positions

    @requires("positions")
    async def test_the_item_at_a_position_is_attached_edited_and_removed_alone(self, people: Client) -> None:
        ann = await people.add(name="Ann", phones=[{"label": each} for each in "ab"])
        attached = await people.create(f"{ann}/phones", {"label": "a"})
        edited = await people.update(f"{ann}/phones/1", {"label": "new"})
        assert (await people.shown(f"{ann}/phones/1"))["label"] == "new"
        await people.delete(f"{ann}/phones/0")
        assert (attached.record.id, edited.change.diff) == ("2", {"phones.1.label": {"from": "b", "to": "new"}})
        assert await each_of(people, f"{ann}/phones", "label") == ["new", "a"]

    @requires("positions")
    async def test_lists_are_nested_in_the_items_of_lists(self, people: Client) -> None:
        ann = await people.add(name="Ann", notes=[{"key": key, "replies": [{"text": key}]} for key in "ab"])
        await people.create(f"{ann}/notes/a/replies", {"text": "last"})
        edited = await people.update(f"{ann}/notes/b/replies/0", {"text": "new"})
        await people.delete(f"{ann}/notes/a/replies/0")
        assert edited.change.diff == {"notes.1.replies.0.text": {"from": "b", "to": "new"}}
        assert await each_of(people, f"{ann}/notes/a/replies", "text") == ["last"]
        for below, step in (("phones/0", 1), ("notes/c/replies/0", 1), ("notes/a/replies/1", 2)):
            assert await missing_step(people, f"{ann}/{below}") == step
