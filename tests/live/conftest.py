"""Live models on a real socket and a real MongoDB."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from bzz.dev import MongoServer
from bzz.live.hub import hubs
from tests.conftest import Driver
from tests.rest.conftest import Api, alone, api

__all__ = ["Api", "alone", "api"]


@pytest.fixture
async def driver(mongo: MongoServer, database_name: str) -> AsyncIterator[Driver]:
    """An async database object of PyMongo's: tests/providers follow the changes with both drivers."""
    client: Any = AsyncMongoClient(mongo.uri, uuidRepresentation="standard")
    yield lambda name=None: client[name or database_name]
    await client.close()


@pytest.fixture(autouse=True)
async def closed_hubs() -> AsyncIterator[None]:
    """No stream outlives its test."""
    yield
    for hub in hubs():
        await hub.close()
