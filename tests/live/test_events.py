"""Several models in one feed, and the module for browsers."""

from __future__ import annotations

from typing import Any

import httpx
import mongoengine as me
import pytest
from pymongo import MongoClient

import bzz
from bzz.dev import MongoServer
from bzz.errors import ConfigurationError
from tests.conftest import Driver, Serve
from tests.live.reading import following


class Anchor(me.Document):
    name = me.StringField()


class Beacon(me.Document):
    name = me.StringField()


class Chain(me.Document):
    name = me.StringField()


@pytest.fixture
def client(serve: Serve, driver: Driver) -> httpx.AsyncClient:
    routes = bzz.flatten(
        [
            bzz.ModelHive.routes_for("mongoengine", Anchor, live=True, database=driver()),
            bzz.ModelHive.routes_for("mongoengine", Beacon, live=True, database=driver()),
            bzz.ModelHive.routes_for("mongoengine", Chain, database=driver()),
        ]
    )
    return serve([*routes, *bzz.LiveHive.routes_for(routes)])


async def test_several_models_are_told_in_one_feed(client: httpx.AsyncClient) -> None:
    await client.post("/anchor/", json={"name": "a"})
    async with following(client, "/events/?models=anchor,beacon") as feed:
        assert [row["name"] for row in feed.rows.values()] == ["a"]
        await client.post("/beacon/", json={"name": "b"})
        await client.post("/anchor/", json={"name": "c"})
        told = await feed.changed(2)
        assert [(each["model"], each["row"]["name"]) for each in told] == [("beacon", "b"), ("anchor", "c")]


async def test_all_live_models_are_told_where_none_is_named(client: httpx.AsyncClient) -> None:
    async with following(client, "/events/") as feed:
        await client.post("/anchor/", json={"name": "a"})
        await client.post("/beacon/", json={"name": "b"})
        assert [each["model"] for each in await feed.changed(2)] == ["anchor", "beacon"]


@pytest.mark.parametrize(
    "query", ["models=chain", "models=", "models=anchor,nope", "models=anchor&name=x", "models=anchor&page=1"]
)
async def test_only_live_models_and_nothing_else_can_be_asked_for(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/events/?{query}")).status_code == 400


async def test_who_comes_back_in_the_middle_of_a_transaction_misses_nothing(
    client: httpx.AsyncClient, mongo: MongoServer, database_name: str
) -> None:
    """Changes of one transaction share a cluster time, whatever their collections."""
    await client.get("/anchor/")
    await client.get("/beacon/")
    async with following(client, "/events/?models=anchor,beacon") as feed:
        pass
    async with following(client, "/events/?models=anchor,beacon") as feed:
        with MongoClient[dict[str, Any]](mongo.uri) as own, own.start_session() as session, session.start_transaction():
            for number in range(3):
                own[database_name]["anchor"].insert_one({"name": f"a{number}"}, session=session)
                own[database_name]["beacon"].insert_one({"name": f"b{number}"}, session=session)
        await feed.changed(6)
    positions = [frame.id for frame in feed.frames if frame.event == "created"]
    assert len(set(positions)) == 6
    names = [each["row"]["name"] for each in feed.changes()]
    for count, position in enumerate(positions, 1):
        assert position is not None
        async with following(client, "/events/?models=anchor,beacon", Last_Event_ID=position) as again:
            await client.post("/anchor/", json={"name": "end"})
            await again.until(lambda: "end" in [each["row"]["name"] for each in again.changes()])
            told = [each["row"]["name"] for each in again.changes()]
            assert told[: 6 - count] == names[count:]
            assert not set(told[6 - count :]) - {"end"}


async def test_the_module_for_browsers_is_served(client: httpx.AsyncClient) -> None:
    answer = await client.get("/bzz-live.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "export function follow" in answer.text


def test_at_least_one_model_has_to_be_live() -> None:
    with pytest.raises(ConfigurationError, match="no model is live"):
        bzz.LiveHive.routes_for(bzz.ModelHive.routes_for("mongoengine", Chain))


def test_two_live_models_of_one_name_are_refused() -> None:
    routes = bzz.flatten(
        [
            bzz.ModelHive.routes_for("mongoengine", Anchor, "/a", live=True),
            bzz.ModelHive.routes_for("mongoengine", Anchor, "/b", live=True),
        ]
    )
    with pytest.raises(ConfigurationError, match="two live models are named 'anchor'"):
        bzz.LiveHive.routes_for(routes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key": "short"}, "32 bytes"),
        ({"max_feeds": 0}, "max_feeds: "),
        ({"max_feeds_per_user": True}, "max_feeds_per_user: "),
    ],
)
def test_mistakes_in_the_settings_are_told_at_once(options: dict[str, Any], message: str) -> None:
    from tornado.web import Application

    with pytest.raises(ConfigurationError, match=message):
        bzz.LiveHive.configure(Application(), **options)
