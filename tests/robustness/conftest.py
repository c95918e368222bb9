"""What these tests need beyond the shared fixtures: a MongoDB that they may stop, kill or cut off."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx
import mongoengine
import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient
from pymongo.uri_parser import parse_uri

from bzz.dev import MongoServer
from bzz.providers.mongoengine.client import close as close_clients
from tests.conftest import require_mongod
from tests.robustness.wire import Wire


class ExpendableMongo:
    """A MongoDB of these tests' own, behind a wire whose address outlives it."""

    def __init__(self, data: Path) -> None:
        self._server = MongoServer(data)

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    @property
    def port(self) -> int:
        return int(parse_uri(self._server.uri)["nodelist"][0][1])

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self._signal(signal.SIGKILL)
        self._server.stop()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Have it keep its connections and say nothing."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._server.pid is not None
        os.kill(self._server.pid, number)


@pytest.fixture(scope="session")
def expendable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExpendableMongo]:
    require_mongod()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BZZ_MONGODB_URI", raising=False)
        server = ExpendableMongo(tmp_path_factory.mktemp("expendable"))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def wire(expendable: ExpendableMongo) -> Iterator[Wire]:
    """The way to the expendable MongoDB."""
    with Wire(expendable.port) as between:
        yield between


class Connect(Protocol):
    """Leads MongoEngine's default connection to an address."""

    def __call__(self, uri: str) -> Callable[[str], Any]:
        """What gives the ``database`` option of ``routes_for`` for a driver: None for ``own``, bzz's own client."""


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connections to any address, which end with the test."""
    closings: list[Callable[[], Awaitable[None] | None]] = []

    def open_(uri: str) -> Callable[[str], Any]:
        name = f"bzz_test_{uuid.uuid4().hex}"
        mongoengine.connect(db=name, host=uri, uuidRepresentation="standard")

        def database(driver: str) -> Any:
            client: Any = None
            if driver == "motor":
                client = AsyncIOMotorClient(uri, uuidRepresentation="standard", io_loop=asyncio.get_running_loop())
            elif driver == "pymongo":
                client = AsyncMongoClient(uri, uuidRepresentation="standard")
            if client is not None:
                closings.append(client.close)
            return None if client is None else client[name]

        return database

    yield open_
    for close in closings:
        closing = close()
        if closing is not None:
            await closing
    await close_clients()
    mongoengine.disconnect_all()


LONGEST = 15
"""How many seconds an answer may take, and recovery."""


async def becomes_well(client: httpx.AsyncClient, url: str) -> None:
    """Wait until the database answers again."""
    deadline = time.monotonic() + LONGEST
    while (await client.get(url)).status_code != 200:
        assert time.monotonic() < deadline


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "tornado.access":  # which has a line for every 503
            self.records.append(record)


@pytest.fixture
def quiet_log() -> Iterator[None]:
    """Nothing is logged as an error while the test runs: no traceback, no exception that nobody took."""
    handler = _Errors()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    assert [logging.Formatter().format(each) for each in handler.records] == []
