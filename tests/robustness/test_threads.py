"""No database call blocks the event loop's thread, and a slow database holds nobody else up."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import httpx
import mongoengine as me
import pymongo.monitoring
import pytest
from tornado.web import RequestHandler

import bzz
from bzz import signals
from tests.conftest import Serve
from tests.robustness.conftest import Connect
from tests.robustness.documents import Address, Note
from tests.robustness.wire import Wire


class Friend(me.Document):
    name = me.StringField()


class Hero(me.Document):
    """Everything that may tempt a document into asking the database."""

    meta: ClassVar[dict[str, Any]] = {"indexes": ["name"]}
    name = me.StringField(unique=True, sparse=True)
    friend = me.ReferenceField(Friend)
    dbref = me.ReferenceField(Friend, dbref=True)
    lazy = me.LazyReferenceField(Friend)
    friends = me.ListField(me.ReferenceField(Friend))
    any = me.GenericReferenceField(choices=(Friend,))
    anyone = me.ListField(me.GenericReferenceField(choices=(Friend,)))
    by_name = me.MapField(me.ReferenceField(Friend))
    loose = me.DictField()
    address = me.EmbeddedDocumentField(Address)
    notes = me.ListField(me.EmbeddedDocumentField(Note))


class Asking(me.Document):
    """Asks the database wherever a model may."""

    name = me.StringField()
    friend = me.ReferenceField(Friend)
    friends = me.ListField(me.ReferenceField(Friend))

    @classmethod
    def get_list_queryset(cls, queryset: Any, handler: Any) -> Any:
        list(queryset)
        return queryset.filter(name__in=[each.name for each in queryset])

    @classmethod
    def get_instance_queryset(cls, model: Any, queryset: Any, instance_id: str, handler: Any) -> Any:
        queryset.count()
        return queryset

    def clean(self) -> None:
        Friend.objects.count()

    def save(self, *args: Any, **kwargs: Any) -> Any:
        Friend.objects.count()
        return super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        Friend.objects.count()
        return super().delete(*args, **kwargs)

    def to_dict(self) -> dict[str, Any]:
        return {"id": str(self.id), "friend": self.friend and self.friend.name, "all": [f.name for f in self.friends]}


BLOCKING = str(Path(pymongo.__file__).parent / "synchronous")
"""The half of PyMongo that waits: MongoEngine's, and what Motor runs in its threads."""


class Threads(pymongo.monitoring.CommandListener):
    """The thread of every command that PyMongo sends, and whether that thread waits for the answer."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, str, bool]] = []

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        waits = any(each.filename.startswith(BLOCKING) for each in traceback.extract_stack())
        self.seen.append((threading.get_ident(), event.command_name, waits))

    def succeeded(self, event: pymongo.monitoring.CommandSucceededEvent) -> None:
        """Nothing to do."""

    def failed(self, event: pymongo.monitoring.CommandFailedEvent) -> None:
        """Nothing to do."""


@pytest.fixture
def threads(mongo: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Threads]:
    """Every client that is made from here on, whoever makes it, tells of its commands."""
    listeners = pymongo.monitoring._LISTENERS
    known = list(listeners.command_listeners)
    threads = Threads()
    pymongo.monitoring.register(threads)
    yield threads
    listeners.command_listeners[:] = known


def touch(sender: type, instance: Any) -> None:
    """A receiver that looks at every attribute, and into what it finds."""
    for name in type(instance)._fields:
        value = getattr(instance, name)
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]:
            repr(each)
    repr(instance), instance.to_mongo()


async def every_verb(client: httpx.AsyncClient, model: str, friend: str) -> None:
    async def ask(method: str, url: str, body: Any = None) -> httpx.Response:
        answer = await client.request(method, url, json=body)
        assert answer.status_code < 300, (method, url, answer.text)
        return answer

    everyone = {"friend": friend, "friends": [friend]}
    url = (await ask("POST", f"/{model}/", {"name": "Ann", **everyone})).headers["Location"]
    for method, path, body in (
        ("GET", "", None), ("GET", "?fields=friend", None), ("PUT", "", {"name": "Eve"}), ("PATCH", "", everyone),
        ("GET", "friend/", None), ("GET", "friends/", None), ("GET", f"friends/{friend}/", None),
        ("PUT", "friend/", {"name": "Bob"}), ("DELETE", f"friends/{friend}/", None),
        ("POST", "friends/", {"friends": [friend]}), ("DELETE", "friend/", None),
        ("POST", "friend/", {"friend": friend}),
    ):  # fmt: skip
        await ask(method, url + path, body)
    await ask("GET", f"/{model}/?sort=name&name=Eve")
    if model == "hero":
        reference = {"@type": "Friend", "id": friend}
        await ask("PUT", url, {"dbref": friend, "lazy": friend, "any": reference, "anyone": [reference]})
        await ask("PUT", url, {"by_name": {"x": friend}, "address": {"city": "Rio"}, "loose": {"a": [1]}})
        note = (await ask("POST", url + "notes/", {"text": "x"})).headers["Location"]
        await ask("PUT", note, {"text": "y"})
        await ask("GET", url + "notes/?sort=text")
        await ask("GET", url)
        await ask("DELETE", note)
        await ask("DELETE", url + "address/")
    await ask("DELETE", url)


@pytest.mark.usefixtures("quiet_log")
@pytest.mark.parametrize("listening", [False, True])
@pytest.mark.parametrize("driver", ["own", "motor", "pymongo"])
async def test_no_command_blocks_the_loops_thread(
    driver: str, listening: bool, mongo: Any, threads: Threads, connect: Connect, serve: Serve
) -> None:
    database = connect(mongo.uri)(driver)
    models = (Hero, Asking, Friend)
    client = serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each, database=database) for each in models]))
    posts = (signals.post_get_instance, signals.post_create_instance, signals.post_update_instance)
    for signal in (*posts, signals.post_delete_instance) if listening else ():
        for model in (*models, Note):
            signal.connect(touch, model)
    try:
        friend = (await client.post("/friend/", json={"name": "Bob"})).headers["X-Created-Id"]
        await every_verb(client, "hero", friend)
        await every_verb(client, "asking", friend)
    finally:
        for signal in (*posts, signals.post_delete_instance):
            for model in (*models, Note):
                signal.disconnect(touch, model)
    here = threading.get_ident()
    assert [name for thread, name, waits in threads.seen if waits and thread == here] == []
    assert {"createIndexes", "find", "findAndModify", "insert", "update", "delete"} <= {n for _, n, _ in threads.seen}


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


@pytest.mark.parametrize("driver", ["own", "motor", "pymongo"])
async def test_while_the_database_is_slow_other_requests_go_on(
    driver: str, wire: Wire, connect: Connect, serve: Serve
) -> None:
    database = connect(wire.uri)(driver)
    routes = [bzz.ModelHive.routes_for("mongoengine", each, database=database) for each in (Hero, Asking, Friend)]
    client = serve(bzz.flatten([*routes, ("/hello", Hello)]))
    friend = (await client.post("/friend/", json={"name": "Bob"})).headers["X-Created-Id"]
    url = (await client.post("/asking/", json={"friend": friend})).headers["Location"]
    await client.get(url)
    wire.hold()
    slow = [client.get(url), client.get("/asking/"), client.put(url, json={"name": "Eve"}), client.get("/hero/")]
    waiting = [asyncio.ensure_future(each) for each in slow]
    try:
        for _ in range(20):
            assert (await client.get("/hello")).text == "hello"
        assert not any(each.done() for each in waiting)
    finally:
        wire.release()
    assert {each.status_code for each in await asyncio.gather(*waiting)} == {200}
