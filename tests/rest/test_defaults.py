"""Instances have the defaults of what is not stored; clients see what is stored."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import mongoengine as me
import pytest

from bzz import signals
from tests.rest.conftest import Api

_numbers = itertools.count()


class Lining(me.EmbeddedDocument):
    colour = me.StringField(default="red")
    note = me.StringField()


class _Coat(me.Document):
    name = me.StringField()
    size = me.IntField(default=4)
    kept = me.StringField(default="x", null=True)
    number = me.IntField(default=lambda: next(_numbers))
    tags = me.ListField(me.StringField(), default=lambda: [f"new {next(_numbers)}"])
    notes = me.DictField()
    lining = me.EmbeddedDocumentField(Lining, default=Lining)
    linings = me.EmbeddedDocumentListField(Lining)

    meta = {"abstract": True}  # noqa: RUF012  # as MongoEngine wants it


class PlainCoat(_Coat):
    pass


class ChoiceCoat(_Coat):
    """Is not made from its fields alone, since MongoEngine adds a method for the choices."""

    style = me.StringField(choices=["long", "short"])


class ShownCoat(me.Document):
    size = me.IntField(default=4)

    def to_dict(self) -> dict[str, Any]:
        return {"size": self.size}


class CleanCoat(_Coat):
    def clean(self) -> None:
        """Make MongoEngine save the class."""


models = pytest.mark.parametrize("model", [PlainCoat, ChoiceCoat, CleanCoat])


def bare(model: Any, **values: Any) -> str:
    """The path of a document in which nothing else is stored."""
    key = model._get_collection().insert_one(values).inserted_id
    words = {PlainCoat: "plain_coat", ChoiceCoat: "choice_coat", CleanCoat: "clean_coat", ShownCoat: "shown_coat"}
    return f"/{words[model]}/{key}/"


@pytest.fixture
def seen() -> Iterator[list[Any]]:
    """The instances that receivers of reads get."""
    found: list[Any] = []

    async def note(sender: Any, instance: Any) -> None:
        found.append(instance)

    with signals.post_get_instance.connected_to(note):
        yield found


@models
async def test_a_receiver_gets_the_defaults_of_what_is_not_stored(api: Api, model: Any, seen: list[Any]) -> None:
    client = api(model)
    await client.get(bare(model, lining={}, linings=[{}]))
    (coat,) = seen
    assert (coat.size, coat.name, coat.lining.colour, coat.linings[0].colour) == (4, None, "red", "red")
    assert (coat.tags[0][:3], coat.notes, type(coat.number)) == ("new", {}, int)


@models
async def test_a_field_that_stores_nulls_has_no_default_then(api: Api, model: Any, seen: list[Any]) -> None:
    await api(model).get(bare(model, kept=None))
    assert (seen[0].kept, seen[0].lining.colour) == (None, "red")


@models
async def test_clients_see_null_for_what_is_not_stored(api: Api, model: Any, seen: list[Any]) -> None:
    client, place = api(model), bare(model, lining={})
    shown = (await client.get(place)).json()
    _ = seen[0]._data.copy()
    assert {name: shown[name] for name in ("size", "number", "tags", "lining", "linings")} == {
        "size": None,
        "number": None,
        "tags": None,
        "lining": {"colour": None, "note": None},
        "linings": None,
    }


@models
async def test_a_receiver_that_reads_everything_changes_nothing_that_is_shown(api: Api, model: Any) -> None:
    client, place = api(model), bare(model, lining={}, linings=[{"note": "a"}])
    before = (await client.get(place)).json()

    async def read(sender: Any, instance: Any) -> None:
        assert instance.to_mongo()
        assert [each.colour for each in instance.linings] == ["red"]
        assert instance.tags

    with signals.post_get_instance.connected_to(read):
        assert (await client.get(place)).json() == before


@models
async def test_what_a_receiver_changes_is_shown_alone(api: Api, model: Any) -> None:
    client, place = api(model), bare(model, lining={})

    async def change(sender: Any, instance: Any) -> None:
        instance.name = "new"
        instance.lining.note = "changed"

    with signals.post_get_instance.connected_to(change):
        shown = (await client.get(place)).json()
    assert (shown["name"], shown["lining"], shown["size"], shown["tags"]) == (
        "new",
        {"colour": None, "note": "changed"},
        None,
        None,
    )


async def test_to_dict_gets_the_defaults(api: Api) -> None:
    assert (await api(ShownCoat).get(bare(ShownCoat))).json() == {"size": 4}


@models
async def test_a_diff_tells_what_the_attribute_holds(api: Api, model: Any) -> None:
    client, place = api(model), bare(model, size=9, name="a", number=-1)
    held: list[Any] = []

    async def note(sender: Any, instance: Any, updated_fields: Any) -> None:
        held.append((updated_fields, {name: getattr(instance, name) for name in updated_fields}))

    with signals.post_update_instance.connected_to(note):
        assert (await client.put(place, json={"size": None, "name": None})).json()["size"] is None
        await client.put(place, json={"size": 7})
        await client.put(place, json={"number": None})
    assert [diff for diff, _ in held][:2] == [
        {"size": {"from": 9, "to": 4}, "name": {"from": "a", "to": None}},
        {"size": {"from": 4, "to": 7}},
    ]
    assert [{name: each["to"] for name, each in diff.items()} for diff, _ in held] == [values for _, values in held]


@models
async def test_unsetting_a_value_that_is_the_default_is_no_change_of_the_instance(api: Api, model: Any) -> None:
    client, place = api(model), bare(model, size=4)
    told: list[Any] = []

    async def note(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields)

    with signals.post_update_instance.connected_to(note):
        assert (await client.put(place, json={"size": None})).json()["size"] is None
    assert told == [{}]


UNSET: list[tuple[dict[str, Any], Any]] = [
    ({"tags": ["a"]}, {"tags": ["a"]}),
    ({"notes": {"a": 1}}, {"notes": {"a": 1}}),
    ({"lining": {"note": "a"}}, {"lining.note": "a", "lining.colour": "red"}),
    ({"linings": [{"note": "a"}]}, {"linings": [Lining(note="a")]}),
]


@models
@pytest.mark.parametrize(("sent", "told"), UNSET)
async def test_unset_lists_maps_and_embedded_documents_are_none_in_a_diff_and_null_in_json(
    api: Api, model: Any, sent: dict[str, Any], told: dict[str, Any]
) -> None:
    client, place, diffs = api(model), bare(model), []
    (name,) = sent

    async def note(sender: Any, instance: Any, updated_fields: Any, change: Any) -> None:
        diffs.append(updated_fields)
        assert change.diff == updated_fields

    with signals.post_update_instance.connected_to(note):
        assert (await client.get(place)).json()[name] is None
        await client.put(place, json=sent)
        assert (await client.put(place, json={name: None})).json()[name] is None
    assert diffs == [
        {where: {"from": None, "to": value} for where, value in told.items()},
        {where: {"from": value, "to": None} for where, value in told.items()},
    ]


@models
@pytest.mark.parametrize(
    ("name", "full", "empty"), [("tags", ["a"], []), ("notes", {"a": 1}, {}), ("linings", [{}], [])]
)
async def test_a_diff_tells_an_empty_list_or_map_as_json_shows_it(
    api: Api, model: Any, name: str, full: Any, empty: Any
) -> None:
    """MongoEngine stores nothing for a list or map that was emptied, bzz itself an empty one."""
    client, place, told = api(model), bare(model), []

    async def note(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields)

    shown: list[Any] = [None]
    with signals.post_update_instance.connected_to(note):
        for value in (empty, full, empty, None, empty):
            shown.append((await client.put(place, json={name: value})).json()[name])
    sides = [(each[name]["from"], each[name]["to"]) for each in told if each]
    changes = [(old, new) for old, new in itertools.pairwise(shown) if old != new]
    assert [[None if side is None else bool(side) for side in pair] for pair in sides] == [
        [None if side is None else bool(side) for side in pair] for pair in changes
    ]
    assert all(sides[at][1] == sides[at + 1][0] for at in range(len(sides) - 1))  # one unbroken chain
