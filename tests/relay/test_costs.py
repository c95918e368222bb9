"""What a relay costs, by the functions of the benchmark; processor time, since a busy neighbour takes none of that."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable

import pytest

from bench import relay
from tests.relay.server import RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]  # it measures


async def per_event(measure: Callable[[str], Awaitable[None]], url: str) -> float:
    used = time.process_time()
    await measure(url)
    return time.process_time() - used


async def test_an_event_costs_about_what_bare_publishing_costs(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "EVENTS", 5_000)
    await per_event(relay.relayed, redis.url)  # what is done once is not measured
    ratios = [await per_event(relay.bare, redis.url) / await per_event(relay.relayed, redis.url) for _ in range(5)]
    assert statistics.median(ratios) >= 0.8


async def test_a_question_is_answered_by_two_in_a_few_milliseconds(redis: RedisServer) -> None:
    median, _ = await relay.question(redis.url)
    assert median <= 0.005


async def test_an_event_arrives_within_a_few_milliseconds(redis: RedisServer) -> None:
    median, _ = await relay.latency(redis.url)
    assert median <= 0.005


async def test_a_relay_that_has_nothing_to_do_takes_next_to_nothing(redis: RedisServer) -> None:
    assert await relay.idle(redis.url, 10) <= 0.005
