"""Filters into maps, on one item of a list, on how many items there are, on areas, and whatever the case."""

from __future__ import annotations

from typing import Any

import httpx
import mongoengine as me
import pytest

from tests.rest.conftest import Api


class Rating(me.EmbeddedDocument):
    by = me.StringField()
    stars = me.IntField()
    secret = me.StringField()


class Eatery(me.Document):
    name = me.StringField(primary_key=True)
    tags = me.ListField(me.StringField())
    ratings = me.EmbeddedDocumentListField(Rating)
    notes = me.DictField()
    hours = me.MapField(me.IntField())
    best = me.MapField(me.EmbeddedDocumentField(Rating))
    extra = me.DynamicField()
    place = me.PointField()
    spot = me.GeoPointField()
    area = me.PolygonField()


SQUARE = [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]


@pytest.fixture
async def client(api: Api) -> httpx.AsyncClient:
    started = api(Eatery, hidden=["ratings.secret"])
    rows: list[dict[str, Any]] = [
        {
            "name": "Ann's", "tags": ["warm", "red"], "notes": {"color": "red", "deep": {"er": 5}, "zip": "007"},
            "ratings": [{"by": "bob", "stars": 5}, {"by": "eve", "stars": 1}], "hours": {"mon": 8, "tue": 9},
            "best": {"food": {"by": "bob", "stars": 5}}, "extra": 7, "area": {"type": "Polygon", "coordinates": SQUARE},
            "place": {"type": "Point", "coordinates": [-34.88, -8.05]}, "spot": [-34.88, -8.05],
        },
        {
            "name": "bob's", "tags": ["red"], "notes": {"color": "blue", "deep": {"er": "5"}, "zip": 7},
            "ratings": [{"by": "bob", "stars": 1}, {"by": "eve", "stars": 5}], "hours": {"mon": 10},
            "best": {"food": {"by": "eve", "stars": 2}}, "extra": "7",
            "place": {"type": "Point", "coordinates": [-43.2, -22.9]}, "spot": [-43.2, -22.9],
        },
        {"name": "Empty"},
    ]  # fmt: skip
    for row in rows:
        answer = await started.post("/eatery/", json=row)
        assert answer.status_code == 201, answer.text
    return started


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("notes.color=red", ["Ann's"]),
        ("notes.color__ne=red", ["Empty", "bob's"]),
        ("notes.color__in=red,blue", ["Ann's", "bob's"]),
        ("notes.color__exists=false", ["Empty"]),
        ("notes.deep.er=5", ["Ann's", "bob's"]),
        ('notes.deep.er="5"', ["bob's"]),
        ("notes.zip=007", ["Ann's"]),
        ("notes.zip=7", ["bob's"]),
        ("hours.mon__gte=9", ["bob's"]),
        ("hours.tue=9", ["Ann's"]),
        ("sort=-hours.mon&hours.mon__exists=true", ["bob's", "Ann's"]),
        ("best.food.stars__gte=3", ["Ann's"]),
        ("extra=7", ["Ann's", "bob's"]),
        ("ratings[].by=bob&ratings[].stars__gte=4", ["Ann's"]),
        ("ratings.by=bob&ratings.stars__gte=4", ["Ann's", "bob's"]),
        ("ratings[].stars=1&ratings[].stars=5", ["Ann's", "bob's"]),
        ("tags[]=warm", ["Ann's"]),
        ("tags__all=red,warm", ["Ann's"]),
        ("tags__size=1", ["bob's"]),
        ("ratings__size=2", ["Ann's", "bob's"]),
        ("name__iexact=ANN'S", ["Ann's"]),
        ("name__iexact=ANN", []),
        ("tags__iexact=WARM", ["Ann's"]),
        ("place__near=-34.9,-8.05,5000", ["Ann's"]),
        ("place__near=-34.9,-8.05,1000", []),
        ("spot__near=-34.9,-8.05,5000", ["Ann's"]),
        ("place__within=-35,-8.2,-34.8,-7.9", ["Ann's"]),
        ("spot__within=-44,-23,-43,-22", ["bob's"]),
        ("area__within=-1,-1,2,2", ["Ann's"]),
        ("area__within=0.5,0.5,2,2", []),
    ],
)
async def test_a_list_is_filtered(client: httpx.AsyncClient, query: str, names: list[str]) -> None:
    answer = await client.get(f"/eatery/?{query}", headers={"Prefer": "count=exact"})
    assert answer.status_code == 200, answer.text
    assert [each["name"] for each in answer.json()] == names
    assert answer.headers["X-Total-Count"] == str(len(names))


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("ratings[].secret=x", "Unknown parameter or field: 'ratings[].secret'."),
        ("ratings[].nope=x", "Unknown parameter or field: 'ratings[].nope'."),
        ("tags[].x=y", "Unknown parameter or field: 'tags[].x'."),
        ("nope[].x=y", "Unknown parameter or field: 'nope[].x'."),
        ("notes.=x", "Unknown parameter or field: 'notes.'."),
        ("notes.$where=x", "Unknown parameter or field: 'notes.$where'."),
        ("notes.a.$gt=x", "Unknown parameter or field: 'notes.a.$gt'."),
        ("hours.$gt=1", "Unknown parameter or field: 'hours.$gt'."),
        ("notes.a%00b=x", "Unknown parameter or field: 'notes.a\\x00b'."),
        ("notes..x=y", "Unknown parameter or field: 'notes..x'."),
        ("notes.color__gt=x", "Unknown parameter or field: 'notes.color__gt'."),
        ("best.food.nope=1", "Unknown parameter or field: 'best.food.nope'."),
        ("hours.mon=x", "The parameter 'hours.mon' cannot be read. Must be an integer within 64 bits."),
        ("tags__size=-1", "The parameter 'tags__size' cannot be read. Must be a number from 0 to 999999999."),
        (
            "place__near=1,2",
            "The parameter 'place__near' cannot be read. Must be a longitude, a latitude and a distance",
        ),
        ("place__near=181,2,3", "The parameter 'place__near' cannot be read. Must be a longitude"),
        ("place__near=1,2,nan", "The parameter 'place__near' cannot be read. Must be a longitude"),
        ("place__within=2,0,1,1", "The parameter 'place__within' cannot be read. Must be west, south, east and north"),
        ("area__near=1,2,3", "Unknown parameter or field: 'area__near'."),
        ("name__match=x", "Unknown parameter or field: 'name__match'."),
        ("sort=notes.color", "Unknown parameter or field: 'notes.color'."),
    ],
)
async def test_a_filter_that_cannot_be_is_a_400_that_names_it(client: httpx.AsyncClient, query: str, told: str) -> None:
    answer = await client.get(f"/eatery/?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(told)


async def test_keys_of_maps_can_be_asked_for(client: httpx.AsyncClient) -> None:
    answer = await client.get("/eatery/Ann's/?fields=notes.color,hours.mon")
    assert answer.json() == {"notes": {"color": "red"}, "hours": {"mon": 8}}
