"""The REST surface on a real socket and a real MongoDB.

Each test has one of the two drivers, by its name. That both do the same is shown below this surface, in ``providers``,
``robustness`` and ``delivery``, where each test runs with either.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

import bzz
from bzz.dev import MongoServer
from bzz.problem import MEDIA_TYPE
from tests.conftest import DRIVERS, Driver, Serve, driving

Api = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def driver(request: pytest.FixtureRequest, mongo: MongoServer, database_name: str) -> AsyncIterator[Driver]:
    name = getattr(request, "param", DRIVERS[zlib.crc32(request.node.nodeid.encode()) % len(DRIVERS)])
    async with driving(name, mongo, database_name) as driver:
        yield driver


@pytest.fixture
def api(serve: Serve, driver: Driver) -> Api:
    """Serves models, and gives a client: ``api(Ship, Fleet, hidden=["name"])``."""

    def start(*models: type, **options: Any) -> httpx.AsyncClient:
        options.setdefault("database", driver())
        return watched(serve(bzz.flatten(bzz.ModelHive.routes_for("mongoengine", each, **options) for each in models)))

    return start


@pytest.fixture
def alone(serve: Serve, database_name: str) -> Api:
    """As ``api`` for the routes alone: bzz makes the driver's client from MongoEngine's connection."""

    def start(*models: type, **options: Any) -> httpx.AsyncClient:
        return watched(serve(bzz.flatten(bzz.ModelHive.routes_for("mongoengine", each, **options) for each in models)))

    return start


def watched(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client that fails wherever a 404 or a 412 does not say what is missing or did not match."""

    async def look(answer: httpx.Response) -> None:
        is_problem = answer.headers.get("Content-Type") == MEDIA_TYPE  # Tornado itself knows no such address otherwise
        if answer.status_code in (404, 412) and is_problem and answer.request.method != "HEAD":
            await answer.aread()
            assert answer.json().get("detail"), f"{answer.request.url} says nothing: {answer.text}"

    client.event_hooks["response"].append(look)
    return client
