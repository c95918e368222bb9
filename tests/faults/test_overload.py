"""Ten times more clients than an application takes: the others are refused at once, and those within are served well.

How the latency of those within stays is measured by ``bench.overload``.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from bzz.dev import MongoServer
from tests.faults import SOAK
from tests.faults.ledger import REFUSED
from tests.faults.running import PATIENCE, running
from tests.faults.writers import Writers, stored_in

IN_FLIGHT = 4
CLIENTS = 10 * IN_FLIGHT
DONE = 100 * SOAK

pytestmark = pytest.mark.timeout(300 * SOAK)


async def wrong_at_once(
    uri: str, database: str, gate: Path, provider: str = "WaitsForFile", in_flight: int = IN_FLIGHT
) -> list[str]:
    """Ask for a document, ten times as often at once as is taken; nothing within is answered before the gate opens.

    Returns what is wrong, as sentences.
    """
    with running(uri, database, provider=provider, in_flight=in_flight, gate=str(gate)) as application:
        async with application.client() as client:
            url = (await client.post("/plain/", json={"token": "1"})).headers["Location"]
            asked = [asyncio.ensure_future(client.get(url)) for _ in range(CLIENTS)]
            await _until_refused(asked)
            await asyncio.to_thread(gate.touch)
            answers = await asyncio.gather(*asked)
            after = [await client.get(url) for _ in range(3)]
    return [*_wrong_in(answers), *(f"afterwards: {each.text}" for each in after if each.status_code != 200)]


async def _until_refused(asked: list[asyncio.Task[httpx.Response]]) -> None:
    for number, each in enumerate(asyncio.as_completed(asked, timeout=PATIENCE), 1):
        await each
        if number == CLIENTS - IN_FLIGHT:
            return


def _wrong_in(answers: list[httpx.Response]) -> list[str]:
    good = [each for each in answers if each.status_code == 200 and each.json()["token"] == "1"]
    refused = [each for each in answers if each.status_code == 503 and "Retry-After" in each.headers]
    return [] if (len(good), len(refused)) == (IN_FLIGHT, CLIENTS - IN_FLIGHT) else [f"{len(good)}, {len(refused)}"]


async def wrong_writes(uri: str, database: str, provider: str = "mongoengine") -> list[str]:
    """Have ten times as many clients write as are taken; returns what is not stored as it must be."""
    with running(uri, database, provider=provider, in_flight=IN_FLIGHT) as application:
        async with application.client() as client:
            writers = Writers(client, CLIENTS)
            async with writers.at_work():
                await writers.until_done(DONE)
            answer = await client.get("/plain/?per_page=1")
    wrong = writers.ledger.wrong(stored_in(uri, database))
    if not writers.ledger.counts[REFUSED]:
        wrong.append("nobody was refused")
    return wrong if answer.status_code == 200 else [*wrong, f"it does not recover: {answer.text}"]


async def test_beyond_the_cap_one_is_refused_before_anybody_is_served(
    mongo: MongoServer, database: str, tmp_path: Path
) -> None:
    assert await wrong_at_once(mongo.uri, database, tmp_path / "open") == []


async def test_what_is_accepted_is_stored_and_what_is_refused_is_not(mongo: MongoServer, database: str) -> None:
    assert await wrong_writes(mongo.uri, database) == []


async def test_the_harness_sees_that_everybody_is_served(mongo: MongoServer, database: str, tmp_path: Path) -> None:
    assert await wrong_at_once(mongo.uri, database, tmp_path / "open", "mongoengine", in_flight=1000) != []


async def test_the_harness_sees_lost_writes(mongo: MongoServer, database: str) -> None:
    assert await wrong_writes(mongo.uri, database, "LosesWrites") != []
