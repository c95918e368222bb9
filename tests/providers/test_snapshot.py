"""Snapshots: the documents of a scope as they were at one position, from which the stream goes on without a gap."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import mongoengine as me
import pytest
from pymongo import AsyncMongoClient

from bzz.dev import MongoServer
from bzz.providers.base import Options
from bzz.providers.changes import Position
from bzz.providers.mongoengine.changes import snapshot
from bzz.providers.mongoengine.provider import MongoEngineProvider
from bzz.testing.provider.client import Client
from tests.conftest import Driver
from tests.providers.following import following

Raw = dict[str, Any]


class Sounding(me.Document):
    name = me.StringField()
    level = me.IntField()


class Dial(me.Document):
    meta = {"ordering": ["-level"]}  # noqa: RUF012  # as MongoEngine has it
    level = me.IntField()


@pytest.fixture
async def gauges(driver: Driver) -> MongoEngineProvider:
    provider = MongoEngineProvider(Sounding, Options(database=driver()))
    await provider.changes().prepare(["sounding"])
    return provider


async def read(provider: MongoEngineProvider, text: str = "", where: str = "") -> tuple[Position, list[list[Raw]]]:
    client = Client(provider)
    query = client.query(where, text)
    found = await provider.snapshot(await provider.scope(client.path(where), query, None), query)
    return found.position, [list(each) async for each in found.batches]


async def shown(provider: MongoEngineProvider, batches: list[list[Raw]]) -> list[Raw]:
    return [await Client(provider).show(provider.record(each)) for batch in batches for each in batch]


async def test_the_documents_of_a_scope_come_in_the_order_of_the_query(
    gauges: MongoEngineProvider, driver: Driver
) -> None:
    await driver()["sounding"].insert_many([{"name": name, "level": level} for level, name in enumerate("abcd")])
    _, batches = await read(gauges, "level__gte=1&sort=-name")
    assert [each["name"] for each in await shown(gauges, batches)] == ["d", "c", "b"]


async def test_the_order_of_the_model_is_that_of_its_snapshots(driver: Driver, gauges: MongoEngineProvider) -> None:
    dials = MongoEngineProvider(Dial, Options(database=driver()))
    await dials.changes().prepare(["dial"])
    await driver()["dial"].insert_many([{"level": level} for level in (2, 3, 1)])
    _, batches = await read(dials)
    assert [each["level"] for each in await shown(dials, batches)] == [3, 2, 1]


async def test_one_document_is_a_snapshot_too(gauges: MongoEngineProvider) -> None:
    client = Client(gauges)
    ann = await client.add(name="Ann")
    await client.add(name="Bob")
    _, batches = await read(gauges, where=ann)
    assert [each["name"] for each in await shown(gauges, batches)] == ["Ann"]


async def test_large_snapshots_come_in_batches(gauges: MongoEngineProvider, driver: Driver) -> None:
    await driver()["sounding"].insert_many([{"level": level} for level in range(250)])
    _, batches = await read(gauges, "sort=level")
    assert [len(each) for each in batches] == [100, 100, 50]
    assert [each["level"] for each in await shown(gauges, batches)] == list(range(250))


async def test_a_connection_with_a_timeout_of_its_own_reads_several_batches(
    mongo: MongoServer, database_name: str
) -> None:
    async with AsyncMongoClient[Any](mongo.uri, timeoutMS=20_000) as client:
        provider = MongoEngineProvider(Sounding, Options(database=client[database_name]))
        await client[database_name]["sounding"].insert_many([{"level": level} for level in range(250)])
        _, batches = await read(provider)
    assert [len(each) for each in batches] == [100, 100, 50]


async def test_a_snapshot_is_read_on_as_it_was(gauges: MongoEngineProvider, driver: Driver) -> None:
    await driver()["sounding"].insert_many([{"level": level} for level in range(150)])
    client = Client(gauges)
    query = client.query("", "sort=level")
    found = await gauges.snapshot(await gauges.scope(client.path(""), query, None), query)
    await driver()["sounding"].update_many({}, {"$set": {"level": -1}})
    await driver()["sounding"].insert_one({"level": 1000})
    assert [each["level"] async for batch in found.batches for each in batch] == list(range(150))
    async with following(gauges.changes(), "sounding", after=found.position) as stream:
        assert len(await stream.take(151)) == 151


async def test_two_snapshots_may_be_of_one_position(gauges: MongoEngineProvider, driver: Driver) -> None:
    documents, client = driver()["sounding"], Client(gauges)
    await documents.insert_one({"_id": 1, "level": 1})
    query = client.query("")
    scope = await gauges.scope(client.path(""), query, None)
    first = await gauges.snapshot(scope, query)
    await documents.update_one({"_id": 1}, {"$set": {"level": 2}})
    second = await gauges.snapshot(scope, query, first.position)
    found = [[each["level"] async for batch in each.batches for each in batch] for each in (first, second)]
    assert (found, second.position) == ([[1], [1]], first.position)


async def test_a_collection_that_is_gone_is_empty_and_what_comes_is_told(
    gauges: MongoEngineProvider, driver: Driver
) -> None:
    await driver()["sounding"].drop()
    position, batches = await read(gauges)
    await driver()["sounding"].insert_one({"_id": 1})
    async with following(gauges.changes(), "sounding", after=position) as stream:
        assert (batches, (await stream.next()).key) == ([], 1)


async def test_a_snapshot_that_nobody_reads_to_its_end_leaves_no_cursor(
    gauges: MongoEngineProvider, driver: Driver
) -> None:
    await driver()["sounding"].insert_many([{"level": level} for level in range(250)])
    client = Client(gauges)
    query = client.query("")
    found = await gauges.snapshot(await gauges.scope(client.path(""), query, None), query)
    batches: Any = found.batches
    await anext(batches)
    before = await _open_cursors(driver)
    await batches.aclose()
    assert await _open_cursors(driver) < before


async def _open_cursors(driver: Driver) -> int:
    status = await driver().client.admin.command("serverStatus")
    return int(status["metrics"]["cursor"]["open"]["total"])


WRITERS, WRITES, READERS = 4, 60, 3


async def test_snapshot_and_stream_leave_no_gap_while_others_write(
    gauges: MongoEngineProvider, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reader's documents, kept up to date by what the stream tells, end as the collection does.

    On the way, what a change says was there before is what the reader has.
    """
    monkeypatch.setattr(snapshot, "BATCH_DOCUMENTS", 3)
    documents = driver()["sounding"]
    changes = gauges.changes()
    await documents.insert_many([{"_id": number, "level": 0} for number in range(10)])

    async def write(seed: int) -> None:
        chance = random.Random(seed)
        for number in range(WRITES):
            key = chance.randrange(20)
            match chance.randrange(4):
                case 0:
                    await documents.delete_one({"_id": key})
                case 1:
                    await documents.replace_one({"_id": key}, {"level": number, "name": str(seed)}, upsert=True)
                case _:
                    await documents.update_one({"_id": key}, {"$inc": {"level": 1}}, upsert=True)

    async def keep_up(delay: int) -> dict[Any, Raw]:
        start = await changes.now()
        async with following(changes, "sounding", after=start) as stream:
            for _ in range(delay):
                await documents.find_one({})
            position, batches = await read(gauges)
            held: dict[Any, Raw] = {each["_id"]: each for batch in batches for each in batch}
            while (commit := await stream.next()).key != "last":
                if commit.position <= position:
                    continue
                assert held.get(commit.key) == commit.before, commit
                if commit.after is None:
                    del held[commit.key]
                else:
                    held[commit.key] = commit.after
            return held

    readers = [asyncio.create_task(keep_up(10 * number)) for number in range(READERS)]
    await asyncio.gather(*(write(seed) for seed in range(WRITERS)))
    stored = {each["_id"]: each for each in await documents.find({}).to_list(None)}
    await documents.insert_one({"_id": "last"})
    assert [await each for each in readers] == [stored] * READERS
