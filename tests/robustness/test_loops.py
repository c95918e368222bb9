"""Several event loops in one process, each in a thread of its own, with clients that are made when first needed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

import bzz
from tests.robustness.documents import Account, Person


async def serve_and_use(routes: Any, ready: threading.Barrier) -> list[int]:
    """The status codes of some requests, to a server on this loop, while the other loop does the same."""
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(Application(list(routes)))
    server.add_sockets(sockets)
    address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    try:
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client:
            ready.wait(10)
            posts = [client.post(f"/{name}/", json={"age": 1}) for name in ("person", "account") for _ in range(20)]
            made = await asyncio.gather(*posts)
            gets = await asyncio.gather(*(client.get(each.headers["Location"]) for each in made))
            return [each.status_code for each in (*made, *gets)]
    finally:
        server.stop()
        await server.close_all_connections()


@pytest.mark.usefixtures("database_name", "quiet_log")
def test_two_loops_share_one_set_of_routes() -> None:
    routes = bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each) for each in (Person, Account)])
    ready = threading.Barrier(2)
    answers: list[list[int]] = []

    def run(work: Callable[[], Awaitable[list[int]]]) -> None:
        answers.append(asyncio.run(work()))  # type: ignore[arg-type]  # it is a coroutine

    threads = [threading.Thread(target=run, args=(lambda: serve_and_use(routes, ready),)) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert answers == [40 * [201] + 40 * [200]] * 2


@pytest.mark.usefixtures("database_name", "quiet_log")
def test_loops_that_come_and_go_leave_no_client_behind() -> None:
    routes = bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each) for each in (Person, Account)])
    for _ in range(3):
        assert asyncio.run(serve_and_use(routes, threading.Barrier(1))) == 40 * [201] + 40 * [200]
