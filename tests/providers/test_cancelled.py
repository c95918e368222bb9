"""A task that is cancelled while it waits for the database ends, whatever the driver does."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest

from bzz.providers.mongoengine.concurrency import Operations, heeding
from tests.conftest import Driver

TIMES = 300


async def test_no_cancellation_is_lost(driver: Driver) -> None:
    collection, choice = driver()["thing"], random.Random(0)
    operations = Operations(collection.database.client)

    async def use() -> None:
        await operations.run(lambda: collection.find_one({}))
        await operations.write(lambda: collection.insert_one({}))
        await asyncio.Event().wait()

    for number in range(TIMES):
        task = asyncio.create_task(use())
        for _ in range(choice.randrange(60)):
            await asyncio.sleep(0)
        task.cancel()
        _, pending = await asyncio.wait([task], timeout=5)
        for each in pending:
            each.cancel()
        assert not pending, f"it went on, at attempt {number}"


@pytest.mark.parametrize("outcome", [None, ConnectionError("of its own")], ids=["returns", "raises"])
async def test_a_cancellation_that_the_driver_keeps_to_itself_is_heeded(outcome: Exception | None) -> None:
    begun = asyncio.Event()

    async def operate() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        if outcome is not None:
            raise outcome

    task = asyncio.ensure_future(heeding(operate()))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
