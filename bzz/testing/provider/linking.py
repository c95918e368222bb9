"""References added to lists and single properties, and taken away."""

from __future__ import annotations

import pytest

from bzz.errors import Conflict, Invalid, NotFound
from bzz.testing.provider.client import Client
from bzz.testing.provider.reading import missing_step
from bzz.testing.provider.suite import Suite, requires

__all__ = ["Linking"]


async def members(teams: Client) -> list[str]:
    """Return the names of the members of the team ``red``."""
    return sorted([each["name"] for each in await teams.listed("red/members")])


@requires("links")
class Linking(Suite):
    """:meth:`Provider.link`, and :meth:`Provider.delete` of references."""

    async def test_each_new_link_is_told_as_a_change_of_the_document_that_refers(
        self, people: Client, teams: Client
    ) -> None:
        keys = [people.key(await people.add(name=name)) for name in ("Ann", "Bob", "Cleo")]
        await teams.add(code="red", members=keys[:1])
        linked = await teams.link("red/members", keys[1:])
        assert await members(teams) == ["Ann", "Bob", "Cleo"]
        assert [people.key(str(each.record.id)) for each in linked] == keys[1:]
        for written in linked:
            change = written.change
            assert (change.kind, change.model, change.id) == ("linked", self.models.team, "red")
            assert change.diff == {"members": {"from": keys[:1], "to": keys}}
            assert written.holder is not None
            assert written.holder.id == "red"

    async def test_linking_twice_is_linking_once(self, people: Client, teams: Client) -> None:
        ann, bob = await people.add(name="Ann"), await people.add(name="Bob")
        await teams.add(code="red", members=[people.key(ann)])
        assert await teams.link("red/members", [people.key(ann)]) == []
        linked = await teams.link("red/members", [people.key(ann), people.key(bob)])
        assert [each.record.id for each in linked] == [bob]
        assert await members(teams) == ["Ann", "Bob"]

    async def test_all_are_linked_or_none(self, people: Client, teams: Client) -> None:
        ann, gone = await people.add(name="Ann"), await people.add(name="Bob")
        await people.delete(gone)
        await teams.add(code="red")
        with pytest.raises(Invalid) as caught:
            await teams.link("red/members", [people.key(ann), people.key(gone)])
        assert list(caught.value.errors or {}) == ["members.1"]
        assert await members(teams) == []

    async def test_a_single_property_is_linked_once(self, people: Client, teams: Client) -> None:
        ann, bob = await people.add(name="Ann"), await people.add(name="Bob")
        await teams.add(code="red")
        (written,) = await teams.link("red/lead", [people.key(ann)])
        assert written.change.diff == {"lead": {"from": None, "to": people.key(ann)}}
        assert await teams.link("red/lead", [people.key(ann)]) == []
        with pytest.raises(Conflict):
            await teams.link("red/lead", [people.key(bob)])
        assert (await teams.shown("red/lead"))["name"] == "Ann"

    async def test_a_delete_only_unlinks(self, people: Client, teams: Client) -> None:
        ann, bob = await people.add(name="Ann"), await people.add(name="Bob")
        keys = [people.key(ann), people.key(bob)]
        await teams.add(code="red", lead=keys[0], members=keys)
        item, single = await teams.delete(f"red/members/{ann}"), await teams.delete("red/lead")
        for written in (item, single):
            assert (written.record.id, written.change.kind) == (ann, "unlinked")
            assert (written.change.model, written.change.id) == (self.models.team, "red")
        assert item.change.diff == {"members": {"from": keys, "to": keys[1:]}}
        assert single.change.diff == {"lead": {"from": keys[0], "to": None}}
        assert (await members(teams), (await teams.shown("red"))["lead"]) == (["Bob"], None)
        assert (await people.shown(ann))["name"] == "Ann"

    async def test_what_is_not_there_is_neither_linked_nor_unlinked(self, people: Client, teams: Client) -> None:
        ann, bob = await people.add(name="Ann"), await people.add(name="Bob")
        await teams.add(code="red", members=[people.key(ann)])
        for where in (f"red/members/{bob}", "red/lead"):
            with pytest.raises(NotFound):
                await teams.delete(where)
        for where in ("blue/members", "blue/lead"):
            with pytest.raises(NotFound):
                await teams.link(where, [people.key(ann)])
        assert await members(teams) == ["Ann"]

    @requires("dangling")
    async def test_a_link_to_nothing_is_not_found_and_can_be_taken_away(self, people: Client, teams: Client) -> None:
        ann, bob = await people.add(name="Ann"), await people.add(name="Bob")
        await teams.add(code="red", lead=people.key(ann), members=[people.key(ann), people.key(bob)])
        await people.delete(ann)
        for where in ("red/lead", f"red/members/{ann}"):
            assert await missing_step(teams, where) == 1
        assert await members(teams) == ["Bob"]
        await teams.delete(f"red/members/{ann}")
        await teams.link("red/lead", [people.key(bob)])
        assert [str(each) for each in (await teams.shown("red"))["members"]] == [bob]
        assert (await teams.shown("red/lead"))["name"] == "Bob"
