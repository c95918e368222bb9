"""The stream of committed changes: each one once, in order, with both sides, whoever wrote it and however."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import mongoengine as me
import pytest
from pymongo import AsyncMongoClient

from bzz.change import Position
from bzz.dev import MongoServer
from bzz.errors import Unavailable
from bzz.providers.base import Options
from bzz.providers.changes import Changes, HistoryLost
from bzz.providers.mongoengine.changes import ticks
from bzz.providers.mongoengine.changes.change_stream import ChangeStream
from bzz.providers.mongoengine.changes.commands import Commands
from bzz.providers.mongoengine.changes.database_changes import changes_of
from bzz.providers.mongoengine.changes.ticks import Ticks
from bzz.providers.mongoengine.provider import MongoEngineProvider
from tests.conftest import Driver
from tests.providers.following import PATIENCE, following, tell

pytestmark = pytest.mark.timeout(240)  # some write tens of megabytes, for which a busy machine takes long

Raw = dict[str, Any]


class Buoy(me.Document):
    name = me.StringField()
    depth = me.IntField()
    tags = me.ListField(me.StringField())


@pytest.fixture
async def changes(driver: Driver) -> Changes:
    """The changes of the test's database, which keeps images of ``buoy`` and ``mast``."""
    found = MongoEngineProvider(Buoy, Options(database=driver())).changes()
    await found.prepare(["buoy", "mast"])
    return found


async def test_every_way_to_write_is_told_with_both_sides(changes: Changes, driver: Driver) -> None:
    buoys = driver()["buoy"]
    async with following(changes, "buoy") as stream:
        await buoys.insert_one({"_id": 1, "tags": ["a", "b", "a"], "depth": 3})
        await buoys.update_one({"_id": 1}, {"$pull": {"tags": "a"}})
        await buoys.update_one({"_id": 1}, [{"$set": {"depth": {"$add": ["$depth", 1]}}}])
        await buoys.replace_one({"_id": 1}, {"name": "new"})
        await buoys.delete_one({"_id": 1})
        found = await stream.take(5)
    states: list[Raw | None] = [
        None,
        {"_id": 1, "tags": ["a", "b", "a"], "depth": 3},
        {"_id": 1, "tags": ["b"], "depth": 3},
        {"_id": 1, "tags": ["b"], "depth": 4},
        {"_id": 1, "name": "new"},
        None,
    ]
    assert [(each.before, each.after) for each in found] == list(pairwise(states))
    assert [each.kind for each in found] == ["created", "updated", "updated", "updated", "deleted"]
    assert [(each.collection, each.key, each.is_whole) for each in found] == [("buoy", 1, True)] * 5


async def test_dotted_and_dollar_keys_are_told_as_they_are(changes: Changes, driver: Driver) -> None:
    after = {"_id": 1, "a.b": 1, "$set": {"$x": "$y"}, "a": {"b": 2}}
    async with following(changes, "buoy") as stream:
        await driver()["buoy"].insert_one({"_id": 1})
        await driver()["buoy"].update_one({"_id": 1}, [{"$replaceWith": {"$literal": after}}])
        found = (await stream.take(2))[1]
    assert (found.before, found.after) == ({"_id": 1}, after)


async def test_other_collections_are_not_told(changes: Changes, driver: Driver) -> None:
    async with following(changes, "buoy") as stream:
        await driver()["mast"].insert_one({"_id": 1})
        await driver()["buoy"].insert_one({"_id": 2})
        assert tell(await stream.next()) == ("created", 2)


async def test_a_change_says_when_it_was_committed(changes: Changes, driver: Driver) -> None:
    async with following(changes, "buoy") as stream:
        await driver()["buoy"].insert_one({"_id": 1})
        found = await stream.next()
    assert abs(datetime.now(UTC) - found.at) < timedelta(minutes=5)
    assert found.size > 0


async def test_positions_rise_and_number_the_changes_of_a_transaction(changes: Changes, driver: Driver) -> None:
    begin = await changes.now()
    await _transact(driver)
    async with following(changes, "buoy", "mast", after=begin) as stream:
        found = await stream.take(6)
    inside = found[1:]
    assert len({each.position[:2] for each in inside}) == 1
    assert [(each.collection, each.position.number) for each in inside] == [
        ("buoy", 1),
        ("mast", 1),
        ("buoy", 2),
        ("mast", 2),
        ("buoy", 3),
    ]
    assert found[0].position < inside[0].position


