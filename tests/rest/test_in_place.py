"""An update whose values take their places whatever is stored is one round trip; all others are exact all the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import mongoengine as me
import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandListener

import bzz
from bzz import signals
from bzz.dev import MongoServer
from tests.conftest import Serve
from tests.rest import raw


class Bolt(me.EmbeddedDocument):
    colour = me.StringField(db_field="c", max_length=5)
    size = me.IntField(db_field="s")


class Door(me.EmbeddedDocument):
    name = me.StringField(db_field="n", required=True)
    lock = me.EmbeddedDocumentField(Bolt, db_field="l")
    secret = me.StringField()


class Shed(me.Document):
    name = me.StringField(db_field="nm")
    door = me.EmbeddedDocumentField(Door, db_field="d")
    keys = me.DictField(db_field="k")
    tags = me.ListField(me.StringField(), db_field="t")


class Barn(me.Document):
    title = me.StringField(required=True)
    door = me.EmbeddedDocumentField(Door)


class SentCommands(CommandListener):
    """The names of the commands that a driver sends."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: Any) -> None:
        if event.command_name not in ("hello", "endSessions"):
            self.names.append(event.command_name)

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


@pytest.fixture
def commands() -> SentCommands:
    return SentCommands()


@pytest.fixture
async def client(
    mongo: MongoServer, database_name: str, serve: Serve, commands: SentCommands
) -> AsyncIterator[httpx.AsyncClient]:
    driver: Any = AsyncMongoClient(mongo.uri, uuidRepresentation="standard", event_listeners=[commands])
    routes = bzz.ModelHive.routes_for("mongoengine", Shed, hidden=["door.secret"], database=driver[database_name])
    yield serve(routes)
    await driver.close()


def stored(**values: Any) -> Shed:
    shed = Shed()
    shed.id = Shed._get_collection().insert_one(values).inserted_id
    return shed


DOOR = {"n": "front", "l": {"c": "red", "s": 1}, "secret": "x", "more": 7}
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "flat": ({"name": "b"}, {"nm": "b", "d": DOOR}, {"name": ("a", "b")}),
    "embedded": ({"door": {"name": "back"}}, {"nm": "a", "d": {**DOOR, "n": "back"}}, {"door.name": ("front", "back")}),
    "embedded twice": (
        {"door": {"lock": {"colour": "blue"}}, "name": "b"},
        {"nm": "b", "d": {**DOOR, "l": {"c": "blue", "s": 1}}},
        {"door.lock.colour": ("red", "blue"), "name": ("a", "b")},
    ),
    "unset inside": (
        {"door": {"lock": {"colour": None, "size": None}}},
        {"nm": "a", "d": {**DOOR, "l": {}}},
        {"door.lock.colour": ("red", None), "door.lock.size": (1, None)},
    ),
    "unset as a whole": (
        {"door": {"lock": None}},
        {"nm": "a", "d": {key: each for key, each in DOOR.items() if key != "l"}},
        {"door.lock.colour": ("red", None), "door.lock.size": (1, None)},
    ),
    "nothing new": ({"door": {"name": "front"}}, {"nm": "a", "d": DOOR}, {}),
}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("case", CHANGES)
async def test_one_round_trip_changes_just_what_is_named(
    client: httpx.AsyncClient, commands: SentCommands, case: str, method: str
) -> None:
    body, left, changed = CHANGES[case]
    shed = stored(nm="a", d=DOOR)
    await client.get("/shed/")  # which also makes the indexes
    commands.names.clear()
    told: list[Any] = []

    def keep(sender: type, updated_fields: Any) -> None:
        told.append({name: (pair["from"], pair["to"]) for name, pair in updated_fields.items()})

    with signals.post_update_instance.connected_to(keep, Shed):
        answer = await client.request(method, f"/shed/{shed.id}/", json=body)
    assert answer.status_code == 200, answer.text
    assert commands.names == ["findAndModify"]
    assert raw(shed) == {"_id": shed.id, **left}
    assert told == [changed]
    assert answer.json() == (await client.get(f"/shed/{shed.id}/")).json()


async def test_one_round_trip_appends_to_a_list(client: httpx.AsyncClient, commands: SentCommands) -> None:
    shed = stored(nm="a", t=["a"])
    await client.get("/shed/")  # which also makes the indexes
    commands.names.clear()
    patch = [{"op": "add", "path": "/tags/-", "value": "b"}, {"op": "replace", "path": "/name", "value": "c"}]
    headers = {"Content-Type": "application/json-patch+json"}
    answer = await client.patch(f"/shed/{shed.id}/", content=json.dumps(patch), headers=headers)
    assert (answer.status_code, answer.json()["tags"], commands.names) == (200, ["a", "b"], ["findAndModify"])
    assert raw(shed) == {"_id": shed.id, "nm": "c", "t": ["a", "b"]}


