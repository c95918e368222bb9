"""The stream of committed changes while MongoDB fails, dies, freezes and forgets."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient

from bzz.change import Position
from bzz.providers.changes import Commit, HistoryLost
from bzz.providers.mongoengine.changes import change_stream
from bzz.providers.mongoengine.changes.database_changes import DatabaseChanges, changes_of
from tests.faults.replicas import ReplicaSet
from tests.providers.following import Following, following

pytestmark = pytest.mark.timeout(300)

Raw = dict[str, Any]


@pytest.fixture(params=["motor", "pymongo"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[ReplicaSet], Any]]:
    """Makes a client of a replica set, of either driver."""
    clients: list[Any] = []

    def make(replicas: ReplicaSet) -> Any:
        made: Any
        if request.param == "motor":
            made = AsyncIOMotorClient(replicas.uri, heartbeatFrequencyMS=500, io_loop=asyncio.get_running_loop())
        else:
            made = AsyncMongoClient(replicas.uri, heartbeatFrequencyMS=500)
        clients.append(made)
        return made

    yield make
    for each in clients:
        closing = each.close()
        if closing is not None:
            await closing


@contextmanager
def failing(replicas: ReplicaSet, commands: list[str], times: int, **data: Any) -> Iterator[None]:
    """The next commands of these names fail so many times."""
    member = replicas.members[0]
    member.fail("failCommand", {"times": times}, failCommands=commands, failInternalCommands=False, **data)
    try:
        yield
    finally:
        member.fail("failCommand", "off")


async def prepared(client: Any, database: str) -> DatabaseChanges:
    changes = changes_of(client[database])
    await changes.prepare(["log"])
    return changes


@pytest.mark.parametrize(
    "failure",
    [
        {"errorCode": 11600},
        {"errorCode": 189, "errorLabels": []},
        {"errorCode": 43, "errorLabels": []},
        {"errorCode": 8, "errorLabels": []},
        {"errorCode": 136, "errorLabels": ["ResumableChangeStreamError"]},
        {"closeConnection": True},
    ],
    ids=str,
)
async def test_the_stream_goes_on_where_it_was_after_any_trouble(
    fallible: ReplicaSet, database: str, connect: Callable[[ReplicaSet], Any], failure: Raw
) -> None:
    client = connect(fallible)
    changes = await prepared(client, database)
    log = client[database]["log"]
    async with following(changes, "log") as stream:
        await log.insert_one({"_id": 0})
        assert (await stream.next()).key == 0
        with failing(fallible, ["getMore", "aggregate"], 4, **failure):
            for number in (1, 2):
                await log.insert_one({"_id": number})
            assert [each.key for each in await stream.take(2)] == [1, 2]


@pytest.mark.parametrize("code", [280, 286])
async def test_lost_history_is_told_and_ends_the_stream(
    fallible: ReplicaSet, database: str, connect: Callable[[ReplicaSet], Any], code: int
) -> None:
    changes = await prepared(connect(fallible), database)
    labels = ["NonResumableChangeStreamError"]
    async with following(changes, "log") as stream:
        with failing(fallible, ["getMore"], 1, errorCode=code, errorLabels=labels), pytest.raises(HistoryLost):
            await stream.next()


async def test_trouble_is_logged_and_the_stream_waits_between_its_attempts(
    fallible: ReplicaSet,
    database: str,
    connect: Callable[[ReplicaSet], Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = connect(fallible)
    changes = await prepared(client, database)
    async with following(changes, "log") as stream:
        with failing(fallible, ["getMore", "aggregate"], 3, errorCode=8, errorLabels=[]):
            await client[database]["log"].insert_one({"_id": 1})
            await stream.next()
    told = [each.getMessage() for each in caplog.records if "change stream" in each.getMessage()]
    assert [each[-6:] for each in told] == ["0.1 s.", "0.2 s.", "0.4 s."]
    assert all("code 8" in each for each in told)


@pytest.mark.slow
@pytest.mark.parametrize("connect", ["pymongo"], indirect=True)
async def test_what_the_oplog_has_forgotten_is_lost(
    fallible: ReplicaSet, database: str, connect: Callable[[ReplicaSet], Any]
) -> None:
    client = connect(fallible)
    changes = await prepared(client, database)
    log = client[database]["log"]
    position = await changes.now()
    text = os.urandom(1_000_000)

    async def fill() -> None:
        while True:
            for _ in range(64):
                await log.insert_one({"text": text})
            await client.admin.command("fsync")  # what no checkpoint has is not forgotten
            async with following(changes, "log", after=position):
                pass

    with pytest.raises(HistoryLost):
        await fill()


# -- a replica set of three

WRITERS = 4
BETWEEN = 150
"""How many changes are told between two faults."""


async def write(client: Any, database: str, writer: int, go_on: Callable[[], bool]) -> None:
    """Count a document of its own up; every acknowledged write is one more."""
    log = client[database]["log"]
    number = 0
    while go_on():
        await log.update_one({"_id": writer}, {"$set": {"number": number + 1}, "$inc": {"times": 1}}, upsert=True)
        number += 1


async def killed(replicas: ReplicaSet) -> None:
    """The primary dies, another is elected, and it comes back."""
    primary = await asyncio.to_thread(replicas.primary)
    primary.kill()
    await asyncio.to_thread(replicas.primary)
    await asyncio.to_thread(primary.start)
    await asyncio.to_thread(replicas.wait_until_whole)


async def frozen(replicas: ReplicaSet) -> None:
    """The primary keeps its connections and says nothing, until another was elected."""
    primary = await asyncio.to_thread(replicas.primary)
    primary.signal(signal.SIGSTOP)
    try:
        await asyncio.to_thread(replicas.primary)
    finally:
        primary.signal(signal.SIGCONT)
    await asyncio.to_thread(replicas.wait_until_whole)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [killed, frozen])
async def test_every_change_is_told_once_whatever_becomes_of_the_primary(
    replicas: ReplicaSet,
    database: str,
    connect: Callable[[ReplicaSet], Any],
    fault: Callable[[ReplicaSet], Coroutine[Any, Any, None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a change says was there before is what the one before it left, and the last is what is stored."""
    monkeypatch.setattr(change_stream, "SILENCE_SECONDS", 2.0)
    client = connect(replicas)
    changes = await prepared(client, database)
    log = client[database]["log"]
    is_over = False
    held: dict[Any, Raw] = {}
    positions: list[Position] = []

    async def follow(stream: Following, number: int) -> None:
        for commit in await stream.take(number):
            assert isinstance(commit, Commit)
            assert commit.is_whole
            assert held.get(commit.key) == commit.before
            held[commit.key] = commit.after
            positions.append(commit.position)

    async with following(changes, "log") as stream:
        writers = [asyncio.create_task(write(client, database, each, lambda: not is_over)) for each in range(WRITERS)]
        await follow(stream, BETWEEN)
        happening = asyncio.create_task(fault(replicas))
        while not happening.done():
            await follow(stream, 1)
        await happening
        await follow(stream, BETWEEN)
        is_over = True
        await asyncio.gather(*writers)
        await log.insert_one({"_id": "last"})
        while "last" not in held:
            await follow(stream, 1)
    stored = {each["_id"]: each for each in await log.find({}).to_list(None)}
    assert held == stored
    assert positions == sorted(set(positions))
