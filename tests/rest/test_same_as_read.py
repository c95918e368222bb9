"""What a write answers, tells and stores is what a read shows next, and what is sent back as it was read stays."""

from __future__ import annotations

import asyncio
import decimal
import uuid
from collections.abc import Iterator
from typing import Any

import mongoengine as me
import pytest

from bzz import signals
from tests.rest.conftest import Api

A_UUID = "11111111-2222-3333-4444-555555555555"


class LooseShelf(me.DynamicEmbeddedDocument):
    n = me.IntField()


class LooseCase(me.DynamicDocument):
    n = me.IntField()
    shelf = me.EmbeddedDocumentField(LooseShelf)
    shelves = me.EmbeddedDocumentListField(LooseShelf)


class _Reread(me.Document):
    n = me.IntField()
    price = me.Decimal128Field(default=decimal.Decimal(9))
    token = me.UUIDField(default=A_UUID)
    cost = me.DecimalField(default="1.5", force_string=True)
    place = me.PointField()
    places = me.ListField(me.PointField())
    spot = me.GeoPointField()
    ranks = me.SortedListField(me.IntField(), default=lambda: [2, 1])
    note = me.StringField(null=True, default="x")
    count = me.IntField(null=True, required=True, default=lambda: 7)

    meta = {"abstract": True}  # noqa: RUF012  # as MongoEngine wants it


class PlainReread(_Reread):
    pass


class CleanReread(_Reread):
    def clean(self) -> None:
        """Make MongoEngine save the class."""


both = pytest.mark.parametrize("model", [PlainReread, CleanReread])


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What receivers are told of each update."""
    found: list[Any] = []

    async def note(sender: Any, updated_fields: Any) -> None:
        found.append(updated_fields)

    with signals.post_update_instance.connected_to(note):
        yield found


async def created(client: Any, model: Any, **values: Any) -> str:
    answer = await client.post("/plain_reread/" if model is PlainReread else "/clean_reread/", json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


# -- the order in which MongoDB adds fields

LOOSE = {"zeta": 1, "alpha": 2, "10": 3, "9": 4, "007": 5, "a1": 6, "B": 7, "é": 8}


@pytest.mark.parametrize("path", ["", "shelf/", "shelves/0/"])
@pytest.mark.parametrize("verb", ["put", "patch"])
async def test_new_undeclared_fields_are_answered_in_the_order_in_which_they_are_read(
    alone: Api, verb: str, path: str
) -> None:
    client = alone(LooseCase)
    made = await client.post("/loose_case/", json={"n": 1, "shelf": {"n": 1}, "shelves": [{"n": 1}]})
    place = made.headers["Location"] + path
    answer = await getattr(client, verb)(place, json=LOOSE)
    read = await client.get(place)
    assert (answer.text, answer.headers["ETag"]) == (read.text, read.headers["ETag"])
    after = await client.put(place, json={"n": 2}, headers={"If-Match": answer.headers["ETag"]})
    assert after.status_code == 200


async def test_updates_that_share_a_round_trip_are_answered_in_that_order_too(alone: Api) -> None:
    client = alone(LooseCase)
    places = [(await client.post("/loose_case/", json={"n": 1})).headers["Location"] for _ in range(20)]
    answers = await asyncio.gather(*(client.put(each, json=LOOSE) for each in places))
    assert [each.text for each in answers] == [(await client.get(each)).text for each in places]


# -- a default is no reason to tell less, or more


@both
async def test_a_change_that_python_calls_equal_is_told_though_the_field_has_a_default(
    alone: Api, model: Any, told: list[Any]
) -> None:
    client = alone(model)
    place = await created(client, model, price="1.5")
    assert (await client.put(place, json={"price": "1.50"})).json()["price"] == "1.50"
    ((change,),) = (each.values() for each in told)
    assert [str(each) for each in change.values()] == ["1.5", "1.50"]


@both
@pytest.mark.parametrize(("name", "value"), [("token", A_UUID), ("cost", "1.50")])
async def test_to_unset_what_is_the_default_tells_nothing_whatever_type_that_is_declared_in(
    alone: Api, model: Any, name: str, value: str, told: list[Any]
) -> None:
    client = alone(model)
    place = await created(client, model, **{name: value})
    assert (await client.put(place, json={name: None})).status_code == 200
    assert told == [{}]


@both
async def test_a_default_is_told_as_an_instance_has_it_that_was_stored_with_it(
    alone: Api, model: Any, told: list[Any]
) -> None:
    client, other = alone(model), uuid.uuid4()
    place = await created(client, model, token=str(other))
    await client.put(place, json={"token": None})
    assert told == [{"token": {"from": other, "to": uuid.UUID(A_UUID)}}]


@both
@pytest.mark.parametrize(
    ("sent", "stored"),
    [({}, ("x", 7)), ({"note": None}, (None, 7)), ({"note": None, "count": None}, (None, 7))],
    ids=str,
)
async def test_a_default_fills_what_a_post_leaves_out_where_null_may_be_stored_too(
    alone: Api, model: Any, sent: dict[str, Any], stored: Any
) -> None:
    client = alone(model)
    read = (await client.get(await created(client, model, **sent))).json()
    assert (read["note"], read["count"]) == stored


# -- what is sent back stays


@both
async def test_equal_coordinates_of_another_type_change_nothing(alone: Api, model: Any, told: list[Any]) -> None:
    client = alone(model)
    place = await created(client, model, place=[1.0, 2.0], places=[[1.0, 2.0]], spot=[1.0, 2.0])
    before = await client.get(place)
    answer = await client.put(place, json={"place": [1, 2], "places": [[1, 2]], "spot": [1, 2]})
    assert answer.status_code == 200, answer.text
    assert told == [{}]
    assert (await client.get(place)).headers["ETag"] == before.headers["ETag"]


@both
async def test_a_default_of_a_sorted_list_is_stored_sorted(alone: Api, model: Any, told: list[Any]) -> None:
    client = alone(model)
    place = await created(client, model)
    read = await client.get(place)
    assert read.json()["ranks"] == [1, 2]
    assert (await client.put(place, json=read.json())).headers["ETag"] == read.headers["ETag"]
    assert told == [{}]
