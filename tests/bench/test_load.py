"""The load generator counts good answers only, and knows when a figure would be none."""

from __future__ import annotations

import asyncio
import shutil

import pytest
from tornado.web import HTTPError, RequestHandler

from bench.load import LoadError, load
from bench.operations import Request
from tests.conftest import Serve

pytestmark = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not on PATH: apt-get install wrk")

SLOW_SECONDS = 0.6
CONNECTIONS = 4


class Handler(RequestHandler):
    """Answers at once, late, never well, or each address well for once."""

    seen: set[str] = set()  # noqa: RUF012  # shared on purpose

    async def get(self, how: str) -> None:
        if how == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        if how == "bad" or how in self.seen:
            raise HTTPError(500)
        if how.startswith("once"):
            self.seen.add(how)
        self.finish("x")


def port_of(serve: Serve) -> int:
    port = serve([(r"/(.*)", Handler)]).base_url.port
    assert port is not None
    return port


async def test_good_answers_are_counted(serve: Serve) -> None:
    figures = await asyncio.to_thread(load, port_of(serve), [Request("GET", "/quick")], 2, 0.2)
    assert figures.answers > 0
    assert figures.rate > 0


async def test_a_slow_server_is_given_time_to_answer(serve: Serve) -> None:
    figures = await asyncio.to_thread(load, port_of(serve), [Request("GET", "/slow")], 1, SLOW_SECONDS / 3)
    assert figures.answers > 0


async def test_bad_answers_are_no_figures(serve: Serve) -> None:
    with pytest.raises(LoadError, match="answers were errors"):
        await asyncio.to_thread(load, port_of(serve), [Request("GET", "/bad")], 1, 0.2)


async def test_requests_that_are_good_for_once_are_sent_in_order_without_repeating(serve: Serve) -> None:
    wanted = [Request("GET", f"/once{number}") for number in range(20_000)]
    figures = await asyncio.to_thread(load, port_of(serve), wanted, CONNECTIONS, 0.2, once=True)
    asked = [int(each.removeprefix("once")) for each in Handler.seen]
    assert len(asked) <= max(asked) - min(asked) + 1 <= figures.answers + CONNECTIONS  # some were under way at the end


async def test_when_all_of_them_are_sent_the_run_ends(serve: Serve) -> None:
    wanted = [Request("GET", f"/once{number}") for number in range(100_000, 100_300)]
    figures = await asyncio.to_thread(load, port_of(serve), wanted, CONNECTIONS, 1, once=True)
    assert len(wanted) - 2 * CONNECTIONS <= figures.answers <= len(wanted)  # some were under way at the end
