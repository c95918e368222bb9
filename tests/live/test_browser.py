"""The module for browsers keeps rows up to date in a real one, through breaks and resets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import mongoengine as me
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.wait import WebDriverWait
from tornado.web import RequestHandler

import bzz
from bzz.live import rights
from tests.auth.conftest import browser
from tests.conftest import Serve

__all__ = ["browser"]

pytestmark = pytest.mark.slow  # a browser is started for each

PAGE = """<!doctype html><title>rows</title>
<script type="module">
  import { follow } from "/bzz-live.js";
  window.told = [];
  window.feed = follow("/sail/?area__gte=10", {
    ready: (rows) => told.push("ready " + rows.size),
    change: ({ kind, diff }) => told.push(kind + " " + JSON.stringify(diff)),
    reset: (reason) => told.push("reset " + reason),
  });
</script>"""

ROWS = "return JSON.stringify([...window.feed.rows.values()].map((row) => row.area))"


class Sail(me.Document):
    area = me.IntField()


class Rows(RequestHandler):
    def get(self) -> None:
        self.finish(PAGE)


Shown = Callable[[list[int]], Awaitable[None]]


@pytest.fixture
async def page(serve: Serve, database_name: str, browser: Chrome) -> tuple[httpx.AsyncClient, Shown]:
    """A client of the application whose page is open in the browser, and what waits until the page has these rows."""
    models = bzz.ModelHive.routes_for("mongoengine", Sail, live=True)
    client = serve([("/", Rows), *models, *bzz.LiveHive.routes_for(models)])
    await client.post("/sail/", json={"area": 10})
    await asyncio.to_thread(browser.get, str(client.base_url))

    async def shown(areas: list[int]) -> None:
        def are_there(browser: Chrome) -> bool:
            return bool(json.loads(browser.execute_script(ROWS)) == areas)

        await asyncio.to_thread(WebDriverWait(browser, 20, 0.05).until, are_there)

    return client, shown


async def told(browser: Chrome) -> list[str]:
    found: list[str] = json.loads(await asyncio.to_thread(browser.execute_script, "return JSON.stringify(told)"))
    return found


async def test_the_page_follows_every_change(page: tuple[httpx.AsyncClient, Shown], browser: Chrome) -> None:
    client, shown = page
    await shown([10])
    sail = (await client.post("/sail/", json={"area": 20})).json()
    await shown([10, 20])
    await client.put(f"/sail/{sail['id']}/", json={"area": 30})
    await shown([10, 30])
    await client.put(f"/sail/{sail['id']}/", json={"area": 1})
    await shown([10])
    ready, created, updated, leave = await told(browser)
    assert (ready, updated, leave) == ("ready 1", 'updated {"area":{"from":20,"to":30}}', "leave undefined")
    assert '"area":{"from":null,"to":20}' in created


async def test_the_page_goes_on_where_it_broke_off(page: tuple[httpx.AsyncClient, Shown], browser: Chrome) -> None:
    client, shown = page
    await shown([10])
    for feed in rights.clients():
        feed.handler.request.connection.stream.close()  # type: ignore[union-attr]
    await client.post("/sail/", json={"area": 40})
    await shown([10, 40])
    assert [each.split()[0] for each in await told(browser)] == ["ready", "created", "ready"]


@pytest.mark.parametrize("reason", ["shutdown", "scope"])
async def test_the_page_is_right_again_after_a_reset(
    page: tuple[httpx.AsyncClient, Shown], browser: Chrome, reason: Any
) -> None:
    client, shown = page
    await shown([10])
    for feed in rights.clients():
        feed.end(reason)
    await client.post("/sail/", json={"area": 50})
    await shown([10, 50])
    assert f"reset {reason}" in await told(browser)


class Broken(RequestHandler):
    """A feed whose first connection breaks within the snapshot; a row of it is gone before the next one."""

    connections: list[None] = []  # noqa: RUF012

    def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.write(b"retry: 50\n\n")
        self.connections.append(None)
        rows = [10, 20] if len(self.connections) == 1 else [20]
        data = {"model": "sail", "ids": [str(each) for each in rows], "rows": [{"area": each} for each in rows]}
        self.write(f"event: snapshot\ndata: {json.dumps(data)}\n\n")
        if len(self.connections) > 1:
            self.write(b"event: ready\ndata: {}\nid: v1\n\n")


async def test_the_page_begins_anew_where_the_snapshot_broke_off(serve: Serve, browser: Chrome) -> None:
    class Page(RequestHandler):
        def get(self) -> None:
            self.finish(PAGE.replace("/sail/?area__gte=10", "/broken/"))

    Broken.connections.clear()
    models = bzz.ModelHive.routes_for("mongoengine", Sail, live=True)
    client = serve([("/", Page), ("/broken/", Broken), *bzz.LiveHive.routes_for(models)])
    await asyncio.to_thread(browser.get, str(client.base_url))

    def is_ready(browser: Chrome) -> bool:
        return bool(browser.execute_script("return window.told && told.length"))

    await asyncio.to_thread(WebDriverWait(browser, 20, 0.05).until, is_ready)
    assert (await told(browser))[0] == "ready 1"
