"""Very many clients of one process: what each costs, and whether all of them are told, cut off and forgotten.

In CI there are hundreds. By ``SOAK`` there are up to 10,000, as far as ``ulimit -n`` allows; how far is printed.
"""

from __future__ import annotations

import resource
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pymongo
import pytest

from bzz.dev import MongoServer
from tests.faults import SOAK
from tests.faults.conftest import AT_LENGTH
from tests.faults.crowd import Crowd, crowd
from tests.faults.running import PATIENCE, Running, running

DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
CLIENTS = min(1_500 * SOAK, 10_000, DESCRIPTORS - 500)
STALLED = min(300 * SOAK, 1_000)
VISITS = min(8_000 * SOAK, 100_000)
CHANGES = 5

KIB_PER_CLIENT = 24
"""What a client may cost. Measured with 10,000: 19.0 on Tornado's server, 22.8 on uvicorn."""

KIB_PER_STALLED = 256
KIB_PER_VISIT = 0.5
"""What may remain of a client that has left, on average."""

POOLED = 100
"""How many connections to MongoDB a driver keeps."""

SECONDS = 10.0
"""When all have to know of a change, on a machine however busy; on an idle one within a second, see what is printed."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + 60 * SOAK)]


Client = pymongo.MongoClient[dict[str, Any]]


@contextmanager
def crowds(application: Running, url: str, number: int = 2) -> Iterator[list[Crowd]]:
    """So many processes of clients, and a feed that runs already."""
    with ExitStack() as stack:
        found = [stack.enter_context(crowd(application.port, url)) for _ in range(number)]
        for each in found:
            each.ask("come", 5)
            each.ask("leave")
        until(lambda: connections(application) == 0)
        yield found


def all_of(crowds: list[Crowd], method: str, *arguments: Any) -> list[Any]:
    """Have all do something at the same time."""
    for each in crowds:
        each.say(method, *arguments)
    return [each.hear() for each in crowds]


def connections(application: Running) -> int:
    """How many clients are connected, but for the one that asks."""
    return application.held()["feeds"]


def until(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Look again and again until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(0.1)


def kib_per_client(uri: str, database: str, server: str, url: str, provider: str = "mongoengine") -> float:
    """What a client costs that is told nothing."""
    with (
        running(uri, database, live=True, server=server, provider=provider) as application,
        crowds(application, url) as clients,
    ):
        before = application.held()
        came = sum(all_of(clients, "come", CLIENTS // 2))
        after = application.held()
        each: float = (after["kib"] - before["kib"]) / came
        print(f"{server}, {url}: {came} clients, {each:.1f} KiB each")
        return each


@pytest.mark.parametrize("server", ["tornado", "uvicorn"])
def test_a_client_costs_little_memory(server: str, mongo: MongoServer, database: str) -> None:
    kib_per_client(mongo.uri, database, server, "/bare")  # to compare with, in what is printed
    assert kib_per_client(mongo.uri, database, server, "/plain/") <= KIB_PER_CLIENT


def test_the_harness_sees_what_a_client_costs(mongo: MongoServer, database: str) -> None:
    assert kib_per_client(mongo.uri, database, "tornado", "/plain/", "KeepsOfFeeds") > KIB_PER_CLIENT


def seconds_until_all_know(uri: str, database: str, server: str, provider: str = "mongoengine") -> list[float]:
    """How long after each of some writes the last client has read of it."""
    with (
        Client(uri, w="majority") as client,
        running(uri, database, live=True, server=server, provider=provider) as application,
        crowds(application, "/plain/") as clients,
    ):
        came = sum(all_of(clients, "come", CLIENTS // 2))
        taken = []
        for _ in range(CHANGES):
            token = uuid.uuid4().hex
            all_of(clients, "await_text", token)
            client[database].plain.insert_one({"token": token})
            written = time.monotonic()
            taken.append(max(last for _, last in all_of(clients, "told", SECONDS)) - written)
        print(f"{server}: {came} clients know after {', '.join(f'{each:.2f}' for each in taken)} s")
        return taken


@pytest.mark.parametrize("server", ["tornado", "uvicorn"])
def test_a_change_reaches_all(server: str, mongo: MongoServer, database: str) -> None:
    assert max(seconds_until_all_know(mongo.uri, database, server)) < SECONDS


@AT_LENGTH
def test_the_harness_sees_a_change_that_does_not_reach_all(mongo: MongoServer, database: str) -> None:
    assert max(seconds_until_all_know(mongo.uri, database, "tornado", "LosesChanges")) >= SECONDS


def kib_per_stalled(
    uri: str, database: str, server: str, provider: str = "mongoengine", stalled: int = STALLED
) -> float:
    """What a client that never reads costs until it is cut off."""
    with (
        Client(uri) as client,
        running(uri, database, live=True, server=server, write_seconds=3, provider=provider) as application,
        crowds(application, "/plain/?text__ne={number}", 1) as (readers,),
    ):
        before = application.held()["kib"]
        readers.ask("come", stalled)
        readers.ask("stall")
        peak = 0
        for number in range(150):
            client[database].plain.insert_one({"token": f"{number}", "text": "x" * 20_000})
            if number % 10 == 9:
                peak = max(peak, application.held()["kib"])
        until(lambda: connections(application) == 0)
        each = (peak - before) / stalled
        print(f"{server}: {stalled} stalled clients, {each:.0f} KiB each at most")
        return each


@pytest.mark.parametrize("server", ["tornado", "uvicorn"])
def test_clients_that_never_read_cost_little_and_are_cut_off(server: str, mongo: MongoServer, database: str) -> None:
    assert kib_per_stalled(mongo.uri, database, server) <= KIB_PER_STALLED


def test_the_harness_sees_what_waits_for_clients_that_never_read(mongo: MongoServer, database: str) -> None:
    # A thousand of them would be cut off before so much waits: it takes long to write to them all.
    assert kib_per_stalled(mongo.uri, database, "tornado", "WaitsForAll", 50) > KIB_PER_STALLED


def left_behind(uri: str, database: str, server: str, provider: str = "mongoengine") -> dict[str, float]:
    """What is left of a client that came and went, on average."""
    with (
        running(uri, database, live=True, server=server, provider=provider) as application,
        crowds(application, "/plain/") as clients,
    ):
        all_of(clients, "visit", 1000)  # until the pool of connections to MongoDB has its size
        until(lambda: connections(application) == 0)
        before = application.held()
        visits = sum(all_of(clients, "visit", VISITS // 2))
        until(lambda: connections(application) == 0)
        until(lambda: application.held()["tasks"] <= before["tasks"] + 5 or provider != "mongoengine")
        after = application.held()
        left = {name: (after[name] - before[name]) / visits for name in after}
        print(f"{server}: after {visits} visits {before} has become {after}")
        return left


@pytest.mark.parametrize("server", ["tornado", "uvicorn"])
def test_nothing_is_left_of_clients_that_come_and_go(server: str, mongo: MongoServer, database: str) -> None:
    left = left_behind(mongo.uri, database, server)
    assert left["kib"] < KIB_PER_VISIT
    assert left["tasks"] * VISITS <= 5
    assert left["descriptors"] * VISITS <= POOLED


@AT_LENGTH
def test_the_harness_sees_what_is_left(mongo: MongoServer, database: str) -> None:
    left = left_behind(mongo.uri, database, "tornado", "KeepsOfFeeds")
    assert left["kib"] > KIB_PER_VISIT
    assert left["tasks"] > 0.5
