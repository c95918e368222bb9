"""The application is killed while clients write: what was acknowledged is stored, what was refused is not."""

from __future__ import annotations

import pytest

from bzz.dev import MongoServer
from tests.faults import SOAK
from tests.faults.running import running
from tests.faults.writers import Writers, stored_in

KILLS = 5 * SOAK
WRITERS = 12
BETWEEN = 100
"""How many writes are done between two kills."""

pytestmark = pytest.mark.timeout(300 * SOAK)


async def wrong_after_kills(uri: str, database: str, provider: str = "mongoengine") -> list[str]:
    """Kill one of two serving processes again and again; returns what is not stored as it must be."""
    with running(uri, database, provider=provider, processes=2) as application:
        async with application.client() as client:
            writers = Writers(client, WRITERS)
            async with writers.at_work():
                for _ in range(KILLS):
                    await writers.until_done(BETWEEN)
                    await application.kill_one()
                await writers.until_done(BETWEEN)
    return writers.ledger.wrong(stored_in(uri, database))


async def test_no_acknowledged_write_is_lost_and_no_refused_one_stored(mongo: MongoServer, database: str) -> None:
    assert await wrong_after_kills(mongo.uri, database) == []


async def test_the_harness_sees_lost_writes(mongo: MongoServer, database: str) -> None:
    assert await wrong_after_kills(mongo.uri, database, "LosesWrites")
