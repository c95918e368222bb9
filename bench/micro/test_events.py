"""Events: whether anybody listens among a thousand listeners over a hundred patterns, and sending."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.models import User
from bzz.events import AdHocEvent, Bus, Updated
from bzz.events.targets import Subject

PATTERNS = 100
SENT = 100


def bus_with(listeners: int) -> Bus:
    """A bus whose listeners are spread over a hundred patterns, one of which matches ``Thing7.happened``."""
    bus = Bus()
    for number in range(listeners):

        async def listen(event: AdHocEvent) -> None:
            pass

        bus.on(f"Thing{number % PATTERNS}.*")(listen)
    return bus


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop to send on."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.mark.parametrize("listeners", [10, 1000])
def test_matching_a_name_seen_before(benchmark: BenchmarkFixture, listeners: int) -> None:
    bus, subject = bus_with(listeners), Subject("Thing7.happened", AdHocEvent)
    bus.has_listeners(subject)
    assert benchmark(bus.has_listeners, subject)


@pytest.mark.parametrize("listeners", [10, 1000])
def test_matching_a_new_name(benchmark: BenchmarkFixture, listeners: int) -> None:
    bus, numbers = bus_with(listeners), itertools.count()
    assert benchmark(lambda: bus.has_listeners(Subject(f"Thing7.happened{next(numbers)}", AdHocEvent)))


def test_asking_whether_a_model_has_listeners(benchmark: BenchmarkFixture) -> None:
    bus = bus_with(1000)
    assert benchmark(bus.wants, (Updated,), User) is False


def test_sending_a_hundred_events_to_ten_listeners_each(
    benchmark: BenchmarkFixture, loop: asyncio.AbstractEventLoop
) -> None:
    bus = bus_with(1000)

    async def send() -> None:
        for _ in range(SENT):
            await bus.emit("Thing7.happened", path="/")

    benchmark(lambda: loop.run_until_complete(send()))
