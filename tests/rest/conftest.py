"""The REST surface on a real socket, a real MongoDB and both drivers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

import bzz
from bzz.problem import MEDIA_TYPE
from tests.conftest import Driver, Serve

Api = Callable[..., httpx.AsyncClient]


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
