"""A durable listener knows which changes the requests of its own process have made."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from tests.conftest import Serve
from tests.delivery.conftest import Seen, eventually, listening


class Hut(me.Document):
    name = me.StringField()
    size = me.IntField()


@pytest.fixture
def client(serve: Serve, database_name: str) -> httpx.AsyncClient:
    return serve(bzz.ModelHive.routes_for("mongoengine", Hut))


def sources(seen: Seen) -> dict[str, str | None]:
    return {each.instance.name: each.source for each in seen}


async def test_what_a_client_writes_is_http_and_what_a_script_writes_is_not_known(
    seen: Seen, client: httpx.AsyncClient
) -> None:
    bzz.durable("Hut.created", name="x")(seen)
    async with bzz.deliver():
        await listening()
        await client.post("/hut/", json={"name": "by request"})
        Hut(name="by script").save()
        await seen.times(2)
    assert sources(seen) == {"by request": "http", "by script": None}


@pytest.mark.parametrize("verb", ["put", "patch", "delete"])
async def test_every_verb_is_known(seen: Seen, client: httpx.AsyncClient, verb: str) -> None:
    bzz.durable("Hut.*", name="x")(seen)
    async with bzz.deliver():
        await listening()
        place = (await client.post("/hut/", json={"name": "a", "size": 1})).headers["Location"]
        await eventually(lambda: seen)
        seen.clear()
        await (client.delete(place) if verb == "delete" else client.request(verb, place, json={"size": 2}))
        await eventually(lambda: seen)
    assert {each.source for each in seen} == {"http"}


async def test_an_array_is_known_row_by_row(seen: Seen, client: httpx.AsyncClient) -> None:
    bzz.durable("Hut.created", name="x")(seen)
    async with bzz.deliver():
        await listening()
        await client.post("/hut/", json=[{"name": str(number)} for number in range(20)])
        await seen.times(20)
    assert {each.source for each in seen} == {"http"}


async def test_under_many_writers_each_is_known(seen: Seen, client: httpx.AsyncClient) -> None:
    bzz.durable("Hut.updated.size", name="x")(seen)
    places = [
        (await client.post("/hut/", json={"name": str(each), "size": 0})).headers["Location"] for each in range(5)
    ]
    async with bzz.deliver():
        await listening()

        async def write(place: str, number: int) -> None:
            while (await client.put(place, json={"size": number})).status_code == 503:  # its turn did not come in time
                pass

        def by_script(place: str, number: int) -> None:
            Hut.objects(pk=place.split("/")[-2]).update(set__size=number)

        requests = [write(place, number) for number in range(100, 120) for place in places]
        scripts = [asyncio.to_thread(by_script, place, number) for number in range(200, 210) for place in places]
        await asyncio.gather(*requests, *scripts)
        await eventually(lambda: len(seen) == 150)
    known = {each.new: each.source for each in seen}
    assert {known[number] for number in range(100, 120)} == {"http"}
    assert {known[number] for number in range(200, 210)} == {None}


async def test_it_is_known_at_the_second_attempt_too(client: httpx.AsyncClient) -> None:
    sources: list[Any] = []

    @bzz.durable("Hut.updated", name="x", schedule=(0.05,))
    async def fail_once(event: Any) -> None:
        sources.append((event.attempt, event.source))
        if event.attempt == 1:
            raise ValueError("not yet")

    place = (await client.post("/hut/", json={"name": "a", "size": 0})).headers["Location"]
    async with bzz.deliver():
        await listening()
        await client.put(place, json={"size": 1})
        await eventually(lambda: len(sources) >= 2)
    assert sources[:2] == [(1, "http"), (2, "http")]
