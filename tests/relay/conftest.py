"""A Redis for each test module, or for one test that kills it, and relays on a channel of the test's own."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest

import bzz
from tests.events.conftest import _nobody_listens as _nobody_listens
from tests.relay.server import RedisServer

collect_ignore = ["theirs.py"]  # it runs in an environment of its own

WAIT_SECONDS = 20


class MakeRelay(Protocol):
    """Makes relays on one channel; those that are entered end with the test."""

    def __call__(self, name: str, **options: Any) -> bzz.RedisRelay:
        """A relay that is not started yet."""


class Soak(Protocol):
    """Chooses how much a test does."""

    def __call__(self, short: int, long: int) -> int:
        """``short``, or ``long`` where the environment variable ``SOAK`` is more than 1 (``make soak``)."""


@pytest.fixture
def soak() -> Soak:
    """How much is done: little in CI, much by ``make soak``."""
    return lambda short, long: long if int(os.environ.get("SOAK", "1")) > 1 else short


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A server that nobody stops."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A server that the test may kill."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def channel() -> str:
    """A channel of the test's own."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def relay(redis: RedisServer, channel: str) -> MakeRelay:
    """Make relays on the test's channel."""
    return lambda name, **options: bzz.RedisRelay(redis.url, name=name, **{"channel": channel, **options})


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Whatever is entered here is left at the end of the test."""
    async with AsyncExitStack() as entered:
        yield entered


async def until(condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> None:
    """Wait until ``condition`` holds; fail where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this did not happen in time"
        await asyncio.sleep(0.005)


async def subscribed(relay: bzz.RedisRelay, channel: str) -> None:
    """Wait until somebody has subscribed to ``channel``."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not await relay.running.connection.transport.subscribers(channel):
        assert time.monotonic() < deadline, "nobody subscribed in time"
        await asyncio.sleep(0.005)


def remote(seen: list[bzz.Event]) -> Callable[[Any], None]:
    """A listener that writes down the events that came from elsewhere."""

    def listen(event: bzz.Event) -> None:
        if event.remote is not None:
            seen.append(event)

    return listen
