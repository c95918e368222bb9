"""A cause ends with its delivery, a chain can be begun anew, and its depth can be set."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import bzz
from bzz.errors import ConfigurationError, EventCycle
from bzz.events import AdHocEvent
from bzz.events.bus import Bus
from bzz.request import request_context


async def test_a_worker_that_a_listener_starts_does_not_carry_its_cause_for_ever(own_bus: Bus) -> None:
    delivered = asyncio.Event()
    workers: list[asyncio.Task[Any]] = []

    async def worker() -> Any:
        inside = await own_bus.emit("inside")
        await delivered.wait()
        return inside, await own_bus.emit("afterwards")

    @own_bus.on("a")
    async def start(event: Any) -> None:
        workers.append(asyncio.create_task(worker()))
        await asyncio.sleep(0)

    event = AdHocEvent("a")
    event.request_id = "abc"
    await own_bus.emit(event)
    delivered.set()
    inside, afterwards = await workers[0]
    assert (inside.cause, inside.request_id) == (event, "abc")
    assert (afterwards.cause, afterwards.depth, afterwards.request_id) == (None, 0, None)


async def test_a_clock_of_a_listener_ticks_for_longer_than_any_chain_is_deep(own_bus: Bus) -> None:
    ticks, done = 0, asyncio.Event()
    running: set[asyncio.Task[Any]] = set()

    def tick() -> None:
        running.add(asyncio.create_task(own_bus.emit("tick")))

    @own_bus.on("tick")
    async def again(event: Any) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 20:
            done.set()
        else:
            asyncio.get_running_loop().call_later(0, tick)

    await own_bus.emit("tick")
    await asyncio.wait_for(done.wait(), 5)


async def test_what_a_background_listener_sends_has_its_event_as_cause(own_bus: Bus) -> None:
    seen: list[Any] = []

    @own_bus.on("a", background=True)
    async def later(event: Any) -> None:
        await asyncio.sleep(0)
        seen.append(await own_bus.emit("b"))

    event = AdHocEvent("a")
    event.request_id = "abc"
    await own_bus.emit(event)
    await own_bus.drain()
    assert (seen[0].cause, seen[0].request_id) == (event, "abc")


async def test_background_listeners_that_cause_one_another_without_end_are_stopped(
    own_bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    @own_bus.on("a", background=True)
    async def again(event: Any) -> None:
        await own_bus.emit("a")

    await own_bus.emit("a")
    await own_bus.drain()
    assert "a -> a -> a -> a -> a -> a -> a -> a -> a -> a" in caplog.text


async def test_a_fresh_chain_has_no_cause_and_no_request(own_bus: Bus) -> None:
    seen: list[Any] = []

    @own_bus.on("a")
    async def listener(event: Any) -> None:
        with bzz.fresh():
            seen.append(await own_bus.emit("b"))
        seen.append(await own_bus.emit("c"))

    with request_context(None, "abc"):
        event = await own_bus.emit("a")
    fresh, usual = seen
    assert (fresh.cause, fresh.depth, fresh.request_id) == (None, 0, None)
    assert (usual.cause, usual.request_id) == (event, "abc")


@pytest.mark.parametrize("depth", [1, 20])
async def test_the_depth_can_be_set(own_bus: Bus, depth: int) -> None:
    depths: list[int] = []

    @own_bus.on("a")
    async def again(event: Any) -> None:
        depths.append(event.depth)
        await own_bus.emit("a")

    own_bus.set_max_depth(depth)
    with pytest.raises(EventCycle) as raised:
        await own_bus.emit("a")
    assert depths == list(range(depth + 1))
    assert len(raised.value.chain) == depth + 2


@pytest.mark.parametrize("depth", [0, -1, True, "8", None])
def test_a_depth_that_is_none_is_refused(own_bus: Bus, depth: Any) -> None:
    with pytest.raises(ConfigurationError, match="is no number of causes"):
        own_bus.set_max_depth(depth)
