"""Chromium, with a page of one port, uses an API on another: what ``bzz.cors`` allows, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from selenium.webdriver import Chrome
from tornado.web import Application, RequestHandler

import bzz
from tests.auth.conftest import KEY, Guarded, Tickets

FakeSite = Callable[[Application], str]

FETCH = """
const [url, options, done] = arguments;
fetch(url, options)
  .then(async answer => [answer.status, await answer.json(), Object.fromEntries(answer.headers)])
  .catch(error => [0, String(error), {}])
  .then(done)
"""

JSON = {"Content-Type": "application/json"}
SIGN_IN = '{"access_token": "ticket:ada", "provider": "tickets"}'


class Page(RequestHandler):
    def get(self) -> None:
        self.write("<!doctype html><title>a page</title>")


class Items(Guarded):
    """Counts what was written, and answers with the headers of a list."""

    written: list[str]

    def get(self) -> None:
        self.set_header("X-Total-Count", "7")
        self.set_header("X-Inner", "not exposed")
        self.write({"user": self.current_user})

    def patch(self) -> None:
        self.settings["written"].append(self.request.headers["Origin"])
        self.write({})


class Api:
    """An API with sessions, and a browser that shows a page of another port."""

    def __init__(self, browser: Chrome, fake_site: FakeSite) -> None:
        self.browser = browser
        self.page, self.other = (fake_site(Application([("/", Page)])) for _ in range(2))
        self.app = Application([*bzz.AuthHive.routes_for([Tickets]), ("/items/", Items)], written=[])
        self.url = fake_site(self.app)
        bzz.AuthHive.configure(self.app, KEY, development=True, authenticated_get=False)

    async def show(self, page: str) -> None:
        await asyncio.to_thread(self.browser.get, page)

    async def fetch(self, method: str, path: str, **options: Any) -> Any:
        """The status, the JSON and the headers that a script of the page sees; 0 where the browser shows it nothing."""
        arguments = (f"{self.url}{path}", {"method": method, **options})
        return await asyncio.to_thread(self.browser.execute_async_script, FETCH, *arguments)


@pytest.fixture
async def api(browser: Chrome, fake_site: FakeSite) -> Api:
    return Api(browser, fake_site)


async def test_a_page_of_another_port_signs_in_reads_and_writes(api: Api) -> None:
    bzz.cors(api.app, [api.page], credentials=True)
    await api.show(api.page)
    signed = await api.fetch("POST", "/auth/signin/", headers=JSON, body=SIGN_IN, credentials="include")
    assert signed[:2] == [200, {"id": "ada", "name": "Ada", "shoe": 42, "provider": "tickets", "authenticated": True}]
    status, body, headers = await api.fetch("GET", "/items/", credentials="include")
    assert (status, body["user"]["id"], headers["x-total-count"], "x-inner" in headers) == (200, "ada", "7", False)
    assert "etag" in headers
    written = await api.fetch("PATCH", "/items/", headers={**JSON, "If-Match": "*"}, body="{}", credentials="include")
    assert (written[0], api.app.settings["written"]) == (200, [api.page])


async def test_a_page_of_an_origin_that_is_not_named_sees_nothing_and_writes_nothing(api: Api) -> None:
    bzz.cors(api.app, [api.page], credentials=True)
    await api.show(api.other)
    assert (await api.fetch("GET", "/items/"))[0] == 0
    assert (await api.fetch("PATCH", "/items/", headers=JSON, body="{}", credentials="include"))[0] == 0
    assert api.app.settings["written"] == []


async def test_a_page_reads_an_error_too(api: Api) -> None:
    bzz.cors(api.app, [api.page])
    await api.show(api.page)
    status, body, _ = await api.fetch("PATCH", "/items/", headers=JSON, body="{}")
    assert (status, body["detail"]) == (401, "Sign in first.")


async def test_without_credentials_a_page_cannot_use_the_cookie(api: Api) -> None:
    bzz.cors(api.app, [api.page])
    await api.show(api.page)
    assert (await api.fetch("GET", "/items/"))[:2] == [200, {"user": None}]
    assert (await api.fetch("GET", "/items/", credentials="include"))[0] == 0


async def test_without_cors_a_page_of_another_port_sees_nothing(api: Api) -> None:
    await api.show(api.page)
    assert (await api.fetch("GET", "/items/"))[0] == 0


async def test_the_mock_command_lets_pages_of_every_origin_in(browser: Chrome, fake_site: FakeSite) -> None:
    from bzz.cli.mock import mock_application

    rows = [("PUT", "/pets", {"body": {"name": "Rex"}, "headers": {"X-Own": "1"}})]
    api = Api(browser, fake_site)
    api.url = fake_site(mock_application(bzz.MockHive.routes_for(rows), cors=True))
    await api.show(api.page)
    status, body, headers = await api.fetch("PUT", "/pets", headers=JSON, body="{}", credentials="include")
    assert (status, body, headers["x-own"]) == (200, {"name": "Rex"}, "1")
