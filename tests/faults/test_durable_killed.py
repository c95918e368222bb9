"""Processes with a durable listener are killed, frozen or have a wrong clock: every change is handled, in order.

The same where the primary of their database is killed. What is wrong is found by :mod:`tests.faults.told`, in the file
that the listeners write.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bzz.dev import MongoServer
from tests.faults import SEED, SOAK
from tests.faults.conftest import AT_LENGTH
from tests.faults.listening import CONCURRENCY, LEASE_SECONDS
from tests.faults.replicas import ReplicaSet
from tests.faults.running import PATIENCE
from tests.faults.test_primary_killed import killed
from tests.faults.told import Told
from tests.faults.turns import Turns

KILLS = 10 * SOAK
PRIMARIES_KILLED = 2 * SOAK
FREEZES = 3 * SOAK
MOST_FREEZES = 4 * FREEZES
"""How often each of two processes is frozen: until it wrote something stale, which not each of them does."""

DOCUMENTS, PAUSE = 40, 0.5
"""How many there are, and how many seconds pass between two changes of one."""

BETWEEN = 50
"""How many writes are done between two faults."""

BEHIND = 1000
"""How many changes may wait to be handled. On a slow machine they would come to be more than the oplog holds."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 * SOAK)]


class Listening:
    """Processes with one durable listener, and the file that they write.

    :param options: of :func:`tests.faults.listening.deliver`.
    """

    def __init__(self, uri: str, database: str, directory: Path, **options: Any) -> None:
        self.ledger, self.log = directory / "told", directory / "log"
        self._quiet = 5 * LEASE_SECONDS if options.get("fault") else PATIENCE
        self._told = Told(self.ledger, margin=CONCURRENCY)
        self.processes: list[subprocess.Popen[bytes]] = []
        self._given = json.dumps({"uri": uri, "database": database, "ledger": str(self.ledger), **options})

    def start(self, *before: str) -> subprocess.Popen[bytes]:
        """Start one more, by a command before it."""
        command = [*before, sys.executable, "-m", "tests.faults.listening", self._given]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End one as a power cut does."""
        process.kill()
        process.wait()
        self.processes.remove(process)

    @property
    def told(self) -> Told:
        """What they were told so far."""
        return self._told.read()

    def are_behind(self, turns: Turns) -> bool:
        """Whether so much is to be handled that writers had better wait."""
        return turns.number - self.told.distinct() > BEHIND

    async def until(self, condition: Callable[[Told], Any]) -> Told:
        """Wait until a condition holds of what they were told."""
        deadline = time.monotonic() + PATIENCE
        while not condition(told := self.told):
            assert all(each.poll() is None for each in self.processes), self.log.read_text()[-5000:]
            assert time.monotonic() < deadline, self.log.read_text()[-5000:]
            await asyncio.sleep(0.1)
        return told

    async def until_handling(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until one has handled a change."""
        await self.until(lambda told: told.has_handled(process.pid))

    async def until_told(self, more: int, seconds: float = 0) -> None:
        """Wait until so many more changes were handled, and for so many seconds at least."""
        wanted, end = self.told.distinct() + more, time.monotonic() + seconds
        await self.until(lambda told: told.distinct() >= wanted and time.monotonic() >= end)

    async def wrong(self, turns: Turns) -> list[str]:
        """Wait until all is handled, or nothing more happens; return what is not as it must be."""
        wanted = turns.number
        calls, quiet_since = -1, time.monotonic()
        while self.told.distinct() < wanted and time.monotonic() < quiet_since + self._quiet:
            await asyncio.sleep(0.2)
            if self.told.counts["begin"] != calls:
                calls, quiet_since = self.told.counts["begin"], time.monotonic()
        await asyncio.sleep(0.5)
        told, stored = self.told, await turns.wrong()
        print(f"{told.distinct()} changes, {told.counts['failed']} failed attempts, {len(told.lives)} lives, ", end="")
        print(f"{told.repeated} came again, {told.most_repeated()} in one life, refused: {dict(told.refused)}")
        return [*stored, *told.wrong(turns.steps)]


@contextmanager
def listening(*given: Any, **options: Any) -> Iterator[Listening]:
    """Have processes listen until the end of the block."""
    them = Listening(*given, **options)
    try:
        yield them
    finally:
        for each in list(them.processes):
            them.kill(each)


async def wrong_after_kills(
    uri: str, database: str, directory: Path, kills: int = KILLS, pause: float = PAUSE, fault: str | None = None
) -> list[str]:
    """Kill one of two processes again and again; returns what is not as it must be.

    :param pause: of the writers, in seconds.
    """
    choice, turns = random.Random(SEED), Turns(uri, database, DOCUMENTS, pause)
    with listening(uri, database, directory, fault=fault) as them:
        them.start()
        await turns.until_listened()
        async with turns.at_work(lambda: them.are_behind(turns)):
            for _ in range(kills):
                await them.until_handling(them.start())
                await them.until_told(BETWEEN)
                them.kill(choice.choice(them.processes))
        wrong = await them.wrong(turns)
    await turns.close()
    return wrong


