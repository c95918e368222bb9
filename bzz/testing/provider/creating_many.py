"""Several documents inserted at once: each as if alone, or all of them or none."""

from __future__ import annotations

import asyncio

import pytest

from bzz.errors import Conflict, Invalid
from bzz.providers.base import RowsRefused, Written
from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Suite, requires

__all__ = ["CreatingMany"]


class CreatingMany(Suite):
    """:meth:`Provider.create_many`."""

    async def test_each_is_stored_and_reported_in_its_order(self, people: Client) -> None:
        outcomes = await people.create_many([{"name": name} for name in ("Cid", "Ann", "Bob")])
        assert [each.change.kind for each in outcomes if isinstance(each, Written)] == ["created"] * 3
        shown = [await people.shown(str(each.record.id)) for each in outcomes if isinstance(each, Written)]
        assert [each["name"] for each in shown] == ["Cid", "Ann", "Bob"]

    @requires("unique")
    async def test_what_is_refused_keeps_no_other_from_being_stored(self, people: Client) -> None:
        await people.add(name="Bob")
        outcomes = await people.create_many([{"name": "Ann"}, {"age": 3}, {"name": "Bob"}, {"name": "Cid", "age": 1}])
        assert [type(each) for each in (outcomes[1], outcomes[2])] == [Invalid, Conflict]
        assert [isinstance(each, Written) for each in outcomes] == [True, False, False, True]
        assert sorted(each["name"] for each in await people.listed("")) == ["Ann", "Bob", "Cid"]

    @requires("links")
    async def test_a_link_that_leads_nowhere_refuses_its_own_document_alone(
        self, people: Client, teams: Client
    ) -> None:
        ann, gone = people.key(await people.add(name="Ann")), await people.add(name="Bob")
        await people.delete(gone)
        outcomes = await teams.create_many([{"code": "red", "lead": people.key(gone)}, {"code": "blue", "lead": ann}])
        assert isinstance(outcomes[0], Invalid)
        assert list(outcomes[0].errors or {}) == ["lead"]
        assert [each["code"] for each in await teams.listed("")] == ["blue"]

    @requires("together")
    async def test_all_are_stored_together(self, people: Client) -> None:
        outcomes = await people.create_many([{"name": "Ann"}, {"name": "Bob"}], all_or_none=True)
        assert all(isinstance(each, Written) for each in outcomes)
        assert sorted(each["name"] for each in await people.listed("")) == ["Ann", "Bob"]

    @requires("together", "unique")
    async def test_a_taken_value_keeps_all_from_being_stored(self, people: Client) -> None:
        await people.add(name="Bob")
        with pytest.raises(RowsRefused) as caught:
            await people.create_many([{"name": "Ann"}, {"name": "Bob"}, {"name": "Cid"}], all_or_none=True)
        assert {position: type(error) for position, error in caught.value.errors.items()} == {1: Conflict}
        assert [each["name"] for each in await people.listed("")] == ["Bob"]

    @requires("together")
    async def test_what_the_model_refuses_keeps_all_from_being_stored(self, people: Client) -> None:
        with pytest.raises(RowsRefused) as caught:
            await people.create_many([{"name": "Ann"}, {"age": -1}, {"name": "Bob"}], all_or_none=True)
        assert list(caught.value.errors) == [1]
        assert await people.listed("") == []

    @requires("together", "unique")
    async def test_of_those_that_race_for_the_same_values_one_is_stored_whole(self, people: Client) -> None:
        rows = [{"name": name} for name in ("Ann", "Bob", "Cid")]
        races = (people.create_many(rows, all_or_none=True) for _ in range(4))
        outcomes = await asyncio.gather(*races, return_exceptions=True)
        assert sorted(isinstance(each, RowsRefused) for each in outcomes) == [False, True, True, True]
        assert len(await people.listed("")) == 3
