"""Whatever is written, fails, stops and starts, in whatever order: nothing is lost, and each document has its order."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import mongoengine as me
import pytest

import bzz
from bzz.delivery import lanes, running
from bzz.providers.mongoengine.changes.deliveries import MongoDeliveries
from tests.conftest import Driver
from tests.delivery.conftest import eventually
from tests.faults import SEED, SOAK, seeded_delivery
from tests.faults.told import Told

DOCUMENTS = "abcdef"
MOVES = 150


class Snail(me.Document):
    id = me.StringField(primary_key=True)
    step = me.IntField()


class World:
    """Documents, a listener that may fail for some of them, and how often it was started.

    :ivar steps: the last one of each document.
    """

    def __init__(self, snails: Any, path: Path, choice: random.Random) -> None:
        self.steps: Counter[str] = Counter()
        self._snails = snails
        self._choice = choice
        self._path = path
        self._file = path.open("w", buffering=1)
        self._runs = 0
        self._calls = itertools.count()
        self._failing: set[str] = set()
        self._stack: AsyncExitStack | None = None

    async def move(self) -> None:
        """Let something happen."""
        await self._choice.choice([*[self.write] * 8, self.fail, self.mend, self.wait, self.start, self.stop])()

    async def write(self) -> None:
        """Change a document."""
        key = self._choice.choice(DOCUMENTS)
        step = self.steps[key] = self.steps[key] + 1 if key in self.steps else 0
        await self._snails.replace_one({"_id": key}, {"step": step}, upsert=True)

    async def fail(self) -> None:
        """Begin to fail for a document."""
        self._failing.add(self._choice.choice(DOCUMENTS))

    async def mend(self) -> None:
        """Fail no more."""
        self._failing.clear()

    async def wait(self) -> None:
        """Let the listener work for a moment."""
        await asyncio.sleep(self._choice.random() * 0.1)

    async def start(self) -> None:
        """Begin to deliver, where nobody does."""
        if self._stack is None:
            self._runs += 1
            self._stack = AsyncExitStack()
            await self._stack.enter_async_context(bzz.deliver())

    async def stop(self) -> None:
        """Deliver no more; calls that are being made may be cut short."""
        if self._stack is not None:
            stack, self._stack = self._stack, None
            running.GRACE_SECONDS = self._choice.choice((0, 5))
            await stack.aclose()

    async def listen(self, event: Any) -> None:
        """Handle a change."""
        call, key, step = next(self._calls), event.instance.pk, event.instance.step
        run = self._runs
        self._file.write(f"{run} begin {call}\n")
        await asyncio.sleep(self._choice.choice((0, 0, 0, 0.01, 0.05)))
        is_failing = key in self._failing
        self._file.write(f"{run} {'failed' if is_failing else 'done'} {call} {key} {step} {event.attempt}\n")
        if is_failing:
            raise ValueError("seeded")

    async def end(self) -> Told:
        """Have everything handled; return what was told."""
        await self.mend()
        await self.start()
        told = Told(self._path)
        await eventually(lambda: told.read().distinct() == sum(self.steps.values()) + len(self.steps), 30)
        await self.stop()
        self._file.close()
        return told.read()


async def wrong_after_moves(seed: int, driver: Driver, directory: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let things happen at random; return what is not as it must be."""
    monkeypatch.setattr(lanes, "SLOW_SECONDS", 0.03)
    monkeypatch.setattr(running, "GRACE_SECONDS", 5)
    world = World(driver()["snail"], directory / "told", random.Random(seed))
    bzz.durable("Snail.*ed", name="x", schedule=(0.02, 0.05), max_attempts=1000)(world.listen)
    deliveries = MongoDeliveries(driver())
    await world.start()
    await eventually(deliveries.states)
    for _ in range(MOVES):
        await world.move()
    told = await world.end()
    return told.wrong(world.steps)


@pytest.mark.parametrize(
    "seed", [pytest.param(SEED + each, marks=[pytest.mark.slow] if each else []) for each in range(4 * SOAK)]
)
async def test_nothing_is_lost_and_each_document_has_its_order(
    seed: int, database_name: str, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await wrong_after_moves(seed, driver, tmp_path, monkeypatch) == []


async def test_changes_that_do_not_wait_for_each_other_are_seen(
    database_name: str, driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes.Lanes, "hand_over", lanes.Lanes.hand_over)  # put back afterwards
    seeded_delivery.by_arrival()
    assert await wrong_after_moves(SEED, driver, tmp_path, monkeypatch) != []
