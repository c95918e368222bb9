"""The application, or the primary of its database, is killed while clients follow feeds: nothing is lost or told twice.

The clients come back with ``Last-Event-ID``, to any of the processes; they also leave by themselves now and then. What
they check is in :mod:`tests.faults.feeds`.
"""

from __future__ import annotations

import asyncio
import socket

import pytest

from bzz.dev import MongoServer
from tests.faults import SOAK
from tests.faults.conftest import AT_LENGTH
from tests.faults.feeds import Feeds
from tests.faults.replicas import ReplicaSet
from tests.faults.running import running
from tests.faults.test_primary_killed import killed
from tests.faults.writers import Writers

KILLS = 5 if SOAK == 1 else 50 * max(SOAK // 20, 1)
PRIMARIES_KILLED = 2 if SOAK == 1 else 10 * max(SOAK // 20, 1)
FEEDS = 15
WRITERS = 6
BETWEEN = 60
"""How many writes are done between two kills."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 * SOAK)]


def free_port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def wrong_after_kills(uri: str, database: str, provider: str = "mongoengine") -> list[str]:
    """Kill one of two processes again and again; returns what clients were told that is not so."""
    port = free_port()
    with running(uri, database, live=True, provider=provider) as steady:
        feeds = Feeds(uri, database, [steady.port, port], FEEDS)
        async with steady.client() as client, feeds.following():
            writers = Writers(client, WRITERS)
            async with writers.at_work():
                for _ in range(KILLS):
                    victim = running(uri, database, live=True, provider=provider, port=port)
                    application = await asyncio.to_thread(victim.__enter__)
                    await writers.until_done(BETWEEN)
                    application.process.kill()
                    await asyncio.to_thread(victim.__exit__, None, None, None)
            wrong = await feeds.wrong()
    assert sum(each.resumed for each in feeds.all) > FEEDS
    return wrong


async def wrong_after_elections(replicas: ReplicaSet, database: str, provider: str = "mongoengine") -> list[str]:
    """Kill the primary again and again; returns what clients were told that is not so."""
    with running(replicas.uri, database, live=True, provider=provider) as application:
        feeds = Feeds(replicas.uri, database, [application.port], FEEDS)
        async with application.client() as client, feeds.following():
            writers = Writers(client, WRITERS)
            async with writers.at_work():
                for _ in range(PRIMARIES_KILLED):
                    await writers.until_done(BETWEEN)
                    await killed(replicas, writers)
                await writers.until_done(BETWEEN)
            return await feeds.wrong()


async def test_clients_go_on_where_they_were_when_the_application_was_killed(mongo: MongoServer, database: str) -> None:
    assert await wrong_after_kills(mongo.uri, database) == []


@AT_LENGTH
async def test_the_harness_sees_changes_that_are_missed_meanwhile(mongo: MongoServer, database: str) -> None:
    assert await wrong_after_kills(mongo.uri, database, "SkipsMissed") != []


async def test_clients_go_on_where_they_were_when_the_primary_was_killed(replicas: ReplicaSet, database: str) -> None:
    assert await wrong_after_elections(replicas, database) == []


@AT_LENGTH
async def test_the_harness_sees_lost_changes(replicas: ReplicaSet, database: str) -> None:
    assert await wrong_after_elections(replicas, database, "LosesChanges") != []
