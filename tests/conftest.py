"""What every test may ask for: a real MongoDB, a database of its own, both drivers, and a server on a real socket."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

import httpx
import mongoengine
import pymongo
import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient
from pymongo.write_concern import WriteConcern
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from bzz.delivery.listener import declared
from bzz.dev import URI_VARIABLE, MongoServer
from bzz.events.bus import bus
from bzz.providers.mongoengine.client import close as close_clients

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""The ``verify`` of clients that speak plain HTTP: it trusts nobody. Each client would else load all certificates that
this machine trusts, which takes 20 to 45 ms of processor."""


def require_mongod() -> None:
    """Skip a test that starts, stops or freezes a MongoDB of its own, where there is none to start.

    The wheel that carries one is for Linux on x86-64 only; elsewhere ``BZZ_MONGODB_URI`` may name a server for all the
    other tests, but that one is not ours to stop.
    """
    if not shutil.which("mongod") and not importlib.util.find_spec("fiftyone"):
        pytest.skip("there is no mongod to start")  # no wheel for this machine, and nobody installed one


class Driver(Protocol):
    """Gives an asynchronous database object of the driver that the test runs with."""

    def __call__(self, name: str | None = None) -> Any:
        """The database ``name``; the test's own unless said otherwise."""


class Serve(Protocol):
    """Serves an application on loopback."""

    def __call__(
        self, routes: Sequence[Any], configure: Callable[[Application], None] = ..., /, **settings: Any
    ) -> httpx.AsyncClient:
        """A client of an application with ``routes`` and ``settings``; ``configure`` gets it first."""


def pytest_collection_finish() -> None:
    """Called by pytest. Modules of tests declare no durable listener: every application of the process would run it."""
    assert [each.name for each in declared()] == []


@pytest.fixture(autouse=True)
def _own_names() -> Iterator[None]:
    """The names that a test's models keep for themselves are free again after it."""
    before = bus._reserved
    yield
    bus._reserved = before


@pytest.fixture(scope="session")
def mongo() -> Iterator[MongoServer]:
    """One MongoDB for the whole run: a replica set of one node, its data gone afterwards.

    Nobody kills it, so no write waits for its journal, which would take ten milliseconds each.
    """
    with MongoServer() as server:
        if URI_VARIABLE not in os.environ:  # else it is not ours to configure
            _acknowledge_before_the_journal(server.uri)
        yield server


def _acknowledge_before_the_journal(uri: str) -> None:
    with pymongo.MongoClient[Any](uri) as client:
        config = client.admin.command("replSetGetConfig")["config"]
        changed = {"version": config["version"] + 1, "writeConcernMajorityJournalDefault": False}
        client.admin.command("replSetReconfig", {**config, **changed})
        # Until the next write nothing counts as what a majority has, and who follows changes waits for that.
        client["bzz_test"].get_collection("first", write_concern=WriteConcern("majority")).insert_one({})


class OrmClient(pymongo.MongoClient[dict[str, Any]]):
    """The client of MongoEngine's connection, which all tests of a process share: to make one takes 10 ms of processor.

    MongoEngine closes the client of what it disconnects, so that closes nothing.
    """

    def close(self) -> None:
        """Do nothing."""

    def close_at_last(self) -> None:
        """Close the client."""
        super().close()


@pytest.fixture(scope="session")
def connect_orm(mongo: MongoServer) -> Iterator[Callable[[str], OrmClient]]:
    """Leads MongoEngine's default connection to a database of that name."""
    client = OrmClient(mongo.uri, uuidRepresentation="standard")

    def shared(**settings: Any) -> OrmClient:
        return client

    def connect(name: str) -> OrmClient:
        mongoengine.connect(db=name, host=mongo.uri, uuidRepresentation="standard", mongo_client_class=shared)
        return client

    yield connect
    client.close_at_last()


@pytest.fixture
async def database_name(connect_orm: Callable[[str], OrmClient]) -> AsyncIterator[str]:
    """An empty database of the test's own, to which MongoEngine's default connection leads."""
    name = f"bzz_test_{uuid.uuid4().hex}"
    client = connect_orm(name)
    yield name
    await close_clients()
    client.drop_database(name)
    mongoengine.disconnect_all()


DRIVERS = ("motor", "pymongo")


@pytest.fixture(params=DRIVERS)
async def driver(request: pytest.FixtureRequest, mongo: MongoServer, database_name: str) -> AsyncIterator[Driver]:
    """The test runs twice, with Motor and with PyMongo's AsyncMongoClient."""
    async with driving(request.param, mongo, database_name) as driver:
        yield driver


@asynccontextmanager
async def driving(name: str, mongo: MongoServer, database_name: str) -> AsyncIterator[Driver]:
    """Have a driver by its name."""
    client: Any
    if name == "motor":
        client = AsyncIOMotorClient(mongo.uri, uuidRepresentation="standard", io_loop=asyncio.get_running_loop())
    else:
        client = AsyncMongoClient(mongo.uri, uuidRepresentation="standard")
    yield lambda name=None: client[name or database_name]
    closing = client.close()
    if closing is not None:  # Motor closes at once, AsyncMongoClient asks to be awaited
        await closing


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start an application in the test's own event loop, on a free port of loopback."""
    async with AsyncExitStack() as stack:

        def start(
            routes: Sequence[Any], configure: Callable[[Application], None] = lambda app: None, /, **settings: Any
        ) -> httpx.AsyncClient:
            sockets = bind_sockets(0, "127.0.0.1")
            app = Application(list(routes), **settings)
            configure(app)
            server = HTTPServer(app)
            server.add_sockets(sockets)
            port = sockets[0].getsockname()[1]
            client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30, verify=NO_TLS)
            stack.push_async_callback(server.close_all_connections)
            stack.callback(server.stop)
            stack.push_async_callback(client.aclose)
            return client

        yield start
