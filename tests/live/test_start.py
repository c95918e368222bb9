"""What a database cannot do for feeds is said when the application starts, in one sentence with the remedy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import mongoengine as me
import pytest
from tornado.routing import HostMatches
from tornado.web import Application

import bzz
from bzz.change import Position
from bzz.errors import ConfigurationError
from bzz.live.start import live_providers
from bzz.providers.base import Provider
from bzz.providers.changes import ChangeCapability
from bzz.providers.mongoengine.provider import MongoEngineProvider
from bzz.shape import Kind
from bzz.shape.scalars import IntegerKind
from tests.conftest import Serve
from tests.live.conftest import Api
from tests.live.reading import following
from tests.providers.servers import running
from tests.providers.sqlite import SQLiteProvider, Table

PROGRAM = """
import mongoengine as me
from tornado.web import Application
import bzz
from tests.serving import asgi


class Flag(me.Document):
    name = me.StringField()


def make():
    me.connect("flags", host="mongodb://127.0.0.1:{port}/", uuidRepresentation="standard")
    return Application(bzz.ModelHive.routes_for("mongoengine", Flag, live=True))


if {engine!r} == "uvicorn":
    asgi.serve("uvicorn", bzz.asgi_app(make()), 1)
else:
    bzz.serve(make, port=0, server={engine!r})
"""


class Pennant(me.Document):
    name = me.StringField()


@pytest.mark.slow  # a server of its own for each
@pytest.mark.parametrize("engine", ["tornado", "granian", "uvicorn"])
def test_a_standalone_server_is_told_at_the_start(engine: str, tmp_path: Path) -> None:
    with running(tmp_path) as port:
        found = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(port=port, engine=engine)], capture_output=True, text=True, timeout=50
        )
    assert found.returncode != 0
    assert "start mongod with --replSet" in found.stderr


async def test_a_feed_that_a_standalone_server_cannot_give_is_a_503(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path) as port:
        me.connect("pennants", host=f"mongodb://127.0.0.1:{port}/", uuidRepresentation="standard")
        try:
            client = serve(bzz.ModelHive.routes_for("mongoengine", Pennant, live=True))
            answer = await client.get("/pennant/", headers={"Accept": "text/event-stream"})
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
            assert "start mongod with --replSet" in caplog.text
            assert (await client.get("/pennant/")).json() == []
        finally:
            me.disconnect_all()


def test_live_models_are_found_wherever_they_are_mounted() -> None:
    app = Application([(HostMatches("a.example"), bzz.ModelHive.routes_for("mongoengine", Pennant, live=True))])
    app.add_handlers("b.example", bzz.ModelHive.routes_for("mongoengine", Pennant, "/b", live=True))
    app.add_handlers(".*", bzz.ModelHive.routes_for("mongoengine", Pennant, "/c"))
    assert len(list(live_providers(app))) == 2


class Unconnected(me.Document):
    name = me.StringField()
    meta = {"db_alias": "nowhere"}  # noqa: RUF012


class Row(Table):
    kinds: ClassVar[Mapping[str, Kind]] = {"id": IntegerKind()}


class WatchesOnly(MongoEngineProvider):
    capabilities: ClassVar[frozenset[ChangeCapability]] = frozenset({"watch"})


class StatesNothing(MongoEngineProvider):
    capabilities: ClassVar[frozenset[ChangeCapability]] = frozenset()


@pytest.mark.parametrize(
    ("provider", "lacking"),
    [
        (WatchesOnly, "'diff' and 'resume', which WatchesOnly"),
        (StatesNothing, "'diff' and 'resume' and 'watch', which StatesNothing"),
        (SQLiteProvider, "'diff' and 'resume' and 'watch', which SQLiteProvider"),
    ],
)
def test_what_a_provider_does_not_state_is_told_when_routes_are_made(provider: type[Provider], lacking: str) -> None:
    model = Row if provider is SQLiteProvider else Pennant
    with pytest.raises(ConfigurationError) as told:
        bzz.ModelHive.routes_for(provider, model, live=True)
    assert str(told.value) == (
        f"live=True needs a provider with the capability {lacking} does not state: leave live=True out, or take"
        " another provider"
    )


async def test_what_a_provider_does_not_state_is_told_to_who_watches() -> None:
    with pytest.raises(ConfigurationError, match=r"^bzz\.watch needs a provider with the capability 'watch'"):
        await anext(bzz.watch(Pennant, orm=StatesNothing))
    with pytest.raises(ConfigurationError, match=r"^after= needs a provider with the capability 'resume'"):
        await anext(bzz.watch(Pennant, orm=WatchesOnly, after=Position(1, 1)))


async def test_a_live_model_that_is_not_connected_keeps_no_other_from_being_followed(alone: Api) -> None:
    elsewhere = bzz.ModelHive.routes_for("mongoengine", Unconnected, live=True)
    client = alone(Pennant, live=True)
    async with following(client, "/pennant/") as feed:
        assert feed.told() == ["ready"]
    assert elsewhere
