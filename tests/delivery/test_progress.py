"""How far a listener has come is stored while nothing happens, too; a history that is lost is loud."""

from __future__ import annotations

import asyncio
import logging

import mongoengine as me
import pytest

import bzz
from bzz.change import Position
from bzz.delivery import session
from bzz.providers.deliveries import Deliveries
from bzz.providers.mongoengine.changes import ticks
from bzz.providers.mongoengine.changes.deliveries import MongoDeliveries
from tests.conftest import Driver
from tests.delivery.conftest import Seen, eventually, listening


class Lake(me.Document):
    depth = me.IntField()


@pytest.fixture
def deliveries(driver: Driver) -> Deliveries:
    return MongoDeliveries(driver())


async def lowest(deliveries: Deliveries) -> Position:
    (state,) = await deliveries.states()
    return min(each.progress.position for each in state.partitions)


async def test_the_place_of_a_quiet_listener_moves_on(
    seen: Seen, driver: Driver, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch, database_name: str
) -> None:
    monkeypatch.setattr(ticks, "TICK_SECONDS", 0.1)
    monkeypatch.setattr(session, "IDLE_SAVE_SECONDS", 0.1)
    bzz.durable("Lake.*", name="x")(seen)
    async with bzz.deliver():
        await listening()
        first = await lowest(deliveries)

        async def has_moved() -> bool:
            await driver()["unrelated"].insert_one({})
            return await lowest(deliveries) > first

        await eventually(has_moved)
    assert seen == []


async def test_partitions_that_get_nothing_move_on_with_the_others(
    seen: Seen, deliveries: Deliveries, database_name: str
) -> None:
    bzz.durable("Lake.*", name="x")(seen)
    async with bzz.deliver():
        await listening()
        first = await lowest(deliveries)
        lake = Lake(depth=0).save()

        async def has_moved() -> bool:
            return await lowest(deliveries) > first

        await eventually(has_moved)
    assert seen[0].instance.pk == lake.pk


async def lose(driver: Driver) -> None:
    """Have the stored place be one that the database does not know, as after it was restored from an older copy."""
    await driver()["bzz_listeners"].update_many(
        {"kind": "partition"}, {"$set": {"progress.position": {"seconds": 4_000_000_000, "increment": 1, "number": 0}}}
    )


async def test_a_lost_history_is_loud_and_resynced_without_a_gap(
    seen: Seen,
    driver: Driver,
    deliveries: Deliveries,
    caplog: pytest.LogCaptureFixture,
    quick_beats: None,
    database_name: str,
) -> None:
    bzz.durable("Lake.created", name="x")(seen)
    async with bzz.deliver():
        await listening()
    await lose(driver)
    lakes = [Lake(depth=number).save() for number in range(5)]
    with caplog.at_level(logging.ERROR, "bzz.delivery"):
        async with bzz.deliver():

            async def is_lost() -> bool:
                (state,) = await deliveries.states()
                return state.trouble == "lost"

            await eventually(is_lost)
            assert "x: changes were lost" in caplog.text
            lakes.append(Lake(depth=5).save())
            await asyncio.sleep(0)
            assert seen == []
            assert await deliveries.resync("x")
            await eventually(lambda: len(seen) == 6)
            lakes.append(Lake(depth=6).save())
            await eventually(lambda: len(seen) == 7)
    assert {each.instance.pk for each in seen} == {each.pk for each in lakes}
