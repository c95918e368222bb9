"""Filters that are combined: ``filter={"or": [...]}`` and ``or=age=3|name=Ann`` in the query string of a list."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import mongoengine as me
import pytest

from tests.rest.conftest import Api


class TreeBerth(me.EmbeddedDocument):
    port = me.StringField()
    nights = me.IntField()
    secret = me.StringField()
    meta = {"bzz": {"hidden": ["secret"]}}  # noqa: RUF012


class TreeSkipper(me.Document):
    name = me.StringField(primary_key=True)
    rank = me.IntField()
    secret = me.StringField()


class TreeBoat(me.Document):
    name = me.StringField(primary_key=True)
    length = me.IntField()
    price = me.DecimalField()
    built = me.DateTimeField()
    racing = me.BooleanField()
    rig = me.StringField(choices=["gaff", "marconi"])
    tags = me.ListField(me.StringField())
    notes = me.DictField()
    place = me.PointField()
    berths = me.EmbeddedDocumentListField(TreeBerth)
    skipper = me.ReferenceField(TreeSkipper)
    secret = me.StringField()
    meta = {"bzz": {"hidden": ["secret"]}}  # noqa: RUF012


ROWS: list[dict[str, Any]] = [
    {"name": "Alba", "length": 9, "price": "10.50", "built": "2001-02-03T00:00:00Z", "racing": True, "rig": "gaff",
     "tags": ["red", "old"], "notes": {"n": 5, "t": "5"}, "place": [1, 1], "skipper": "Ann",
     "berths": [{"port": "Rio", "nights": 1}, {"port": "Natal", "nights": 9}]},
    {"name": "Brisa", "length": 12, "racing": False, "tags": ["red"], "notes": {"n": "5"}, "place": [50, 50],
     "berths": [{"port": "Rio", "nights": 9}], "skipper": "Bob"},
    {"name": "Cisne", "length": 20, "price": "99", "rig": "marconi"},
    {"name": "Duna|1%, &(+)", "tags": ["old"]},
]  # fmt: skip


@pytest.fixture
async def client(alone: Api) -> httpx.AsyncClient:
    started = alone(TreeSkipper, TreeBoat)
    for url, rows in (
        ("/tree_skipper/", [{"name": "Ann", "rank": 1}, {"name": "Bob", "rank": 2}]),
        ("/tree_boat/", ROWS),
    ):
        answer = await started.post(url, json=rows)
        assert answer.status_code == 201, answer.text
    return started


async def names(client: httpx.AsyncClient, query: str) -> str:
    answer = await client.get(f"/tree_boat/?{query}", headers={"Prefer": "count=exact"})
    assert answer.status_code == 200, answer.text
    found = [each["name"][0] for each in answer.json()]
    assert answer.headers["X-Total-Count"] == str(len(found))
    return "".join(found)


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({"length": 9}, "A"),
        ({"or": [{"length": 9}, {"name": "Cisne"}]}, "AC"),
        ({"and": [{"length": {"gte": 10}}, {"length": {"lt": 20}}]}, "B"),
        ({"not": {"length": {"gt": 10}}}, "AD"),
        ({"not": {"or": [{"length": 9}, {"tags": "red"}]}}, "CD"),
        ({"length": {"gte": 9, "lte": 12}, "racing": True}, "A"),
        ({"length__gte": 12}, "BC"),
        ({"length": None}, "D"),
        ({"length": {"ne": None}}, "ABC"),
        ({"length": {"ne": 9}}, "BCD"),
        ({"length": {"in": [9, 20]}}, "AC"),
        ({"length": {"in": []}}, ""),
        ({"length": {"nin": [9, 20]}}, "BD"),
        ({"length": {"exists": False}}, "D"),
        ({"price": "10.5"}, "A"),
        ({"price": {"gt": 50}}, "C"),
        ({"built": {"lt": "2010-01-01"}}, "A"),
        ({"rig": {"ne": "gaff"}}, "BCD"),
        ({"tags": "old"}, "AD"),
        ({"tags": {"all": ["old", "red"]}}, "A"),
        ({"tags": {"size": 1}}, "BD"),
        ({"not": {"tags": "red"}}, "CD"),
        ({"tags[]": "red"}, "AB"),
        ({"notes.n": 5}, "A"),
        ({"notes.n": "5"}, "B"),
        ({"place": {"near": [1, 1.5, 100000]}}, "A"),
        ({"place": {"within": [40, 40, 60, 60]}}, "B"),
        ({"not": {"place": {"near": [1, 1, 1000]}}}, "BCD"),
        ({"berths.port": "Rio", "berths.nights": {"gt": 5}}, "AB"),
        ({"berths[].port": "Rio", "berths[].nights": {"gt": 5}}, "B"),
        ({"berths[]": {"port": "Rio", "nights": {"gt": 5}}}, "B"),
        ({"berths[]": {"not": {"port": "Rio"}}}, "A"),
        ({"not": {"berths[]": {"port": "Rio"}}}, "CD"),
        ({"berths[]": {"or": [{"port": "Natal"}, {"nights": 9}]}}, "AB"),
        ({"skipper": "Ann"}, "A"),
        ({"skipper.rank": 2}, "B"),
        ({"or": [{"skipper.rank": 2}, {"length": 20}]}, "BC"),
        ({"not": {"skipper.rank": 2}}, "ACD"),
        ({"name": {"icontains": "IS"}}, "BC"),
        ({"or": [{"and": [{"length": 9}, {"racing": True}]}, {"not": {"length": {"exists": True}}}]}, "AD"),
    ],
    ids=json.dumps,
)
async def test_a_tree_of_conditions_selects(client: httpx.AsyncClient, tree: dict[str, Any], found: str) -> None:
    assert await names(client, urlencode({"filter": json.dumps(tree)})) == found


@pytest.mark.parametrize(
    "query",
    [
        "or=NAME__startswith=a|length=9",
        'filter={"not":{"NAME":{"startswith":"a"}}}',
        'filter={"berths[]":{"NAME":"x"}}',
    ],
)
async def test_a_hidden_field_is_answered_as_one_that_is_not_there(client: httpx.AsyncClient, query: str) -> None:
    hidden, unknown = [await client.get(f"/tree_boat/?{query.replace('NAME', name)}") for name in ("secret", "absent")]
    assert hidden.status_code == unknown.status_code == 400
    assert hidden.json()["detail"] == unknown.json()["detail"].replace("absent", "secret")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("or=length=9|name=Cisne", "AC"),
        ("or=length__gte=12|tags=red&racing=false", "B"),
        ("or=length=9|length=12&or=racing=true|length=20", "A"),
        ("or=length__in=9,20|name=Brisa", "ABC"),
        ("or=skipper.rank=2|length__exists=false", "BD"),
        ("or=berths[].port=Natal|length=20", "AC"),
        ("or=" + quote(f"name={quote(ROWS[3]['name'])}|length=9"), "AD"),
        ("or=length=9", "A"),
    ],
)
async def test_or_in_the_query_string_takes_any_of_its_conditions(
    client: httpx.AsyncClient, query: str, found: str
) -> None:
    assert await names(client, query) == found
