"""Applications and models beside each other: nothing of one feed is taken for another's."""

from __future__ import annotations

import mongoengine as me
import pytest
from bson import ObjectId
from tornado.web import Application

import bzz
from bzz.asgi.lifespan import stopping
from bzz.errors import Unavailable
from bzz.live import stream
from bzz.live.hub import hubs
from bzz.providers.mongoengine.changes.database_changes import DatabaseChanges
from tests.conftest import Driver, Serve
from tests.live.conftest import Api
from tests.live.reading import following


class Bookend(me.Document):
    name = me.StringField()


async def test_two_applications_with_the_same_routes_seal_with_their_own_keys(serve: Serve, driver: Driver) -> None:
    routes = bzz.ModelHive.routes_for("mongoengine", Bookend, live=True, database=driver())
    one = serve(routes, lambda app: bzz.LiveHive.configure(app, key="1" * 32))
    other = serve(routes, lambda app: bzz.LiveHive.configure(app, key="2" * 32))
    async with following(one, "/bookend/") as first, following(other, "/bookend/") as second:
        await one.post("/bookend/", json={"name": "a"})
        await first.changed(1)
        await second.changed(1)
        position = second.position
    async with following(other, "/bookend/", Last_Event_ID=position) as again:
        assert again.told() == ["ready"]


async def test_who_could_not_join_leaves_nothing_behind(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    client = api(Bookend, live=True)

    async def away(*_: object) -> None:
        raise Unavailable()

    monkeypatch.setattr(DatabaseChanges, "prepare", away)
    answer = await client.get("/bookend/", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 503
    assert [stream._audiences.get(hub) for hub in hubs()] == [{}]


class Author(me.Document):
    slug = me.StringField(required=True, unique=True)

    @staticmethod
    def get_id_field_name() -> str:
        return "slug"


class Chapter(me.EmbeddedDocument):
    id = me.ObjectIdField(default=ObjectId)
    author = me.ReferenceField(Author)
    title = me.StringField()


class Anthology(me.Document):
    chapters = me.EmbeddedDocumentListField(Chapter)


async def test_a_nested_list_is_filtered_by_public_ids(api: Api) -> None:
    client = api(Anthology, Author, live=True)
    ann, bob = Author(slug="ann").save(), Author(slug="bob").save()
    book = Anthology(chapters=[Chapter(author=ann, title="a"), Chapter(author=bob, title="b")]).save()
    where = f"/anthology/{book.pk}/chapters/?author=ann"
    assert [each["title"] for each in (await client.get(where)).json()] == ["a"]
    async with following(client, where) as feed:
        assert [row["title"] for row in feed.rows.values()] == ["a"]
        assert [row["author"] for row in feed.rows.values()] == ["ann"]
        await client.post(f"/anthology/{book.pk}/chapters/", json={"author": "ann", "title": "c"})
        assert (await feed.changed(1))[0]["row"]["title"] == "c"


async def test_a_feed_that_begins_while_the_server_stops_ends_too(serve: Serve, driver: Driver) -> None:
    found: list[Application] = []
    client = serve(bzz.ModelHive.routes_for("mongoengine", Bookend, live=True, database=driver()), found.append)
    async with following(client, "/bookend/") as before:
        stopping(found[0])
        assert await before.ended() == "shutdown"
        async with following(client, "/bookend/") as late:
            assert await late.ended() == "shutdown"
