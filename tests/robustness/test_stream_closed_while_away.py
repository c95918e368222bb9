"""A change stream that is closed while MongoDB says nothing."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from bzz.providers.mongoengine.changes.change_stream import CLOSE_SECONDS, ChangeStream
from bzz.providers.mongoengine.changes.commands import Commands
from tests.providers.following import PATIENCE
from tests.robustness.conftest import Connect, ExpendableMongo

URI = "mongodb://127.0.0.1:{}/?directConnection=true"


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_a_stream_that_is_closed_while_the_database_says_nothing_leaves_no_cursor(
    driver: str, expendable: ExpendableMongo, connect: Connect
) -> None:
    database = connect(URI.format(expendable.port))(driver)
    await database.create_collection("buoy")
    before = await _open_cursors(database)
    stream = ChangeStream(database, ["buoy"], await Commands(database).last_commit())
    await stream.open()
    reading = asyncio.create_task(stream.read())
    await asyncio.wait([reading], timeout=0.1)  # so that it asks the server
    with expendable.stopped():
        started = time.monotonic()
        reading.cancel()
        await asyncio.wait([reading])
        await stream.close()
        took = time.monotonic() - started
    assert took < CLOSE_SECONDS + 1
    async with asyncio.timeout(PATIENCE):
        while await _open_cursors(database) > before:
            pass


async def _open_cursors(database: Any) -> int:
    status = await database.client.admin.command("serverStatus")
    return int(status["metrics"]["cursor"]["open"]["total"])
