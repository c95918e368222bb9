"""The client that bzz makes itself lives as long as its event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
import uuid
from collections.abc import Iterator
from typing import Any

import mongoengine as me
import pymongo
import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application

import bzz
from bzz.dev import MongoServer
from bzz.providers.mongoengine import client as own_client
from tests.robustness.wire import Wire

SECONDS = 10


class Tenant(me.Document):
    name = me.StringField()


def application() -> Application:
    return Application(bzz.ModelHive.routes_for("mongoengine", Tenant))


async def status(app: Application) -> int:
    """What a GET of the list answers, asked through a socket in the running loop."""
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app)
    server.add_sockets(sockets)
    try:
        url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/tenant/"
        return (await AsyncHTTPClient(force_instance=True).fetch(url, raise_error=False)).code
    finally:
        server.stop()
        await server.close_all_connections()


async def cancel_everything() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def connections(mongo: MongoServer, name: str) -> int:
    with pymongo.MongoClient[dict[str, Any]](mongo.uri) as client:
        stages: list[dict[str, Any]] = [
            {"$currentOp": {"idleConnections": True, "allUsers": True}},
            {"$match": {"appName": name}},
        ]
        return len(list(client.admin.aggregate(stages)))


@pytest.fixture
def app_name(mongo: MongoServer) -> Iterator[str]:
    """A name by which the server knows the clients of this test."""
    name = f"bzz_test_{uuid.uuid4().hex}"
    me.connect(name, host=mongo.uri, appname=name, uuidRepresentation="standard")
    yield name
    me.disconnect()
    with pymongo.MongoClient[dict[str, Any]](mongo.uri) as client:
        client.drop_database(name)


def test_no_connection_outlives_the_loop(mongo: MongoServer, app_name: str) -> None:
    assert asyncio.run(status(application())) == 200
    gc.collect()  # a client that was not closed warns here, which is an error
    me.disconnect()
    deadline = time.monotonic() + SECONDS
    while (left := connections(mongo, app_name)) and time.monotonic() < deadline:
        pass
    assert left == 0


@pytest.mark.usefixtures("database_name")
def test_the_next_loop_has_a_client_of_its_own() -> None:
    app = application()
    assert [asyncio.run(status(app)), asyncio.run(status(app))] == [200, 200]


@pytest.mark.usefixtures("database_name")
def test_a_loop_that_goes_on_after_its_tasks_were_cancelled_gets_a_new_client() -> None:
    async def ask_twice() -> list[int]:
        app = application()
        first = await status(app)
        await cancel_everything()
        return [first, await status(app)]

    assert asyncio.run(ask_twice()) == [200, 200]


@pytest.mark.usefixtures("connect")
def test_a_client_is_closed_in_time_where_its_server_does_not_answer(wire: Wire) -> None:
    me.connect("bzz_test_away", host=wire.uri, uuidRepresentation="standard")

    async def ask() -> float:
        assert await status(application()) == 200
        wire.hold()
        return time.monotonic()

    held = asyncio.run(ask())
    took = time.monotonic() - held
    wire.release()
    me.disconnect()
    assert took < SECONDS / 2


class TestTornadosOwnTestCase(AsyncHTTPTestCase):
    @pytest.fixture(autouse=True)
    def _database(self, database_name: str) -> None:
        """Called by pytest around each test."""

    def get_app(self) -> Application:
        return application()

    def test_it_closes_the_client_with_its_loop(self) -> None:
        assert self.fetch("/tenant/").code == 200


async def test_a_client_that_cannot_be_closed_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, database_name: str
) -> None:
    """As where the driver waits for a lock whose owner was cancelled, which no cancellation ends."""
    monkeypatch.setattr(own_client, "CLOSE_SECONDS", 0.1)
    goes_on = asyncio.Event()

    async def wait_without_end(client: Any) -> None:
        while not goes_on.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await goes_on.wait()

    client = own_client.connected("default")
    monkeypatch.setattr(pymongo.AsyncMongoClient, "close", wait_without_end)
    await asyncio.sleep(0)  # so that it has begun
    client.keeper.cancel()
    await asyncio.wait_for(asyncio.wait([client.keeper]), 5)
    assert client.keeper.done()
    assert "could not be closed in order" in caplog.text
    monkeypatch.undo()
    goes_on.set()
    await client.database.client.close()
