"""What hangs holds up nobody else, and reads go to the primary that there is."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import httpx
import mongoengine
import pytest

import bzz
from bzz.providers.mongoengine import concurrency, worker
from bzz.providers.mongoengine.client import close as close_clients
from tests.conftest import Serve
from tests.faults.replicas import Member, ReplicaSet
from tests.robustness.documents import Account, Person, Scoped

pytestmark = pytest.mark.slow  # servers are frozen and killed, and their time limits waited for

APP = "hanging"
MODELS = (Person, Account, Scoped)
HANGS = 6.0
"""How many seconds an operation hangs."""
HELD_UP = 3.0
"""How long others may be held up by it."""

Open = Callable[[ReplicaSet], Awaitable[tuple[httpx.AsyncClient, str]]]


@pytest.fixture
async def application(database: str, serve: Serve) -> AsyncIterator[Open]:
    """An application on a replica set, and the id of a person, an account and a scoped."""

    async def open_(replicas: ReplicaSet) -> tuple[httpx.AsyncClient, str]:
        uri = f"{replicas.uri}&appName={APP}&retryReads=true"
        mongoengine.connect(db=database, host=uri, uuidRepresentation="standard")
        client = serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", model) for model in MODELS]))
        key = (await client.post("/person/", json={"name": "Ann"})).headers["X-Created-Id"]
        for model in ("account", "scoped"):
            answer = await client.post(f"/{model}/", json={"id": key, "name": "Ann"})
            assert answer.status_code == 201, answer.text
        return client, key

    yield open_
    await close_clients()
    mongoengine.disconnect_all()


@contextmanager
def hanging(member: Member, command: str, times: int) -> Iterator[None]:
    """So many commands of one kind hang for a while."""
    data = {"failCommands": [command], "appName": APP, "blockConnection": True, "blockTimeMS": int(HANGS * 1000)}
    member.fail("failCommand", {"times": times}, **data)
    try:
        yield
    finally:
        member.fail("failCommand", "off")


async def timed(answer: Awaitable[httpx.Response]) -> tuple[int, float]:
    start = time.monotonic()
    status = (await answer).status_code
    return status, time.monotonic() - start


async def entered(member: Member, command: str, times: int) -> None:
    """Wait until so many commands hang."""
    deadline = time.monotonic() + 30
    while True:
        running = member.run("currentOp", True, **{"appName": APP, f"command.{command}": {"$exists": True}})["inprog"]
        if len(running) >= times:
            return
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


KINDS: dict[str, tuple[str, str, str, int]] = {
    "a read by id": ("GET", "/person/{id}/", "find", 1),
    "some reads by id": ("GET", "/person/{id}/", "find", 4),
    "a create": ("POST", "/person/", "insert", 1),
    "a list": ("GET", "/person/", "find", 1),
    "as many lists as may be at once": ("GET", "/person/?name=Ann", "find", concurrency.CONCURRENT),
    "as many saves as there are threads": ("POST", "/account/", "insert", worker.CONCURRENT),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_hangs_holds_up_nobody_else(kind: str, fallible: ReplicaSet, application: Open) -> None:
    client, key = await application(fallible)
    method, url, command, times = KINDS[kind]
    body = {"name": "new"} if method == "POST" else None
    primary = fallible.primary()

    def ask() -> Awaitable[httpx.Response]:
        return client.request(method, url.format(id=key), json=body)

    with hanging(primary, command, times):
        stuck = []
        for _ in range(times):
            stuck.append(asyncio.ensure_future(timed(ask())))
            if "lists" not in kind and "saves" not in kind:
                await entered(primary, command, len(stuck))
        await entered(primary, command, times)
        others = await asyncio.gather(*(timed(ask()) for _ in range(20)))
        assert {status for status, _ in others} == {200 if method == "GET" else 201}
        assert max(took for _, took in others) < HELD_UP
        assert not all(each.done() for each in stuck)
        hung = await asyncio.gather(*stuck)
    assert {status for status, _ in hung} == {200 if method == "GET" else 201}


async def test_a_write_that_hangs_does_not_hold_up_other_writers_of_its_document(
    fallible: ReplicaSet, application: Open
) -> None:
    client, key = await application(fallible)
    primary = fallible.primary()
    with hanging(primary, "findAndModify", 1):
        hung = asyncio.create_task(timed(client.post(f"/person/{key}/notes/", json={"text": "a"}, timeout=60)))
        await entered(primary, "findAndModify", 1)
        others = [timed(client.post(f"/person/{key}/notes/", json={"text": each}, timeout=60)) for each in "bcd"]
        answers = await asyncio.gather(*others)
    assert [status for status, _ in answers] == 3 * [503]
    assert max(seconds for _, seconds in answers) <= HELD_UP + 0.5
    assert (await hung)[0] == 201
    assert (await client.post(f"/person/{key}/notes/", json={"text": "e"})).status_code == 201


async def test_the_indexes_of_one_class_hold_up_no_other(fallible: ReplicaSet, serve: Serve, database: str) -> None:
    mongoengine.connect(db=database, host=f"{fallible.uri}&appName={APP}", uuidRepresentation="standard")
    client = serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", model) for model in MODELS]))
    primary = fallible.primary()
    with hanging(primary, "createIndexes", 1):
        stuck = [asyncio.ensure_future(timed(client.get("/person/"))) for _ in range(worker.CONCURRENT)]
        await entered(primary, "createIndexes", 1)
        other = await timed(client.get("/account/"))
        assert other[0] == 200
        assert other[1] < HELD_UP
        statuses = sorted(await asyncio.gather(*stuck))
    assert statuses[0][0] == 200
    assert all(took < HELD_UP + 1 for status, took in statuses if status == 503)
    await close_clients()
    mongoengine.disconnect_all()


READS = ("/person/{id}/", "/person/", "/person/{id}/addresses/", "/account/{id}/")


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "killed"])
async def test_reads_succeed_on_the_new_primary(
    number: signal.Signals, replicas: ReplicaSet, application: Open
) -> None:
    client, key = await application(replicas)
    old = replicas.primary()
    old.signal(number)
    answers = await asyncio.gather(*(timed(client.get(url.format(id=key))) for url in READS for _ in range(3)))
    assert [status for status, _ in answers] == [200] * len(answers)
    assert max(took for _, took in answers) < concurrency.TIMEOUT_SECONDS
    assert replicas.primary() is not old
    later = await asyncio.gather(*(timed(client.get(url.format(id=key))) for url in READS))
    assert [status for status, _ in later] == [200] * len(later)
    if number == signal.SIGSTOP:
        old.signal(signal.SIGCONT)


async def test_reads_outlast_a_server_that_is_frozen_for_four_seconds(fallible: ReplicaSet, application: Open) -> None:
    client, key = await application(fallible)
    primary = fallible.primary()
    primary.signal(signal.SIGSTOP)
    try:
        asked = []
        for _ in range(8):
            asked += [asyncio.ensure_future(timed(client.get(url.format(id=key)))) for url in READS]
            await asyncio.wait(asked, timeout=0.5)
    finally:
        primary.signal(signal.SIGCONT)
    assert [status for status, _ in await asyncio.gather(*asked)] == [200] * len(asked)
