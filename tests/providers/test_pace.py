"""While very much is written, a change stream is read at intervals: all writes of the server pay for one that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from bson import Timestamp

from bzz.providers.mongoengine.changes import change_stream, pace
from bzz.providers.mongoengine.changes.change_stream import ChangeStream
from bzz.providers.mongoengine.changes.commands import Commands
from bzz.providers.mongoengine.changes.pace import Pace
from tests.conftest import Driver

BUSY = [Timestamp(5, 400), Timestamp(5, 900)]
"""Half a second apart, a thousand writes per second."""


def paced(times: Sequence[Timestamp | None], seconds: float = 0.5) -> Pace:
    """One that was told these cluster times, so far apart."""
    found = Pace()
    for number, time in enumerate(times):
        found.note(number * seconds, time)
    return found


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(BUSY, id="within a second"),
        pytest.param([Timestamp(5, 4000), Timestamp(6, 500)], id="in the next second"),
        pytest.param([*BUSY, Timestamp(5, 901), Timestamp(6, 1)], id="a moment ago"),
        pytest.param([*BUSY, *(Timestamp(second, 250) for second in range(6, 20))], id="half as much since"),
    ],
)
def test_a_stream_is_read_at_intervals_where_much_is_written(times: list[Timestamp]) -> None:
    assert paced(times).is_hurried


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(BUSY[:1], id="told once"),
        pytest.param([Timestamp(5, 400), Timestamp(5, 899)], id="a little less"),
        pytest.param([*BUSY, *(Timestamp(second, 249) for second in range(6, 10))], id="less than half for a while"),
        pytest.param([Timestamp(6, 1), Timestamp(5, 4000)], id="an older time, of another server"),
        pytest.param([None, None, None], id="no time"),
    ],
)
def test_a_stream_waits_for_each_change_where_little_is_written(times: list[Timestamp | None]) -> None:
    assert not paced(times).is_hurried


def test_times_that_are_close_together_say_nothing() -> None:
    assert not paced([Timestamp(5, number) for number in range(1, 100)], seconds=0.001).is_hurried


async def batches_of(driver: Driver, number: int) -> int:
    """Write so many documents, one by one; return in how many batches a stream got them."""
    database = driver()
    stream = ChangeStream(database, ["kelp"], await Commands(database).last_commit())
    await stream.open()
    for _ in range(2):
        await stream.read()

    async def write() -> None:
        for each in range(number):
            await database["kelp"].insert_one({"_id": each})

    try:
        writing = asyncio.create_task(write())
        seen: list[int] = []
        while len(seen) < number:
            event = await stream.read()
            if event is not None:
                seen.append(event["documentKey"]["_id"])
        await writing
        assert seen == list(range(number))
        return await read_by(driver)
    finally:
        await stream.close()


async def read_by(driver: Driver) -> int:
    """How many batches the cursor of the test's database has returned."""
    stages: list[dict[str, Any]] = [
        {"$currentOp": {"idleCursors": True}},
        {"$match": {"ns": f"{driver().name}.$cmd.aggregate", "cursor": {"$exists": True}}},
    ]
    reply = await driver().client.admin.command({"aggregate": 1, "pipeline": stages, "cursor": {}})
    [found] = reply["cursor"]["firstBatch"]
    return int(found["cursor"]["nBatchesReturned"])


async def test_changes_come_in_one_batch_where_much_is_written(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "MUCH", 0.0)
    monkeypatch.setattr(pace, "LITTLE", 0.0)
    monkeypatch.setattr(pace, "SAMPLE_SECONDS", 0.0)
    monkeypatch.setattr(change_stream, "INTERVAL_SECONDS", 0.2)
    assert await batches_of(driver, 100) < 50


async def test_a_stream_outlives_every_change_of_its_pace(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = iter(range(1_000_000))
    monkeypatch.setattr(Pace, "note", lambda self, at, time: setattr(self, "is_hurried", next(turns) % 2 == 0))
    await batches_of(driver, 100)