@pytest.mark.parametrize("number", [0, 1, 2, 3])
async def test_a_stream_goes_on_in_the_middle_of_a_transaction(changes: Changes, driver: Driver, number: int) -> None:
    begin = await changes.now()
    await _transact(driver)
    async with following(changes, "buoy", after=begin) as stream:
        place = (await stream.take(4))[1].position
    async with following(changes, "buoy", after=place._replace(number=number)) as stream:
        await driver()["buoy"].insert_one({"_id": "last"})
        found = await stream.until(lambda each: each.key == "last")
    assert [each.key for each in found] == [*range(number, 3), "last"]


async def _transact(driver: Driver) -> None:
    """One insert, and then five in one transaction over two collections."""
    await driver()["buoy"].insert_one({"_id": "first"})
    session: Any = driver().client.start_session()
    if hasattr(session, "__await__"):
        session = await session
    async with session:
        transaction = session.start_transaction()
        async with await transaction if hasattr(transaction, "__await__") else transaction:
            for name, key in (("buoy", 0), ("mast", 0), ("buoy", 1), ("mast", 1), ("buoy", 2)):
                await driver()[name].insert_one({"_id": key}, session=session)


async def test_a_stream_after_now_misses_nothing_and_tells_nothing_twice(changes: Changes, driver: Driver) -> None:
    buoys = driver()["buoy"]
    await buoys.insert_one({"_id": 1})
    position = await changes.now()
    await buoys.insert_one({"_id": 2})
    async with following(changes, "buoy", after=position) as stream:
        await buoys.insert_one({"_id": 3})
        assert [each.key for each in await stream.take(2)] == [2, 3]


async def test_an_update_that_is_too_large_is_told_without_its_sides_and_all_others_with_them(
    changes: Changes, driver: Driver
) -> None:
    buoys = driver()["buoy"]
    async with following(changes, "buoy") as stream:
        await buoys.insert_one({"_id": "large", "name": "x" * 9_000_000})
        await buoys.insert_one({"_id": 1})
        await buoys.update_one({"_id": "large"}, {"$set": {"depth": 1}})
        await buoys.update_one({"_id": 1}, {"$set": {"depth": 1}})
        await buoys.replace_one({"_id": "large"}, {"name": "y" * 8_000_000})
        await buoys.update_one({"_id": 1}, {"$set": {"depth": 2}})
        found = await stream.take(6)
    assert [(*tell(each), each.is_whole) for each in found] == [
        ("created", "large", True),
        ("created", 1, True),
        ("updated", "large", False),
        ("updated", 1, True),
        ("updated", "large", False),
        ("updated", 1, True),
    ]
    assert [(each.before, each.after) for each in found if not each.is_whole] == [(None, None)] * 2
    assert found[5].before == {"_id": 1, "depth": 1}


async def test_a_missing_image_is_told_as_missing(changes: Changes, driver: Driver) -> None:
    database = driver()
    async with following(changes, "buoy") as stream:
        await database["buoy"].insert_one({"_id": 1})
        await database.command({"collMod": "buoy", "changeStreamPreAndPostImages": {"enabled": False}})
        await database["buoy"].update_one({"_id": 1}, {"$set": {"depth": 1}})
        await database["buoy"].replace_one({"_id": 1}, {"depth": 2})
        await database["buoy"].delete_one({"_id": 1})
        found = (await stream.take(4))[1:]
    assert [(each.before, each.after) for each in found] == [(None, None), (None, {"_id": 1, "depth": 2}), (None, None)]
    assert not any(each.is_whole for each in found)


async def test_a_document_that_cannot_be_read_is_told_as_missing(changes: Changes, driver: Driver) -> None:
    async with following(changes, "buoy") as stream:
        await driver()["buoy"].insert_one({"_id": 1})
        far = {"$dateFromParts": {"year": 9999, "month": 12, "day": 400}}
        await driver()["buoy"].update_one({"_id": 1}, [{"$set": {"at": far}}])
        await driver()["buoy"].insert_one({"_id": 2})
        found = await stream.take(3)
    assert [(each.key, each.is_whole) for each in found] == [(1, True), (1, False), (2, True)]
    assert (found[1].before, found[1].after) == ({"_id": 1}, None)


