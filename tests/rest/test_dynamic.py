"""Dynamic documents hold fields that nobody declares: they are shown, written, deleted, and in diffs."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import pytest

from bzz import signals
from tests.rest.conftest import Api


class LooseTag(me.DynamicEmbeddedDocument):
    text = me.StringField(db_field="t")


class _Loose(me.DynamicDocument):
    name = me.StringField(db_field="n")
    secret = me.StringField(db_field="s")
    tag = me.EmbeddedDocumentField(LooseTag)
    tags = me.EmbeddedDocumentListField(LooseTag)

    meta = {"abstract": True}  # noqa: RUF012  # as MongoEngine wants it


class PlainLoose(_Loose):
    pass


class CleanLoose(_Loose):
    def clean(self) -> None:
        """Make MongoEngine save the class."""


both = pytest.mark.parametrize("model", [PlainLoose, CleanLoose])
WHOLE: dict[str, Any] = {
    "name": "a",
    "size": 1,
    "more": {"a": [1, {"b": None}]},
    "tag": {"text": "t", "weight": 2},
    "tags": [{"text": "u", "x": [1]}, {"text": "v"}],
}


def root(model: Any) -> str:
    return "/plain_loose/" if model is PlainLoose else "/clean_loose/"


def held(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = model._get_collection().find_one()
    del found["_id"]
    return found


async def created(client: Any, model: Any) -> str:
    answer = await client.post(root(model), json=WHOLE)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


@both
async def test_undeclared_fields_are_stored_and_shown(api: Api, model: Any) -> None:
    client = api(model, hidden=["secret"])
    place = await created(client, model)
    shown = (await client.get(place)).json()
    assert {name: shown[name] for name in WHOLE} == WHOLE
    assert held(model) == {
        "n": "a",
        "size": 1,
        "more": {"a": [1, {"b": None}]},
        "tag": {"t": "t", "weight": 2},
        "tags": [{"t": "u", "x": [1]}, {"t": "v"}],
    }


@both
async def test_undeclared_fields_are_changed_and_deleted_with_their_diff(api: Api, model: Any) -> None:
    client = api(model)
    place = await created(client, model)
    told: list[Any] = []

    async def note(sender: Any, instance: Any, updated_fields: Any) -> None:
        told.append(updated_fields)
        assert all(getattr(instance, name, None) == each["to"] for name, each in updated_fields.items())

    with signals.post_update_instance.connected_to(note):
        answer = await client.put(place, json={"size": 2, "new": "x"})
        await client.put(place, json={"size": None, "new": "x"})
    assert (answer.json()["size"], answer.json()["new"]) == (2, "x")
    assert told == [
        {"size": {"from": 1, "to": 2}, "new": {"from": None, "to": "x"}},
        {"size": {"from": 2, "to": None}},
    ]
    assert ("size" in held(model), held(model)["new"]) == (False, "x")
    assert "size" not in (await client.get(place)).json()


@both
async def test_undeclared_fields_of_embedded_documents_are_changed_and_deleted(api: Api, model: Any) -> None:
    client = api(model)
    place = await created(client, model)
    assert (await client.put(place, json={"tag": {"weight": 3}})).json()["tag"] == {"text": "t", "weight": 3}
    assert (await client.put(f"{place}tags/0/", json={"x": None, "y": 1})).json() == {"text": "u", "y": 1}
    assert (await client.post(f"{place}tags/", json={"z": 1})).json() == {"text": None, "z": 1}
    assert held(model)["tags"] == [{"t": "u", "y": 1}, {"t": "v"}, {"z": 1}]
    assert (await client.put(place, json={"tags": [{"text": "w"}]})).json()["tags"] == [{"text": "w"}]


@both
async def test_a_merge_patch_goes_into_undeclared_maps(api: Api, model: Any) -> None:
    client = api(model)
    place = await created(client, model)
    answer = await client.patch(place, json={"more": {"a": None, "c": 1}})
    assert answer.json()["more"] == {"c": 1}


@both
async def test_receivers_read_and_change_undeclared_fields(api: Api, model: Any) -> None:
    client = api(model)
    place = await created(client, model)
    seen: list[Any] = []

    async def change(sender: Any, instance: Any) -> None:
        seen.append((instance.size, instance.more["a"][0], instance.tag.weight))
        instance.size = 9
        instance.fresh = "x"
        instance.tag.weight = 8

    with signals.post_get_instance.connected_to(change):
        shown = (await client.get(place)).json()
    assert seen == [(1, 1, 2)]
    assert (shown["size"], shown["fresh"], shown["tag"]) == (9, "x", {"text": "t", "weight": 8})


@both
@pytest.mark.parametrize("name", ["_x", "_cls", "$a", "a.b", "n", "s", "secret", "save", "objects", "pk", ""])
async def test_a_name_that_means_something_else_is_refused(api: Api, model: Any, name: str) -> None:
    answer = await api(model, hidden=["secret"]).post(root(model), json={name: "x"})
    assert (answer.status_code, answer.json()["errors"]) == (400, {name: ["Unknown field."]})


async def test_what_is_stored_under_such_a_name_is_not_shown(api: Api) -> None:
    key = PlainLoose._get_collection().insert_one({"_x": 1, "save": 2, "s": 3, "size": 4}).inserted_id
    shown = (await api(PlainLoose, hidden=["secret"]).get(f"/plain_loose/{key}/")).json()
    assert shown == {"id": str(key), "name": None, "tag": None, "tags": None, "size": 4}


@both
async def test_a_put_of_what_was_got_changes_nothing(api: Api, model: Any) -> None:
    client = api(model)
    place = await created(client, model)
    got = await client.get(place)
    answer = await client.put(place, json=got.json())
    assert (answer.status_code, answer.json()) == (200, got.json())
    assert (await client.get(place)).headers["ETag"] == got.headers["ETag"]
