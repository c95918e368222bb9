"""Clients of two processes write the same: the changes told form one chain, and one condition has one winner."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bzz.dev import MongoServer
from tests.faults import SOAK
from tests.faults.models import MODELS
from tests.faults.running import Running, running
from tests.robustness.test_concurrency import assert_chain

EACH = 4
"""How many clients each process has."""

ROUNDS = 8 * SOAK

CONDITIONAL = [(model, method) for model in ("plain", "saving") for method in ("PUT", "PATCH", "DELETE")]

pytestmark = pytest.mark.timeout(300 * SOAK)


class Raced:
    """Clients of every process of an application.

    :param changes: the file where the application notes the changes that it is told of.
    """

    def __init__(self, clients: Sequence[httpx.AsyncClient], changes: Path) -> None:
        self._clients = clients
        self._changes = changes

    async def create(self, model: str, **body: Any) -> str:
        """The address of a new document, which begins with so much."""
        answer = await self._clients[0].post(f"/{model}/", json={"token": uuid.uuid4().hex, **body})
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    async def get(self, url: str) -> httpx.Response:
        return await self._clients[0].get(url)

    async def all(self, method: str, url: str, bodies: Iterator[Any], **more: Any) -> list[int]:
        """What every client is answered that sends the next body, all at once."""
        requests = (each.request(method, url, json=next(bodies), **more) for each in self._clients)
        return [each.status_code for each in await asyncio.gather(*requests)]

    def told(self, name: str) -> list[dict[str, Any]]:
        """The changes of the document or item of this id."""
        lines = map(json.loads, self._changes.read_text().splitlines())
        return [change for key, change in lines if key == name and change]


@asynccontextmanager
async def clients_of_each(application: Running, processes: int) -> AsyncIterator[list[httpx.AsyncClient]]:
    """So many clients of each process, each with one connection."""
    found: dict[str, list[httpx.AsyncClient]] = {}
    async with AsyncExitStack() as stack:
        while len(found) < processes or min(map(len, found.values())) < EACH:
            client = await stack.enter_async_context(application.client())
            found.setdefault((await client.get("/pid")).text, []).append(client)
        yield [client for clients in found.values() for client in clients[:EACH]]


@asynccontextmanager
async def raced(mongo: MongoServer, database: str, directory: Path, provider: str) -> AsyncIterator[Raced]:
    changes = directory / "changes"
    with running(mongo.uri, database, provider=provider, processes=2, changes=str(changes)) as application:
        async with clients_of_each(application, 2) as clients:
            yield Raced(clients, changes)


def id_in(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]


async def race_for_fields(race: Raced, model: str) -> None:
    """Check that the changes of a field, of an embedded document's and of an item's each are one chain."""
    url = await race.create(model, age=0, home={"city": "0"}, notes=[{"text": "0"}])
    item = f"{url}notes/{(await race.get(url)).json()['notes'][0]['id']}/"
    ages, cities, texts = iter(range(1, 1 << 30)), iter(range(1, 1 << 30)), iter(range(1, 1 << 30))
    for _ in range(ROUNDS):
        answers = await asyncio.gather(
            race.all("PUT", url, ({"age": each} for each in ages)),
            race.all("PUT", url, ({"home": {"city": str(each)}} for each in cities)),
            race.all("PUT", item, ({"text": str(each)} for each in texts)),
        )
        assert {status for statuses in answers for status in statuses} == {200}
    now = (await race.get(url)).json()
    told = race.told(id_in(url))
    assert_chain([each for each in told if "age" in each], "age", 0, now["age"])
    assert_chain([each for each in told if "home.city" in each], "home.city", "0", now["home"]["city"])
    assert_chain(race.told(id_in(item)), "text", "0", now["notes"][0]["text"])


async def race_for_a_tag(race: Raced, model: str, method: str) -> None:
    """Check that of several who write under one condition one succeeds."""
    url = await race.create(model, age=0)
    for number in range(ROUNDS):
        tag = (await race.get(url)).headers["ETag"]
        bodies = ({"age": number * 1000 + each} for each in range(1, 1000))
        statuses = await race.all(method, url, bodies, headers={"If-Match": tag})
        assert statuses.count(204 if method == "DELETE" else 200) == 1, statuses
        assert set(statuses) <= {200, 204, 404, 412}
        if method == "DELETE":
            url = await race.create(model, age=0)


@pytest.mark.parametrize("model", MODELS)
async def test_the_changes_that_are_told_form_one_chain(
    model: str, mongo: MongoServer, database: str, tmp_path: Path
) -> None:
    async with raced(mongo, database, tmp_path, "mongoengine") as race:
        await race_for_fields(race, model)


@pytest.mark.parametrize(("model", "method"), CONDITIONAL)
async def test_one_condition_has_one_winner(
    model: str, method: str, mongo: MongoServer, database: str, tmp_path: Path
) -> None:
    async with raced(mongo, database, tmp_path, "mongoengine") as race:
        await race_for_a_tag(race, model, method)


async def test_the_harness_sees_a_broken_chain(mongo: MongoServer, database: str, tmp_path: Path) -> None:
    async with raced(mongo, database, tmp_path, "TellsStaleChanges") as race:
        with pytest.raises(AssertionError):
            await race_for_fields(race, "plain")


async def test_the_harness_sees_a_second_winner(mongo: MongoServer, database: str, tmp_path: Path) -> None:
    async with raced(mongo, database, tmp_path, "IgnoresPreconditions") as race:
        with pytest.raises(AssertionError):
            await race_for_a_tag(race, "plain", "PUT")
