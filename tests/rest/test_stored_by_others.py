"""What other programs have stored in another type than the model declares: shown, paged and sent back without harm."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import httpx
import mongoengine as me
import pytest
from bson import Int64, ObjectId

from tests.conftest import Driver
from tests.rest.conftest import Api


class Barrow(me.EmbeddedDocument):
    number = me.IntField()


class Mound(me.Document):
    number = me.IntField()
    numbers = me.ListField(me.IntField())
    map = me.MapField(me.IntField())
    inner = me.EmbeddedDocumentField(Barrow)
    flag = me.BooleanField()
    key = me.UUIDField()
    at = me.DateTimeField()
    name = me.StringField()


async def test_a_double_that_is_an_integer_is_shown_as_one_and_may_come_back(api: Api, driver: Driver) -> None:
    stored = {"number": 1.0, "numbers": [2.0, 3], "map": {"a": 4.0}, "inner": {"number": 5.0}, "flag": 1}
    client, collection = api(Mound), driver()["mound"]
    await collection.insert_one({"_id": ObjectId(_ID), **stored})
    text = (await client.get(f"/mound/{_ID}/")).text
    assert '"number":1,"numbers":[2,3],"map":{"a":4},"inner":{"number":5},"flag":true' in text
    assert (await client.put(f"/mound/{_ID}/", content=text, headers=_JSON)).text == text
    found = await collection.find_one()
    assert {name: found[name] for name in ("numbers", "map", "inner")} == {
        "numbers": [2.0, 3],
        "map": {"a": 4.0},
        "inner": {"number": 5.0},
    }


async def test_numbers_that_are_no_integers_and_large_ones_are_shown_as_they_are(api: Api, driver: Driver) -> None:
    client = api(Mound)
    numbers = [1e300, 2.5, Int64(7), None]
    key = (await driver()["mound"].insert_one({"number": 1e300, "numbers": numbers, "flag": Int64(1)})).inserted_id
    shown = (await client.get(f"/mound/{key}/")).json()
    assert (shown["number"], shown["numbers"], shown["flag"]) == (1e300, [1e300, 2.5, 7, None], True)


_ID = "6b0a0d35421a245acb61e42b"
_JSON = {"Content-Type": "application/json"}

MIXED: dict[str, list[Any]] = {
    "key": [*(uuid.UUID(int=each) for each in range(4)), *(str(uuid.UUID(int=each)) for each in range(4))],
    "number": [1, 2.5, 3, "4", "5", None, True, float("nan")],
    "at": [datetime(2026, 1, 1), datetime(2026, 1, 2), "2026-01-03", None, 7],
    "name": ["a", "b", 1, 2, b"x", None],
}


@pytest.mark.parametrize("name", list(MIXED))
@pytest.mark.parametrize("sign", ["", "-"])
async def test_every_document_is_on_one_page_whatever_types_a_field_holds(
    api: Api, driver: Driver, name: str, sign: str
) -> None:
    client = api(Mound)
    await driver()["mound"].insert_many([{name: each} for each in MIXED[name]])
    forwards, last = await _walk(client, f"/mound/?per_page=2&sort={sign}{name}", "next")
    assert len(forwards) == len(set(forwards)) == len(MIXED[name])
    backwards, _ = await _walk(client, last, "prev")
    assert sorted(backwards) == sorted(forwards)


async def _walk(client: httpx.AsyncClient, url: str, rel: str) -> tuple[list[str], str]:
    """Follow a link to the end; return the ids of all pages, and the URL of the last."""
    ids: list[str] = []
    while True:
        answer = await client.get(url)
        assert answer.status_code == 200, answer.text
        ids += [each["id"] for each in answer.json()]
        if rel not in answer.links:
            return ids, url
        url = answer.links[rel]["url"]
