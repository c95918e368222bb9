"""Conditional writes: what a write was to rest on is compared with what is stored."""

from __future__ import annotations

import pytest

from bzz.errors import PreconditionFailed
from bzz.providers.base import Stale
from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Suite, requires

__all__ = ["Conditions"]


class Conditions(Suite):
    """``expected`` and ``precondition`` of :meth:`Provider.update` and :meth:`Provider.delete`."""

    async def test_a_write_goes_on_while_what_it_expects_is_stored(self, people: Client) -> None:
        ann = await people.add(name="Ann", age=3)
        expected = await people.get(ann)
        expected.instance.age = 99  # which is nothing that is stored
        await people.update(ann, {"height": 1.5}, expected=expected)
        assert (await people.shown(ann))["age"] == 3
        await people.delete(ann, expected=await people.get(ann))
        assert await people.listed("") == []

    async def test_a_write_that_expects_something_else_is_stale_and_does_nothing(self, people: Client) -> None:
        ann = await people.add(name="Ann", age=3)
        expected = await people.get(ann)
        await people.update(ann, {"height": 1.5})
        for values in ({"age": 4}, {"height": 1.5}, {}):  # whether or not it would change anything
            with pytest.raises(Stale):
                await people.update(ann, values, expected=expected)
        with pytest.raises(Stale):
            await people.delete(ann, expected=expected)
        assert (await people.shown(ann))["age"] == 3

    async def test_a_write_goes_on_while_its_precondition_holds_for_the_state(self, people: Client) -> None:
        ann = await people.add(name="Ann", age=3)
        old = (await people.get(ann)).state
        new = (await people.update(ann, {"age": 4}, precondition=old.__eq__)).record.state
        with pytest.raises(PreconditionFailed):
            await people.update(ann, {"age": 5}, precondition=old.__eq__)
        with pytest.raises(PreconditionFailed):
            await people.delete(ann, precondition=old.__eq__)
        assert (await people.shown(ann))["age"] == 4
        await people.delete(ann, precondition=new.__eq__)
        assert await people.listed("") == []

    @requires("embedded")
    async def test_a_write_inside_rests_on_what_is_at_the_end_of_its_path(self, people: Client) -> None:
        ann = await people.add(name="Ann", notes=[{"key": "a", "text": "x"}, {"key": "b", "text": "y"}])
        note, expected = f"{ann}/notes/a", await people.get(f"{ann}/notes/a")
        await people.update(f"{ann}/notes/b", {"text": "changed"})
        await people.update(ann, {"age": 4})
        await people.update(note, {"text": "new"}, expected=expected)
        with pytest.raises(Stale):
            await people.update(note, {"text": "newer"}, expected=expected)
        with pytest.raises(Stale):
            await people.delete(note, expected=expected)
        assert [each["text"] for each in await people.listed(f"{ann}/notes")] == ["new", "changed"]

    @requires("embedded")
    async def test_a_precondition_inside_is_told_the_state_inside(self, people: Client) -> None:
        ann = await people.add(name="Ann", notes=[{"key": "a", "text": "x"}])
        note, state = f"{ann}/notes/a", (await people.get(f"{ann}/notes/a")).state
        await people.update(ann, {"age": 4})
        await people.update(note, {"text": "new"}, precondition=state.__eq__)
        with pytest.raises(PreconditionFailed):
            await people.update(note, {"text": "newer"}, precondition=state.__eq__)
        with pytest.raises(PreconditionFailed):
            await people.delete(note, precondition=state.__eq__)
        assert (await people.shown(note))["text"] == "new"

    @requires("links")
    @pytest.mark.parametrize("where", ["red/lead", "red/members/{ann}"])
    async def test_an_unlinking_rests_on_the_document_that_is_linked(
        self, people: Client, teams: Client, where: str
    ) -> None:
        ann = await people.add(name="Ann", age=3)
        await teams.add(code="red", lead=people.key(ann), members=[people.key(ann)])
        link = where.format(ann=ann)
        expected = await teams.get(link)
        await people.update(ann, {"age": 4})
        with pytest.raises(Stale):
            await teams.delete(link, expected=expected)
        with pytest.raises(PreconditionFailed):
            await teams.delete(link, precondition=expected.state.__eq__)
        await teams.delete(link, expected=await teams.get(link))