async def test_every_change_is_handled_in_order_when_processes_are_killed(
    mongo: MongoServer, database: str, tmp_path: Path
) -> None:
    wrong = await wrong_after_kills(mongo.uri, database, tmp_path)
    assert wrong == [], "\n".join(wrong[:20])


@pytest.mark.parametrize(("fault", "kills"), [pytest.param("saves_first", 4, marks=AT_LENGTH), ("by_arrival", 1)])
async def test_the_harness_sees_what_is_lost_or_out_of_order(
    fault: str, kills: int, mongo: MongoServer, database: str, tmp_path: Path
) -> None:
    assert await wrong_after_kills(mongo.uri, database, tmp_path, kills, PAUSE / 5, fault) != []


async def wrong_after_freezes(uri: str, database: str, directory: Path, fault: str | None = None) -> list[str]:
    """Freeze one of two processes for longer than its lease, again and again; returns what is not as it must be."""
    turns = Turns(uri, database, DOCUMENTS)
    with listening(uri, database, directory, fault=fault) as them:
        pair = [them.start(), them.start()]
        await turns.until_listened()
        async with turns.at_work(lambda: them.are_behind(turns)):
            for each in pair:
                await them.until_handling(each)
            for number in range(MOST_FREEZES):
                if number >= FREEZES and (fault or them.told.refused):
                    break
                for each in pair:
                    each.send_signal(signal.SIGSTOP)
                    await them.until_told(BETWEEN, LEASE_SECONDS * 1.5)
                    each.send_signal(signal.SIGCONT)
                    await them.until_told(BETWEEN)
        wrong = await them.wrong(turns)
        if not them.told.refused:
            wrong.append("nothing that was stale was refused")
    await turns.close()
    return wrong


async def test_a_process_that_was_frozen_beyond_its_lease_does_no_harm(
    mongo: MongoServer, database: str, tmp_path: Path
) -> None:
    wrong = await wrong_after_freezes(mongo.uri, database, tmp_path)
    assert wrong == [], "\n".join(wrong[:20])
    assert "other processes may own some of its partitions by now" in (tmp_path / "log").read_text()


@AT_LENGTH
async def test_the_harness_sees_that_what_is_stale_is_taken(mongo: MongoServer, database: str, tmp_path: Path) -> None:
    assert await wrong_after_freezes(mongo.uri, database, tmp_path, "stale_fence") != []


def having(clock: str) -> tuple[str, ...]:
    """What to put before a command that is to have a wrong clock: faketime itself starts it as another process."""
    library = subprocess.check_output(["faketime", "-f", clock, "printenv", "LD_PRELOAD"], text=True).strip()
    return "env", f"LD_PRELOAD={library}", f"FAKETIME={clock}"


@pytest.mark.skipif(shutil.which("faketime") is None, reason="there is no faketime")
async def test_clocks_that_are_a_minute_off_do_no_harm(mongo: MongoServer, database: str, tmp_path: Path) -> None:
    clocks = ((), having("+60s"), having("-60s"))  # others take its letters for due a minute late, or at once
    choice, turns = random.Random(SEED), Turns(mongo.uri, database, DOCUMENTS)
    with listening(mongo.uri, database, tmp_path) as them:
        them.start()
        await turns.until_listened()
        async with turns.at_work(lambda: them.are_behind(turns)):
            for number in range(max(KILLS // 4, len(clocks))):
                await them.until_handling(them.start(*clocks[number % len(clocks)]))
                await them.until_told(BETWEEN)
                them.kill(choice.choice(them.processes))
        wrong = await them.wrong(turns)
    await turns.close()
    assert wrong == [], "\n".join(wrong[:20])


async def wrong_after_elections(
    replicas: ReplicaSet, database: str, directory: Path, fault: str | None = None
) -> list[str]:
    """Kill the primary again and again; returns what is not as it must be."""
    turns = Turns(replicas.uri, database, DOCUMENTS)
    with listening(replicas.uri, database, directory, fault=fault) as them:
        pair = [them.start(), them.start()]
        await turns.until_listened()
        async with turns.at_work():
            for each in pair:
                await them.until_handling(each)
            for _ in range(PRIMARIES_KILLED):
                await them.until_told(BETWEEN)
                await killed(replicas, turns)
        wrong = await them.wrong(turns)
    await turns.close()
    return wrong


async def test_every_change_is_handled_in_order_when_primaries_are_killed(
    replicas: ReplicaSet, database: str, tmp_path: Path
) -> None:
    wrong = await wrong_after_elections(replicas, database, tmp_path)
    assert wrong == [], "\n".join(wrong[:20])


@AT_LENGTH
async def test_the_harness_sees_what_one_member_had_alone(replicas: ReplicaSet, database: str, tmp_path: Path) -> None:
    assert await wrong_after_elections(replicas, database, tmp_path, "one_member") != []
