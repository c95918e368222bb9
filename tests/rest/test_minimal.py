"""``Prefer: return=minimal`` leaves the body out of the answer to a write, and nothing else."""

from __future__ import annotations

from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from bzz import signals
from tests.conftest import Serve

MINIMAL = {"Prefer": "return=minimal"}


class Crew(me.Document):
    name = me.StringField(required=True)


class Vessel(me.Document):
    name = me.StringField(required=True, max_length=5)
    crew = me.ListField(me.ReferenceField(Crew))


@pytest.fixture
def client(serve: Serve, database_name: str) -> httpx.AsyncClient:
    return serve(bzz.ModelHive.routes_for("mongoengine", Vessel))


def is_minimal(answer: httpx.Response, status: int) -> bool:
    assert (answer.status_code, answer.content) == (status, b"")
    assert "Content-Type" not in answer.headers
    return answer.headers["Preference-Applied"] == "return=minimal"


async def test_what_was_created_is_named_and_not_shown(client: httpx.AsyncClient) -> None:
    answer = await client.post("/vessel/", json={"name": "Ann"}, headers=MINIMAL)
    assert is_minimal(answer, 201)
    shown = await client.get(answer.headers["Location"])
    assert (shown.json()["id"], shown.headers["ETag"]) == (answer.headers["X-Created-Id"], answer.headers["ETag"])


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_what_was_changed_is_not_shown(client: httpx.AsyncClient, verb: str) -> None:
    place = (await client.post("/vessel/", json={"name": "Ann"})).headers["Location"]
    answer = await client.request(verb, place, json={"name": "Bob"}, headers=MINIMAL)
    assert is_minimal(answer, 204)
    shown = await client.get(place)
    assert (shown.json()["name"], shown.headers["ETag"]) == ("Bob", answer.headers["ETag"])


async def test_an_array_is_not_shown(client: httpx.AsyncClient) -> None:
    answer = await client.post("/vessel/", json=[{"name": "Ann"}, {"name": "Bob"}], headers=MINIMAL)
    assert is_minimal(answer, 201)
    assert len((await client.get("/vessel/")).json()) == 2


async def test_links_are_not_shown(client: httpx.AsyncClient) -> None:
    place = (await client.post("/vessel/", json={"name": "Ann"})).headers["Location"]
    crew = Crew(name="Cid").save()
    answer = await client.post(f"{place}crew/", json={"crew": [str(crew.pk)]}, headers=MINIMAL)
    assert is_minimal(answer, 204)
    assert (await client.get(place)).json()["crew"] == [str(crew.pk)]


async def test_lenient_rows_are_told_all_the_same(client: httpx.AsyncClient) -> None:
    both = {"Prefer": "return=minimal, handling=lenient"}
    answer = await client.post("/vessel/", json=[{"name": "Ann"}, {"name": "too long"}], headers=both)
    assert [row["status"] for row in answer.json()] == [201, 400]
    assert answer.headers["Preference-Applied"] == "handling=lenient"


async def test_an_error_is_told_all_the_same(client: httpx.AsyncClient) -> None:
    answer = await client.post("/vessel/", json={"name": "too long"}, headers=MINIMAL)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["name"])
    assert "Preference-Applied" not in answer.headers


async def test_receivers_are_told_all_the_same(client: httpx.AsyncClient) -> None:
    told: list[Any] = []

    def receive(sender: Any, instance: Any) -> None:
        told.append(instance.name)

    with signals.post_create_instance.connected_to(receive, sender=Vessel):
        await client.post("/vessel/", json={"name": "Ann"}, headers=MINIMAL)
    assert told == ["Ann"]


@pytest.mark.parametrize("prefer", ["return=representation", "return", "return=most", "respond-async"])
async def test_any_other_preference_shows_it(client: httpx.AsyncClient, prefer: str) -> None:
    answer = await client.post("/vessel/", json={"name": "Ann"}, headers={"Prefer": prefer})
    assert (answer.status_code, answer.json()["name"]) == (201, "Ann")
    assert "Preference-Applied" not in answer.headers
