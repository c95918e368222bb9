"""The database is not there, dies or falls silent: 503 in bounded time, then all is well again."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

import bzz
from bzz.providers.mongoengine.concurrency import CONCURRENT
from tests.conftest import Serve
from tests.robustness.conftest import LONGEST, Connect, ExpendableMongo, becomes_well
from tests.robustness.documents import Account, Person, Scoped, Shown
from tests.robustness.wire import Wire

pytestmark = pytest.mark.slow  # servers are frozen and killed, and their time limits waited for

DRIVERS = ["own", "motor", "pymongo"]
SOON = "&serverSelectionTimeoutMS=1500"


def routes(database: Any) -> Any:
    return bzz.flatten(
        [
            bzz.ModelHive.routes_for("mongoengine", model, database=database)
            for model in (Person, Account, Scoped, Shown)
        ]
    )


async def every_kind(client: httpx.AsyncClient, ids: dict[str, str], times: int = 1) -> list[httpx.Response]:
    """One request of every kind, so many times, all at once."""
    requests: list[tuple[str, str, Any]] = []
    for name, key in ids.items():
        url = f"/{name}/{key}/"
        requests += [("GET", url, None), ("GET", f"/{name}/", None), ("POST", f"/{name}/", {"name": "new"})]
        requests += [("PUT", url, {"age": 2}), ("PATCH", url, {"name": "x"}), ("DELETE", url, None)]
    for name in ("person", "account"):
        url = f"/{name}/{ids[name]}/"
        requests += [("PUT", url, {"address": {"city": "Rio"}}), ("POST", url + "notes/", {"text": "x"})]
    return await asyncio.gather(*(client.request(method, url, json=body) for method, url, body in times * requests))


async def every_kind_of_each(
    clients: list[httpx.AsyncClient], ids: list[dict[str, str]]
) -> tuple[list[list[httpx.Response]], float]:
    """Three requests of every kind of each client, all at once, and the seconds that they took."""
    start = time.monotonic()
    answers = await asyncio.gather(*map(every_kind, clients, ids, [3, 3, 3]))
    return answers, time.monotonic() - start


def assert_unavailable(answers: list[httpx.Response]) -> None:
    assert {each.status_code for each in answers} == {503}
    assert all(("Retry-After" in each.headers) is ("nothing was done" in each.json()["detail"]) for each in answers)
    assert {each.headers["Content-Type"] for each in answers} == {"application/problem+json"}


async def create_each(client: httpx.AsyncClient) -> dict[str, str]:
    names = ("person", "account", "scoped", "shown")
    return {name: (await client.post(f"/{name}/", json={"name": "Ann"})).headers["X-Created-Id"] for name in names}


@pytest.mark.usefixtures("quiet_log")
async def test_those_who_wait_for_their_turn_are_told_in_time_as_well(
    wire: Wire, connect: Connect, serve: Serve
) -> None:
    seconds, turns = 3, 5
    client = serve(routes(connect(f"{wire.uri}&timeoutMS={1000 * seconds}")("own")))
    await create_each(client)
    wire.hold()
    start = time.monotonic()
    answers = await asyncio.gather(*(client.get("/person/") for _ in range(turns * CONCURRENT)))
    assert time.monotonic() - start < turns * seconds  # which is the least where each turn has a time of its own
    wire.release()
    assert_unavailable(answers)
    await becomes_well(client, "/person/")


@pytest.mark.usefixtures("quiet_log")
async def test_a_silent_database_is_a_503_in_bounded_time_on_every_driver_at_once(
    expendable: ExpendableMongo, wire: Wire, connect: Connect, serve: Serve
) -> None:
    database = connect(wire.uri)
    clients = [serve(routes(database(driver))) for driver in DRIVERS]
    ids = [await create_each(client) for client in clients]
    _, usual = await every_kind_of_each(clients, ids)  # what so many requests take on this machine anyway
    ids = [await create_each(client) for client in clients]
    with expendable.stopped():
        answers, took = await every_kind_of_each(clients, ids)
    for each in answers:
        assert_unavailable(each)
    assert took < LONGEST + usual
    for client in clients:
        await becomes_well(client, "/person/")


@pytest.mark.usefixtures("quiet_log")
async def test_a_database_that_was_never_there_is_a_503_and_then_serves_with_its_indexes(
    wire: Wire, connect: Connect, serve: Serve
) -> None:
    wire.cut()
    database = connect(wire.uri + SOON)
    clients = [serve(routes(database(driver))) for driver in DRIVERS]
    keys = dict.fromkeys(("person", "account", "scoped", "shown"), 24 * "a")
    answers, took = await every_kind_of_each(clients, [keys for _ in clients])
    wire.mend()
    for each in answers:
        assert_unavailable(each)
    for client in clients:
        await becomes_well(client, "/person/")
    _, usual = await every_kind_of_each(clients, [keys for _ in clients])
    assert took < LONGEST + usual
    posts = [client.post("/person/", json={"email": "ann@example.org"}) for client in clients]
    assert sorted(each.status_code for each in await asyncio.gather(*posts)) == [201, 409, 409]


@pytest.mark.usefixtures("quiet_log")
async def test_a_killed_database_is_a_503_until_it_is_back(
    expendable: ExpendableMongo, wire: Wire, connect: Connect, serve: Serve
) -> None:
    database = connect(wire.uri + SOON)
    clients = [serve(routes(database(driver))) for driver in DRIVERS]
    ids = [await create_each(client) for client in clients]
    _, usual = await every_kind_of_each(clients, ids)
    ids = [await create_each(client) for client in clients]
    expendable.kill()
    wire.cut()
    try:
        answers, took = await every_kind_of_each(clients, ids)
    finally:
        expendable.start()
    wire.target = expendable.port
    wire.mend()
    for each in answers:
        assert_unavailable(each)
    assert took < LONGEST + usual
    for client, known in zip(clients, ids, strict=True):
        await becomes_well(client, f"/person/{known['person']}/")
        assert (await client.put(f"/account/{known['account']}/", json={"age": 3})).json()["age"] == 3
