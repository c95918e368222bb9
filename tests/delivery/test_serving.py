"""``bzz.serve`` and the adapters run the durable listeners of a process while they serve."""

from __future__ import annotations

import time
import uuid

import mongoengine as me
import pytest
from pymongo.uri_parser import parse_uri
from tornado.web import Application

import bzz
from bzz.asgi.lifespan import attached
from bzz.delivery import running
from bzz.dev import MongoServer
from bzz.errors import ConfigurationError, Unavailable
from bzz.providers.mongoengine.changes.deliveries import MongoDeliveries
from bzz.providers.mongoengine.client import close, connected
from tests.delivery.conftest import Seen, eventually
from tests.robustness.wire import Wire


class Lantern(me.Document):
    watts = me.IntField()


async def test_what_is_attached_to_an_application_delivers(seen: Seen, database_name: str) -> None:
    bzz.durable("Lantern.created", name="x", start="beginning")(seen)
    app = Application()
    for number in (1, 2):  # an application may be served again
        Lantern(watts=number).save()
        async with attached(app):
            await seen.times(number)


async def test_a_mistake_is_told_at_the_start(seen: Seen, database_name: str) -> None:
    bzz.durable("Lanntern.created", name="x")(seen)
    with pytest.raises(ConfigurationError, match="no model that this process has imported"):
        async with attached(Application()):
            pass


async def test_an_application_without_listeners_needs_no_replica_set(database_name: str) -> None:
    app = Application()
    async with attached(app):
        assert "bzz_contexts" not in app.settings or app.settings["bzz_contexts"] == []


class FarBeacon(me.Document):
    watts = me.IntField()
    meta = {"db_alias": "bzz_test_far"}  # noqa: RUF012  # as MongoEngine wants it


async def test_a_process_begins_soon_although_its_database_does_not_answer(
    seen: Seen, mongo: MongoServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(running, "START_SECONDS", 0.3)
    name = f"bzz_test_far_{uuid.uuid4().hex[:8]}"
    with Wire(int(parse_uri(mongo.uri)["nodelist"][0][1])) as wire:
        me.connect(name, alias="bzz_test_far", host=wire.uri, uuidRepresentation="standard")
        wire.hold()
        bzz.durable("FarBeacon.created", name="x")(seen)
        start = time.monotonic()
        async with bzz.deliver():
            assert time.monotonic() - start < 3
            assert "x waits for the database" in caplog.text
            wire.release()
            await listening_at("bzz_test_far")
            FarBeacon(watts=1).save()
            await seen.times(1)
        FarBeacon._get_db().client.drop_database(name)
        me.disconnect("bzz_test_far")
        await close()


async def listening_at(alias: str) -> None:
    """Wait until a listener has all of its partitions, by a database that may not answer yet."""

    async def has_all() -> bool:
        try:
            states = await MongoDeliveries(connected(alias).database).states()
        except Unavailable:
            return False
        return bool(states) and all(each.holder for each in states[0].partitions)

    await eventually(has_all)
