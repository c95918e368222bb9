"""Sending from threads, and with several loops in one process."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bzz.errors import ConfigurationError, Forbidden
from bzz.events import Creating
from bzz.events.bus import Bus
from tests.events.conftest import Calls


@pytest.fixture
def other_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def test_listeners_of_an_event_from_a_thread_run_on_the_loop(own_bus: Bus) -> None:
    ran_in: list[int] = []

    @own_bus.on("a")
    async def listener(event: Any) -> None:
        ran_in.append(threading.get_ident())
        event.answer = 42

    await own_bus.emit("anything")
    event = await asyncio.to_thread(lambda: own_bus.emit_from_thread("a", answer=None).result(5))
    assert (event.answer, ran_in) == (42, [threading.get_ident()])


async def test_the_cause_goes_with_the_thread(own_bus: Bus) -> None:
    causes: list[Any] = []

    @own_bus.on("a")
    async def listener(event: Any) -> None:
        await asyncio.to_thread(lambda: own_bus.emit_from_thread("b").result(5))

    own_bus.on("b")(lambda event: causes.append(event.cause.name))
    await own_bus.emit("a")
    assert causes == ["a"]


async def test_what_a_listener_refuses_is_raised_in_the_thread(own_bus: Bus) -> None:
    class User: ...

    @own_bus.on("User.creating")
    def refuse(event: Any) -> None:
        raise Forbidden("not today")

    await own_bus.emit("anything")
    with pytest.raises(Forbidden, match="not today"):
        await asyncio.to_thread(lambda: own_bus.emit_from_thread(Creating(model=User)).result(5))


async def test_the_thread_of_the_loop_is_told_to_await(own_bus: Bus) -> None:
    await own_bus.emit("a")
    with pytest.raises(ConfigurationError, match=r"await bzz\.emit"):
        own_bus.emit_from_thread("a")


def test_where_no_loop_has_sent_anything_the_loop_must_be_named(own_bus: Bus) -> None:
    with pytest.raises(ConfigurationError, match="name it, loop="):
        own_bus.emit_from_thread("a")


async def test_with_two_loops_the_loop_must_be_named(
    own_bus: Bus, other_loop: asyncio.AbstractEventLoop, calls: Calls
) -> None:
    own_bus.on("a")(lambda event: calls.made.append(str(asyncio.get_running_loop() is other_loop)))
    await own_bus.emit("here")
    own_bus.emit_from_thread("there", loop=other_loop).result(5)
    with pytest.raises(ConfigurationError, match="name it, loop="):
        await asyncio.to_thread(own_bus.emit_from_thread, "a")
    own_bus.emit_from_thread("a", loop=other_loop).result(5)
    assert calls.made == ["True"]


async def test_each_loop_has_its_own_background_listeners(
    own_bus: Bus, other_loop: asyncio.AbstractEventLoop, calls: Calls
) -> None:
    @own_bus.on("a", background=True)
    async def listener(event: Any) -> None:
        calls.made.append(str(asyncio.get_running_loop() is other_loop))

    await own_bus.emit("a")
    own_bus.emit_from_thread("a", loop=other_loop).result(5)
    await own_bus.drain()
    asyncio.run_coroutine_threadsafe(own_bus.drain(), other_loop).result(5)
    assert sorted(calls.made) == ["False", "True"]


def test_a_bus_serves_one_loop_after_the_other(own_bus: Bus, calls: Calls) -> None:
    own_bus.on("a", background=True)(calls.listener("x"))

    async def once() -> None:
        await own_bus.emit("a")
        await own_bus.drain()
        await asyncio.to_thread(lambda: own_bus.emit_from_thread("a").result(5))
        await own_bus.drain()

    asyncio.run(once())
    asyncio.run(once())
    assert calls.made == ["x"] * 4


def test_a_bus_forgets_loops_that_are_closed(own_bus: Bus) -> None:
    async def once() -> None:
        await own_bus.emit("a")

    for _ in range(5):
        asyncio.run(once())
    assert len(own_bus.loops) == 1


def test_many_threads_may_register_at_once(own_bus: Bus) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for number in range(200):
            pool.submit(own_bus.on(f"name{number}"), lambda event: None)
    assert len(own_bus._listeners.listeners) == 200


async def test_many_threads_may_send_at_once(own_bus: Bus) -> None:
    seen: list[int] = []
    own_bus.on("a")(lambda event: seen.append(event.number))
    await own_bus.emit("start")

    def send(number: int) -> None:
        own_bus.emit_from_thread("a", number=number).result(10)

    await asyncio.gather(*(asyncio.to_thread(send, number) for number in range(100)))
    assert sorted(seen) == list(range(100))
