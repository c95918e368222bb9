"""A real Redis, applications whose requests are limited, and who asks them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import mongoengine as me
import pytest
from tornado.web import Application, RequestHandler

import bzz
from bzz.errors import Unauthorized
from bzz.rate_limits import redis as counting
from tests.conftest import Serve
from tests.relay.conftest import own_redis as own_redis
from tests.relay.conftest import redis as redis
from tests.relay.server import RedisServer

Limited = Callable[..., httpx.AsyncClient]

_databases = itertools.count()


class Turnstile(me.Document):
    name = me.StringField(max_length=5)


class Booth(me.Document):
    name = me.StringField()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is, a Redis that is there is waited for."""
    monkeypatch.setattr(counting, "ANSWER_SECONDS", 20)


@pytest.fixture(params=["memory", "redis"])
def storage(request: pytest.FixtureRequest, redis: RedisServer) -> str:
    """The URL of an empty storage; the test runs with each kind."""
    return "memory://" if request.param == "memory" else f"{redis.url}/{next(_databases) % 16}"


async def by_name(handler: RequestHandler) -> None:
    """A guard: ``X-User`` says who asks; ``nobody`` is refused, and no name is a stranger."""
    name = handler.request.headers.get("X-User")
    if name == "nobody":
        raise Unauthorized("There is no such user.")
    handler.current_user = {"provider": "test", "id": name} if name else None


@pytest.fixture
def limited(serve: Serve, database_name: str) -> Limited:
    """Serves models with limits for the application: ``limited("3/minute", storage=..., routes=...)``."""

    def start(
        *limits: str, routes: Sequence[Any] | None = None, guard: Any = by_name, **options: Any
    ) -> httpx.AsyncClient:
        served = bzz.ModelHive.routes_for("mongoengine", Turnstile) if routes is None else routes
        settings = {} if guard is None else {"bzz_guard": guard}

        def configure(app: Application) -> None:
            if limits or options:
                bzz.RateLimits(*limits, **options).attach(app)

        return serve(served, configure, **settings)

    return start


async def statuses(client: httpx.AsyncClient, count: int, path: str = "/turnstile/", **headers: str) -> list[int]:
    """The statuses of so many GET, one after the other."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return [(await client.get(path, headers=given)).status_code for _ in range(count)]
