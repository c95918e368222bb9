"""The MongoEngine provider does what providers do, with both drivers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from bzz.dev import MongoServer
from bzz.providers.mongoengine.provider import MongoEngineProvider
from bzz.testing.provider import Capability, ProviderContract
from tests.providers.models import MODELS, SAVED_MODELS


class TestMongoEngine(ProviderContract):
    """With the client that bzz makes itself."""

    provider = MongoEngineProvider
    models = MODELS

    @pytest.fixture
    def database(self, emptied: str) -> Any:
        return None


class TestMotor(ProviderContract):
    """With a database object of Motor."""

    provider = MongoEngineProvider
    models = MODELS

    @pytest.fixture
    async def database(self, mongo: MongoServer, emptied: str) -> AsyncIterator[Any]:
        client: Any = AsyncIOMotorClient(mongo.uri, uuidRepresentation="standard", io_loop=asyncio.get_running_loop())
        yield client[emptied]
        client.close()


class TestSavedByMongoEngine(ProviderContract):
    """With documents that bring code of their own, which MongoEngine writes in a thread."""

    provider = MongoEngineProvider
    models = SAVED_MODELS
    lacks: ClassVar[Mapping[Capability, str]] = {"together": "MongoEngine saves its documents one by one"}

    @pytest.fixture
    def database(self, emptied: str) -> Any:
        return None
