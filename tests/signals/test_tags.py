"""A receiver that changes nothing changes no entity tag, and no byte of what is shown."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import pytest

from bzz import signals
from tests.rest import Cabin, Engine, Sailor, Ship
from tests.rest.conftest import Api
from tests.rest.test_fields import ROWS, Crate, model_of
from tests.rest.test_models import Dinghy, Raft, Rudder
from tests.signals.conftest import Connect

SIGNALS = [getattr(signals, f"post_{what}") for what in ("get_instance", "create_instance", "update_instance")]


def look(document: Any) -> None:
    """Read every attribute, and every item and document inside, as a receiver may."""
    for name in document._fields:
        value = getattr(document, name)
        values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        for each in values:
            if isinstance(each, me.EmbeddedDocument):
                look(each)


def look_at_instance(sender: Any, instance: Any) -> None:
    look(instance)


def look_at_items(sender: Any, items: list[Any]) -> None:
    for item in items:
        look(item)


def connect_idle(connect: Connect, model: type) -> None:
    for signal in SIGNALS:
        connect(signal, look_at_instance, sender=model)
    connect(signals.post_get_list, look_at_items, sender=model)


@pytest.fixture
def crates(database_name: str) -> None:
    for number in (7, 8):
        Crate(number=number, name=f"crate {number}").save()


@pytest.mark.parametrize("name", ROWS)
async def test_a_value_of_any_field_class_keeps_its_tag(alone: Api, connect: Connect, crates: None, name: str) -> None:
    client, model, (first, second, *_) = alone(model_of(name)), model_of(name), ROWS[name]
    place = (await client.post(f"/{model.__name__.lower()}/", json={name: first})).headers["Location"]
    written = await client.put(place, json={name: second})
    connect_idle(connect, model)
    seen = await client.get(place)
    assert (seen.headers["ETag"], seen.content) == (written.headers["ETag"], written.content)
    assert (await client.get(place, headers={"If-None-Match": written.headers["ETag"]})).status_code == 304


STORED: list[dict[str, Any]] = [
    {},
    {"tg": None, "lg": None},
    {"tg": [], "lg": {}, "e": {}},
    {"e": {"pw": 1}, "c": [{"_id": "A"}, {"_id": "B", "b": None}]},
    {"e": {"m": {"n": "shaft"}, "p": [{"n": "x"}]}, "lg": {"a": [{"b": {}}]}},
]


@pytest.mark.parametrize("stored", STORED, ids=repr)
async def test_what_others_stored_in_their_own_way_is_shown_as_before(
    alone: Api, connect: Connect, database_name: str, stored: dict[str, Any]
) -> None:
    client, place = alone(Ship), "/ship/5f0000000000000000000000/"
    await client.get("/ship/")
    Ship._get_collection().insert_one({"_id": Ship.id.to_python("5f0000000000000000000000"), "n": "Argo", **stored})
    before, listed = await client.get(place), await client.get("/ship/")
    for model in (Ship, Engine, Cabin):
        connect_idle(connect, model)
    after, listed_after = await client.get(place), await client.get("/ship/")
    assert (after.headers["ETag"], after.content) == (before.headers["ETag"], before.content)
    assert (listed_after.headers["ETag"], listed_after.content) == (listed.headers["ETag"], listed.content)


async def test_a_list_that_nobody_changed_is_spared(alone: Api, connect: Connect) -> None:
    Sailor(name="Ann").save()
    client = alone(Sailor)
    tag = (await client.get("/sailor/")).headers["ETag"]
    connect_idle(connect, Sailor)
    assert (await client.get("/sailor/", headers={"If-None-Match": tag})).status_code == 304


async def test_only_what_a_receiver_changed_is_shown_changed(alone: Api, connect: Connect) -> None:
    client, place = alone(Ship), "/ship/5f0000000000000000000000/"
    await client.get("/ship/")
    Ship._get_collection().insert_one(
        {"_id": Ship.id.to_python("5f0000000000000000000000"), "n": "Argo", "e": {"pw": 1}}
    )
    before = (await client.get(place)).json()

    def rename(sender: Any, instance: Ship) -> None:
        instance.name = "Seen"

    connect(signals.post_get_instance, rename, sender=Ship)
    assert (await client.get(place)).json() == {**before, "name": "Seen"}


@pytest.mark.parametrize("with_receivers", [False, True])
@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH"])
async def test_the_tag_of_a_write_spares_the_next_read(
    alone: Api, connect: Connect, verb: str, with_receivers: bool
) -> None:
    client, body = alone(Ship), {"name": "Argo", "tags": ["a"], "engine": {"power": 1}, "log": {"a": {"b": [1]}}}
    place = "/ship/"
    if with_receivers:
        connect_idle(connect, Ship)
    if verb != "POST":
        place = (await client.post("/ship/", json={**body, "tags": []})).headers["Location"]
    written = await client.request(verb, place, json=body)
    where = written.headers.get("Location", place)
    assert (await client.get(where, headers={"If-None-Match": written.headers["ETag"]})).status_code == 304


@pytest.mark.parametrize("with_receivers", [False, True])
@pytest.mark.parametrize(
    ("model", "first", "second"),
    [
        (Dinghy, {"name": "d"}, {"name": "e"}),
        (Raft, {"name": "r", "rudder": {"angle": 1}}, {"spare": [{"angle": 2}], "named": {"a": {"angle": 3}}}),
    ],
)
async def test_the_tag_of_a_model_with_to_dict_stays_while_it_shows_the_same(
    alone: Api, connect: Connect, with_receivers: bool, model: type, first: Any, second: Any
) -> None:
    client = alone(model)
    if with_receivers:
        for each in (model, Rudder):
            connect_idle(connect, each)
    created = await client.post(f"/{model.__name__.lower()}/", json=first)
    place = created.headers["Location"]
    assert (await client.get(place, headers={"If-None-Match": created.headers["ETag"]})).status_code == 304
    written = await client.put(place, json=second)
    assert written.headers["ETag"] != created.headers["ETag"]
    assert (await client.get(place, headers={"If-None-Match": written.headers["ETag"]})).status_code == 304


async def test_a_receiver_that_changes_something_deep_inside_leaves_the_state_in_the_tag(
    alone: Api, connect: Connect
) -> None:
    client = alone(Ship)
    created = await client.post("/ship/", json={"name": "Argo", "log": {"a": [{"b": 1}]}})
    place = created.headers["Location"]

    def change(sender: Any, instance: Ship) -> None:
        for entries in dict.values(instance.log):
            entries[0]["b"] = 2

    connect(signals.post_get_instance, change, sender=Ship)
    seen = await client.get(place)
    assert seen.json()["log"] == {"a": [{"b": 2}]}
    assert seen.headers["ETag"] != created.headers["ETag"]
    assert (await client.put(place, json={"tons": 1}, headers={"If-Match": seen.headers["ETag"]})).status_code == 200