@pytest.mark.parametrize("door", [None, {"n": "front"}], ids=["no door", "no lock"])
async def test_an_embedded_document_that_is_not_there_is_made(client: httpx.AsyncClient, door: Any) -> None:
    shed = stored(nm="a", **({} if door is None else {"d": door}))
    answer = await client.put(f"/shed/{shed.id}/", json={"door": {"name": "back", "lock": {"size": 2}}})
    assert answer.status_code == 200, answer.text
    assert raw(shed)["d"] == {"n": "back", "l": {"s": 2}}


async def test_what_the_model_refuses_is_named_and_nothing_is_written(client: httpx.AsyncClient) -> None:
    shed = stored(nm="a", d=DOOR)
    body = {"name": "b", "door": {"name": None, "lock": {"colour": "longer"}}}
    answer = await client.put(f"/shed/{shed.id}/", json=body)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"door.name", "door.lock.colour"}
    assert raw(shed) == {"_id": shed.id, "nm": "a", "d": DOOR}


async def test_what_is_not_there_is_404(client: httpx.AsyncClient) -> None:
    assert (await client.put(f"/shed/{'0' * 24}/", json={"door": {"name": "x"}})).status_code == 404


@pytest.mark.parametrize("body", [{"title": None}, {"door": {"name": None}}], ids=["at the root", "inside"])
async def test_what_is_required_is_not_unset(serve: Serve, database_name: str, body: dict[str, Any]) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", Barn))
    barn = Barn(title="a", door=Door(name="front")).save()
    answer = await client.put(f"/barn/{barn.id}/", json=body)
    assert (answer.status_code, [*answer.json()["errors"].values()]) == (400, [["This field is required."]])
    assert raw(barn) == {"_id": barn.id, "title": "a", "door": {"n": "front"}}


# -- nulls


class NullRow(me.EmbeddedDocument):
    size = me.IntField()
    note = me.StringField(null=True)


class PlainSheet(me.Document):
    note = me.StringField(null=True)
    row = me.EmbeddedDocumentField(NullRow)
    rows = me.EmbeddedDocumentListField(NullRow)
    by_name = me.MapField(me.EmbeddedDocumentField(NullRow))


class SavedSheet(me.Document):
    note = me.StringField(null=True)
    row = me.EmbeddedDocumentField(NullRow)
    rows = me.EmbeddedDocumentListField(NullRow)
    by_name = me.MapField(me.EmbeddedDocumentField(NullRow))

    def clean(self) -> None:
        """Make MongoEngine save the class."""


@pytest.mark.parametrize("model", [PlainSheet, SavedSheet])
async def test_a_null_where_nothing_is_stored_is_not_written(database_name: str, serve: Serve, model: Any) -> None:
    part = {"size": 1}
    whole = {"row": dict(part), "rows": [dict(part)], "by_name": {"a": dict(part)}}
    collection, told = model._get_collection(), list[Any]()
    place = f"/{'plain' if model is PlainSheet else 'saved'}_sheet/{collection.insert_one(dict(whole)).inserted_id}/"
    client = serve(bzz.ModelHive.routes_for("mongoengine", model))

    def keep(sender: type, updated_fields: Any, change: Any) -> None:
        told.append((updated_fields, change.diff))

    with signals.post_update_instance.connected_to(keep, model):
        for body in ((await client.get(place)).json(), {"note": None}):
            answer = await client.put(place, json=body)
            assert answer.status_code == 200, answer.text
    assert {name: each for name, each in collection.find_one().items() if name != "_id"} == whole
    assert told == [({}, {})] * 2


async def test_a_null_takes_the_place_of_a_value_where_the_model_stores_nulls(database_name: str, serve: Serve) -> None:
    sheet = PlainSheet(note="x", row=NullRow(note="y")).save()
    client = serve(bzz.ModelHive.routes_for("mongoengine", PlainSheet))
    answer = await client.put(f"/plain_sheet/{sheet.pk}/", json={"note": None, "row": {"note": None}})
    assert answer.status_code == 200, answer.text
    held = PlainSheet._get_collection().find_one()
    assert (held["note"], held["row"]["note"]) == (None, None)
