"""The guard in front of a model's routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import mongoengine
import pytest
from tornado.web import Application

import bzz
from bzz import signals
from tests.auth.conftest import KEY, Tickets, listen, sign_in
from tests.conftest import Driver

SIGNALS = [getattr(signals, name) for name in signals.__all__ if name.endswith(("_instance", "_list"))]


PAGE = "https://app.example.org"


class Book(mongoengine.Document):
    title = mongoengine.StringField(required=True)


@pytest.fixture
async def library(driver: Driver) -> AsyncIterator[httpx.AsyncClient]:
    routes = bzz.flatten(
        [
            bzz.ModelHive.routes_for("mongoengine", Book, database=driver()),
            bzz.AuthHive.routes_for([Tickets()]),
            bzz.MockHive.routes_for([("GET", "/mocked", {"body": {}})]),
        ]
    )
    app = Application(routes)
    bzz.AuthHive.configure(app, KEY, development=True, authenticated_get=False)
    bzz.cors(app, [PAGE])
    async with AsyncExitStack() as stack:
        client = httpx.AsyncClient(base_url=listen(stack, app), trust_env=False, timeout=30)
        stack.push_async_callback(client.aclose)
        yield client


async def test_a_stranger_reads_and_a_user_writes(library: httpx.AsyncClient) -> None:
    assert (await library.post("/book/", json={"title": "Emma"})).status_code == 401
    await sign_in(library)
    made = await library.post("/book/", json={"title": "Emma"})
    assert (made.status_code, "AUTH_TOKEN" in made.cookies) == (201, True)
    library.cookies.clear()
    assert [book["title"] for book in (await library.get("/book/")).json()] == ["Emma"]
    assert (await library.delete(made.headers["Location"])).status_code == 401


async def test_a_refusal_before_the_body_is_read_tells_that_the_connection_ends(library: httpx.AsyncClient) -> None:
    refused = await library.post("/book/", json={"title": "Emma"})
    assert (refused.status_code, refused.headers.get("Connection")) == (401, "close")
    await sign_in(library)
    for title, status in [("Emma", 201), (None, 400)]:
        answer = await library.post("/book/", json={"title": title})
        assert (answer.status_code, answer.headers.get("Connection")) == (status, None)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/book/", "/book/0123456789abcdef01234567/", "/book/x/nowhere/y/"])
async def test_401_comes_before_404_and_405_and_400_and_before_any_signal(
    library: httpx.AsyncClient, method: str, path: str
) -> None:
    seen: list[Any] = []

    def note(sender: Any, **arguments: Any) -> None:
        seen.append(sender)

    for signal in SIGNALS:
        signal.connect(note)
    try:
        answer = await library.request(method, path, content=b"{not json")
    finally:
        for signal in SIGNALS:
            signal.disconnect(note)
    assert (answer.status_code, seen) == (401, [])


async def test_a_write_that_fails_renews_nothing(library: httpx.AsyncClient) -> None:
    await sign_in(library)
    refused = await library.post("/book/", json={"title": 7})
    assert (refused.status_code, "Set-Cookie" in refused.headers) == (400, False)


@pytest.mark.parametrize(("path", "status"), [("/book/", 401), ("/auth/signin/", 400), ("/mocked", 405)])
async def test_pages_of_other_origins_may_use_every_hive(library: httpx.AsyncClient, path: str, status: int) -> None:
    asking = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    preflight, answer = await library.options(path, headers=asking), await library.post(path, headers={"Origin": PAGE})
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Headers"]) == (204, "content-type")
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, PAGE)


async def test_a_list_that_everybody_may_read_says_that_it_depends_on_the_session(library: httpx.AsyncClient) -> None:
    answer = await library.get("/book/")
    assert (answer.headers["Vary"], answer.headers["Cache-Control"]) == ("Cookie, Authorization, Origin", "private")
