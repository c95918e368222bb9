"""An item of a sorted list that is edited moves to its place, whichever path names it."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import pytest

from bzz import signals
from tests.rest.conftest import Api


class Heat(me.EmbeddedDocument):
    """Has no id: its position names it."""

    runner = me.StringField()
    seconds = me.IntField(db_field="s")


class RankedEntry(me.EmbeddedDocument):
    code = me.StringField(primary_key=True)
    rank = me.IntField(db_field="r")


class _Race(me.Document):
    heats = me.SortedListField(me.EmbeddedDocumentField(Heat), ordering="s", db_field="h")
    entries = me.SortedListField(me.EmbeddedDocumentField(RankedEntry), ordering="r", reverse=True)

    meta = {"abstract": True}  # noqa: RUF012  # as MongoEngine wants it


class PlainRace(_Race):
    pass


class CleanRace(_Race):
    def clean(self) -> None:
        """Make MongoEngine save the class."""


class Follower(me.Document):
    follows = me.SortedListField(me.ReferenceField("self"))


both = pytest.mark.parametrize("model", [PlainRace, CleanRace])


def saved(model: Any) -> str:
    heats = [Heat(runner=name, seconds=seconds) for name, seconds in (("a", 1), ("b", 2), ("c", 3))]
    entries = [RankedEntry(code=code, rank=rank) for code, rank in (("x", 3), ("y", 2), ("z", 1))]
    return f"/{'plain' if model is PlainRace else 'clean'}_race/{model(heats=heats, entries=entries).save().id}/"


def runners(model: Any) -> list[str]:
    return [each["runner"] for each in model._get_collection().find_one()["h"]]


@both
@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_an_item_that_a_position_names_moves_and_is_answered(api: Api, model: Any, verb: str) -> None:
    client, place = api(model), saved(model)
    answer = await client.request(verb, f"{place}heats/0/", json={"seconds": 9})
    assert answer.json() == {"runner": "a", "seconds": 9}
    assert runners(model) == ["b", "c", "a"]


@both
async def test_an_item_that_an_id_names_moves_and_is_answered(api: Api, model: Any) -> None:
    client, place = api(model), saved(model)
    answer = await client.put(f"{place}entries/z/", json={"rank": 9})
    assert answer.json() == {"code": "z", "rank": 9}
    assert [each["_id"] for each in model._get_collection().find_one()["entries"]] == ["z", "x", "y"]


@both
async def test_the_diff_is_that_of_the_item(api: Api, model: Any) -> None:
    client, place = api(model), saved(model)
    told: list[Any] = []

    async def note(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields)

    with signals.post_update_instance.connected_to(note):
        await client.put(f"{place}heats/2/", json={"seconds": 0})
    assert told == [{"seconds": {"from": 3, "to": 0}}]


@both
async def test_an_item_whose_order_stays_is_edited_in_its_place(api: Api, model: Any) -> None:
    client, place = api(model), saved(model)
    answer = await client.put(f"{place}heats/1/", json={"runner": "bea", "seconds": 3})
    assert answer.json() == {"runner": "bea", "seconds": 3}
    assert runners(model) == ["a", "bea", "c"]


async def test_an_item_cannot_lose_the_value_that_it_is_sorted_by(api: Api) -> None:
    client, place = api(PlainRace), saved(PlainRace)
    answer = await client.put(f"{place}heats/1/", json={"seconds": None})
    assert (answer.status_code, "sorted by" in answer.text) == (400, True)
    assert runners(PlainRace) == ["a", "b", "c"]


async def test_references_are_linked_in_their_order(api: Api) -> None:
    client = api(Follower)
    first, second, third = (Follower().save().id for _ in range(3))
    for each in (third, first, second):
        assert (await client.post(f"/follower/{first}/follows/", json={"follows": [str(each)]})).is_success
    assert Follower._get_collection().find_one({"_id": first})["follows"] == [first, second, third]
