"""The primary of a replica set is killed or frozen while clients write: what a majority acknowledged is stored."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest

from tests.faults import SOAK
from tests.faults.conftest import AT_LENGTH
from tests.faults.replicas import ReplicaSet
from tests.faults.running import running
from tests.faults.writers import Writers, stored_in

ROUNDS = SOAK
WRITERS = 12
BETWEEN = 100
"""How many writes are done between two faults."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 * SOAK)]

Fault = Callable[[ReplicaSet, Writers], Awaitable[None]]


class Writing(Protocol):
    """Clients that write, whatever to."""

    async def until_answered(self) -> None:
        """Wait until more writes were answered than can have been on their way, whatever the answers."""

    async def until_done(self, more: int) -> None:
        """Wait until so many more writes were done."""


async def killed(replicas: ReplicaSet, writers: Writing) -> None:
    """It dies with writes that no other member has, and comes back when another was elected."""
    primary = await asyncio.to_thread(replicas.primary)
    with replicas.lagging():
        await writers.until_answered()
        primary.kill()
    await asyncio.to_thread(replicas.primary)
    await writers.until_done(BETWEEN)
    await asyncio.to_thread(primary.start)
    await asyncio.to_thread(replicas.wait_until_whole)


async def frozen(replicas: ReplicaSet, writers: Writers) -> None:
    """It keeps its connections and says nothing, until another was elected."""
    primary = await asyncio.to_thread(replicas.primary)
    primary.signal(signal.SIGSTOP)
    try:
        await writers.until_done(BETWEEN)
    finally:
        primary.signal(signal.SIGCONT)
    await asyncio.to_thread(replicas.wait_until_whole)


async def wrong_after(fault: Fault, replicas: ReplicaSet, database: str, options: str = "") -> list[str]:
    """Let the fault happen while clients write; returns what is not stored as it must be.

    :param options: of the application's URI.
    """
    with running(replicas.uri + options, database, processes=2) as application:
        async with application.client() as client:
            writers = Writers(client, WRITERS)
            async with writers.at_work():
                for _ in range(ROUNDS):
                    await writers.until_done(BETWEEN)
                    await fault(replicas, writers)
                await writers.until_done(BETWEEN)
    return writers.ledger.wrong(stored_in(replicas.uri, database))


@pytest.mark.parametrize("fault", [killed, frozen])
async def test_no_acknowledged_write_is_lost_and_no_refused_one_stored(
    fault: Fault, replicas: ReplicaSet, database: str
) -> None:
    assert await wrong_after(fault, replicas, database) == []


@AT_LENGTH
async def test_the_harness_sees_writes_that_one_member_acknowledged_and_lost(
    replicas: ReplicaSet, database: str
) -> None:
    assert await wrong_after(killed, replicas, database, "&w=1") != []