async def test_dropped_and_renamed_collections_are_told(changes: Changes, driver: Driver) -> None:
    database = driver()
    async with following(changes, "buoy", "mast") as stream:
        await database["buoy"].drop()
        await database["mast"].rename("other")
        await database["other"].insert_one({"_id": 1})
        await database["other"].rename("buoy")
        await database["buoy"].insert_one({"_id": 2})
        found = await stream.take(4)
    assert [(each.collection, *tell(each)) for each in found] == [
        ("buoy", "dropped", None),
        ("mast", "renamed", None),
        ("buoy", "renamed", None),
        ("buoy", "created", 2),
    ]


async def test_the_stream_outlives_the_drop_of_the_database(changes: Changes, driver: Driver) -> None:
    database = driver()
    async with following(changes, "buoy") as stream:
        await database.client.drop_database(database.name)
        await database["buoy"].insert_one({"_id": 1})
        await database["buoy"].insert_one({"_id": 2})
        assert [tell(each) for each in await stream.take(3)] == [("dropped", None), ("created", 1), ("created", 2)]


async def test_a_position_that_the_database_has_not_reached_is_lost(changes: Changes) -> None:
    seconds, increment, _ = await changes.now()
    with pytest.raises(HistoryLost):
        await anext(changes.stream(["buoy"], Position(seconds + 1000, increment)))


async def test_an_idle_stream_tells_how_far_it_has_come(
    changes: Changes, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticks, "TICK_SECONDS", 0.0)
    async with following(changes, "buoy") as stream:
        for number in range(3):  # for the first of them may be where the stream begins
            await driver()["mast"].insert_one({"_id": number})
        tick = await stream.tick()
        assert stream.start < tick.position < await changes.now()
        await driver()["buoy"].insert_one({"_id": 2})
        assert (await stream.next()).position > tick.position
    async with following(changes, "buoy", after=tick.position) as stream:
        assert tell(await stream.next()) == ("created", 2)


async def test_nothing_is_told_of_a_time_that_a_stream_has_not_come_to(
    changes: Changes, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticks, "TICK_SECONDS", 0.0)
    database = driver()
    stream = ChangeStream(database, ["buoy"], await Commands(database).last_commit())
    await stream.open()
    assert await stream.read() is None
    before, told = stream.token, Ticks(Commands(database))
    await database["buoy"].insert_one({"_id": 1})
    assert await told.passed(before, Position(0, 0)) is None
    event = await stream.read()
    while event is None:
        event = await stream.read()
    found = await told.passed(stream.token, Position(0, 0))
    await stream.close()
    assert found is not None
    assert found.position == (event["clusterTime"].time, event["clusterTime"].inc, 0)


async def test_a_stream_that_is_closed_while_it_waits_leaves_no_cursor(changes: Changes, driver: Driver) -> None:
    before = await _open_cursors(driver)
    async with following(changes, "buoy") as stream:
        waiting = asyncio.create_task(stream.next())
        while await _open_cursors(driver) == before:
            pass
        waiting.cancel()
        await asyncio.wait([waiting])
    async with asyncio.timeout(PATIENCE):
        while await _open_cursors(driver) > before:
            pass


async def test_a_stream_that_is_cancelled_at_any_moment_of_its_opening_leaves_no_cursor(
    changes: Changes, driver: Driver
) -> None:
    before = await _open_cursors(driver)
    for step in range(25):
        async with aclosing(changes.stream(["buoy"])) as stream:
            opening = asyncio.ensure_future(anext(stream))
            await asyncio.wait([opening], timeout=step * 0.0004)
            opening.cancel()
            await asyncio.wait([opening])
    async with asyncio.timeout(PATIENCE):
        while await _open_cursors(driver) > before:
            pass


async def _open_cursors(driver: Driver) -> int:
    status = await driver().client.admin.command("serverStatus")
    return int(status["metrics"]["cursor"]["open"]["total"])


async def test_a_client_that_is_closed_ends_the_stream(mongo: MongoServer, database_name: str) -> None:
    client: AsyncMongoClient[Any] = AsyncMongoClient(mongo.uri)
    changes = changes_of(client[database_name])
    await changes.prepare(["buoy"])
    async with following(changes, "buoy") as stream:
        await client.close()
        with pytest.raises(Unavailable):
            await stream.next()
    with pytest.raises(Unavailable):
        await anext(changes.stream(["buoy"]))
