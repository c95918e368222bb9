"""``bzz.serve`` and the adapters run the durable listeners of a process while they serve."""

from __future__ import annotations

import mongoengine as me
import pytest
from tornado.web import Application

import bzz
from bzz.asgi.lifespan import attached
from bzz.errors import ConfigurationError
from tests.delivery.conftest import Seen


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
