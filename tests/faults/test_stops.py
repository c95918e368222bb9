"""The application is told to stop while clients write: what was written is answered."""

from __future__ import annotations

import signal

import pytest

from bzz.dev import MongoServer
from tests.faults import SOAK
from tests.faults.running import PATIENCE, running
from tests.faults.writers import Writers, stored_in

STOPS = 2 * SOAK
WRITERS = 16
BEFORE = 40
"""How many writes are done before a stop."""

pytestmark = pytest.mark.timeout(300 * SOAK)


async def wrong_after_stop(uri: str, database: str, number: signal.Signals, processes: int) -> list[str]:
    """Stop it under load; returns what is wrong, a write that was done and not answered above all."""
    with running(uri, database, provider="AnswersLate", processes=processes) as application:
        async with application.client() as client:
            writers = Writers(client, WRITERS)
            async with writers.at_work():
                await writers.until_done(BEFORE)
                application.process.send_signal(number)
                await writers.until_refused()
        code = application.process.wait(PATIENCE)
    for known in writers.ledger.known:
        known.states = known.states[:1]  # a request that nobody answered must not have been taken
    return [*writers.ledger.wrong(stored_in(uri, database)), *([f"exit code {code}"] if code else [])]


@pytest.mark.parametrize("processes", [1, 2])
async def test_no_accepted_request_is_lost(processes: int, mongo: MongoServer, database: str) -> None:
    for number in range(STOPS):
        assert await wrong_after_stop(mongo.uri, f"{database}_{number}", signal.SIGTERM, processes) == []


async def test_the_harness_sees_requests_that_were_not_answered(mongo: MongoServer, database: str) -> None:
    wrong = await wrong_after_stop(mongo.uri, database, signal.SIGKILL, 1)
    assert [each for each in wrong if "ought to be one of" in each]
