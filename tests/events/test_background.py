"""Listeners that nobody waits for: after the response, bounded, and drained."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest, RequestStartLine
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

import bzz
from bzz.events import Created
from bzz.events.background import CONCURRENT
from bzz.events.bus import Bus
from bzz.problem import ProblemHandler
from bzz.signals import post_create_instance
from tests.events.conftest import Calls


class User: ...


async def test_the_sender_does_not_wait_and_drain_does(own_bus: Bus, calls: Calls) -> None:
    own_bus.on("a", background=True)(calls.listener("background"))
    await own_bus.emit("a")
    assert calls.made == []
    assert await own_bus.drain() == []
    assert calls.made == ["background"]


async def test_draining_waits_for_what_background_listeners_set_off(own_bus: Bus, calls: Calls) -> None:
    @own_bus.on("a", background=True)
    async def first(event: Any) -> None:
        await own_bus.emit("b")

    own_bus.on("b", background=True)(calls.listener("second"))
    await own_bus.emit("a")
    await own_bus.drain()
    assert calls.made == ["second"]


async def test_no_more_than_so_many_run_at_once(own_bus: Bus) -> None:
    running, most = 0, 0

    @own_bus.on("a", background=True)
    async def slow(event: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(10):
            await asyncio.sleep(0)  # the others have their turn
        running -= 1

    for _ in range(3 * CONCURRENT):
        await own_bus.emit("a")
    await own_bus.drain()
    assert most == CONCURRENT


async def test_one_that_fails_is_logged_with_event_and_listener(own_bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    @own_bus.on("User.creating", background=True)
    async def broken(event: Any) -> None:
        raise ValueError("no ink")

    await own_bus.emit(bzz.events.Creating(model=User))
    await own_bus.drain()
    assert "background listener failed: User.creating -> " in caplog.text
    assert "broken" in caplog.text
    assert "ValueError: no ink" in caplog.text


async def test_what_still_runs_at_the_deadline_is_reported(own_bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    gate = asyncio.Event()

    @own_bus.on("a", background=True)
    async def endless(event: Any) -> None:
        await gate.wait()

    await own_bus.emit("a")
    (name,) = await own_bus.drain(deadline=0.01)
    assert name.startswith("a -> ")
    assert name.endswith("endless")
    assert f"1 background listeners still run: {name}" in caplog.text
    gate.set()
    assert await own_bus.drain() == []


async def test_a_background_listener_shows_its_name_among_the_tasks(own_bus: Bus) -> None:
    names: list[str] = []

    @own_bus.on("a", background=True)
    async def look(event: Any) -> None:
        names.append(asyncio.current_task().get_name())  # type: ignore[union-attr]  # it runs in a task

    await own_bus.emit("a")
    await own_bus.drain()
    assert names[0].startswith("a -> tests.events.test_background.")


async def test_a_background_listener_that_drains_does_not_wait_for_itself(own_bus: Bus, calls: Calls) -> None:
    @own_bus.on("a", background=True)
    async def tidy(event: Any) -> None:
        calls.made.append(str(await own_bus.drain(deadline=5)))

    await own_bus.emit("a")
    await own_bus.drain()
    assert calls.made == ["[]"]


class Creating(RequestHandler):
    async def post(self) -> None:
        await post_create_instance.report(User, instance=User(), handler=self)
        for _ in range(10):
            await asyncio.sleep(0)  # other tasks have their turn
        self.application.settings["calls"].append("answering")
        self.write("done")
        await self.flush()
        self.application.settings["calls"].append("answered")

    def on_finish(self) -> None:
        self.application.settings["calls"].append("finished")


async def post(calls: Calls, handler: type[RequestHandler] = Creating) -> str:
    (socket,) = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(Application([("/", handler)], calls=calls.made))
    server.add_sockets([socket])
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"http://127.0.0.1:{socket.getsockname()[1]}/")
    finally:
        server.stop()
        await server.close_all_connections()
    return answer.text


async def test_a_background_listener_of_a_request_runs_after_the_response(calls: Calls) -> None:
    bzz.on("User.created", background=True)(calls.listener("background"))
    bzz.on(Created, User, background=True)(calls.listener("another"))
    assert await post(calls) == "done"
    await bzz.drain()
    assert calls.made == ["answering", "answered", "finished", "background", "another"]


class Sending(ProblemHandler):
    """Sends an own event, and one from a thread, before it answers."""

    async def post(self) -> None:
        await bzz.emit("report.ready")
        await asyncio.to_thread(lambda: bzz.emit_from_thread("report.ready").result(5))
        for _ in range(10):
            await asyncio.sleep(0)  # other tasks have their turn
        self.application.settings["calls"].append("answering")
        self.write("done")

    def on_finish(self) -> None:
        self.application.settings["calls"].append("finished")


async def test_a_background_listener_of_an_own_event_runs_after_the_response(calls: Calls) -> None:
    bzz.on("report.ready", background=True)(calls.listener("background"))
    assert await post(calls, Sending) == "done"
    await bzz.drain()
    assert calls.made == ["answering", "finished", "background", "background"]


async def test_a_background_listener_of_what_a_listener_of_a_request_sends_runs_after_the_response(
    calls: Calls,
) -> None:
    @bzz.on("User.created")
    async def tell(event: Any) -> None:
        await bzz.emit("report.ready")

    bzz.on("report.ready", background=True)(calls.listener("background"))
    await post(calls)
    await bzz.drain()
    assert calls.made == ["answering", "answered", "finished", "background"]


def unanswered() -> RequestHandler:
    """A handler whose request was read and never answered."""
    connection: Any = SimpleNamespace(set_close_callback=lambda callback: None)
    request = HTTPServerRequest(start_line=RequestStartLine("POST", "/", "HTTP/1.0"), connection=connection)
    return RequestHandler(Application(), request)


async def test_draining_does_not_wait_for_a_response_that_never_comes(calls: Calls) -> None:
    bzz.on("User.created", background=True)(calls.listener("background"))
    await post_create_instance.report(User, instance=User(), handler=unanswered())
    assert await bzz.drain(deadline=5) == []
    assert calls.made == ["background"]


async def test_a_listener_does_not_wait_for_a_response_that_was_sent_already(calls: Calls) -> None:
    handler = unanswered()
    handler._finished = True
    ran = asyncio.Event()
    bzz.on("User.created", background=True)(lambda event: ran.set())
    await post_create_instance.report(User, instance=User(), handler=handler)
    await asyncio.wait_for(ran.wait(), 5)


async def test_a_background_listener_is_timed_by_the_hook_too(own_bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str | None] = []

    def hook(event: bzz.Event, listener: str | None) -> contextlib.AbstractContextManager[None]:
        seen.append(listener and listener.rpartition(".")[2])
        return contextlib.nullcontext()

    @own_bus.on("a", background=True)
    def later(event: Any) -> None: ...

    own_bus.watch(hook)
    caplog.set_level(logging.DEBUG)
    await own_bus.emit("a")
    await own_bus.drain()
    assert seen == [None, "later"]
