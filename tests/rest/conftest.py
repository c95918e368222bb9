"""The REST surface on a real socket, a real MongoDB and both drivers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

import bzz
from tests.conftest import Driver, Serve

Api = Callable[..., httpx.AsyncClient]


@pytest.fixture
def api(serve: Serve, driver: Driver) -> Api:
    """Serves models, and gives a client: ``api(Ship, Fleet, hidden=["name"])``."""

    def start(*models: type, **options: Any) -> httpx.AsyncClient:
        options.setdefault("database", driver())
        return serve(bzz.flatten(bzz.ModelHive.routes_for("mongoengine", model, **options) for model in models))

    return start


@pytest.fixture
def alone(serve: Serve, database_name: str) -> Api:
    """As ``api`` for the routes alone: bzz makes the driver's client from MongoEngine's connection."""

    def start(*models: type, **options: Any) -> httpx.AsyncClient:
        return serve(bzz.flatten(bzz.ModelHive.routes_for("mongoengine", model, **options) for model in models))

    return start
