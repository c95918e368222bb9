"""A list or map of embedded documents that is written whole keeps what the client may not write, and twins stay out."""

from __future__ import annotations

from typing import Any, ClassVar

import bson
import mongoengine as me
import pytest

from tests.rest import raw
from tests.rest.conftest import Api


class Remark(me.EmbeddedDocument):
    """Has an id."""

    key = me.StringField(primary_key=True)
    text = me.StringField()
    secret = me.StringField()


class Line(me.EmbeddedDocument):
    """Has none."""

    text = me.StringField(default="-")
    secret = me.StringField()


class Lively(me.EmbeddedDocument):
    meta: ClassVar[dict[str, Any]] = {"allow_inheritance": True}
    key = me.StringField(primary_key=True)
    text = me.StringField()


class Livelier(Lively):
    colour = me.StringField()


class Volume(me.Document):
    title = me.StringField()
    remarks = me.ListField(me.EmbeddedDocumentField(Remark))
    lines = me.EmbeddedDocumentListField(Line)
    counts = me.MapField(me.IntField())
    by_name = me.MapField(me.EmbeddedDocumentField(Remark))
    grid = me.ListField(me.ListField(me.EmbeddedDocumentField(Line)))
    any_remark = me.GenericEmbeddedDocumentField(choices=(Remark,))
    any_remarks = me.ListField(me.GenericEmbeddedDocumentField(choices=(Remark, Line)))
    lively = me.ListField(me.EmbeddedDocumentField(Lively))
    free = me.DictField()
    weight = me.FloatField()
    weights = me.ListField(me.FloatField())


class SavedVolume(me.Document):
    """Is written by MongoEngine itself."""

    remarks = me.ListField(me.EmbeddedDocumentField(Remark))

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)


HIDDEN = ["remarks.secret", "lines.secret"]
CLASH = "The items of 'lines' have no id"


def url(volume: Any) -> str:
    return f"/volume/{volume.id}/"


def stored_remark(key: str, text: str) -> dict[str, Any]:
    return {"_id": key, "text": text, "secret": f"s-{key}"}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_items_keep_hidden_values_by_their_ids(api: Api, method: str) -> None:
    client = api(Volume, hidden=HIDDEN)
    volume = Volume(remarks=[Remark(key=each, text=each, secret=f"s-{each}") for each in "abc"]).save()
    body = {"remarks": [{"key": "c", "text": "new"}, {"key": "a", "text": "a"}, {"key": "d", "text": "d"}]}
    answer = await client.request(method, url(volume), json=body)
    assert answer.status_code == 200, answer.text
    assert raw(volume)["remarks"] == [stored_remark("c", "new"), stored_remark("a", "a"), {"_id": "d", "text": "d"}]


async def test_items_of_a_document_that_mongoengine_saves_keep_hidden_values(api: Api) -> None:
    client = api(SavedVolume, hidden=["remarks.secret"])
    volume = SavedVolume(remarks=[Remark(key="a", text="old", secret="s-a")]).save()
    answer = await client.put(f"/saved_volume/{volume.id}/", json={"remarks": [{"key": "a", "text": "new"}]})
    assert answer.status_code == 200, answer.text
    assert raw(volume)["remarks"] == [stored_remark("a", "new")]


async def test_values_of_maps_keep_hidden_values_by_their_keys(api: Api) -> None:
    client = api(Volume, hidden=HIDDEN)
    volume = Volume(by_name={"x": Remark(key="a", text="old", secret="s-a")}).save()
    answer = await client.put(url(volume), json={"by_name": {"x": {"key": "a", "text": "new"}, "y": {"key": "b"}}})
    assert answer.status_code == 200, answer.text
    assert raw(volume)["by_name"] == {"x": stored_remark("a", "new"), "y": {"_id": "b"}}


async def test_a_merge_patch_of_a_map_keeps_hidden_values(api: Api) -> None:
    client = api(Volume, hidden=HIDDEN)
    volume = Volume(by_name={name: Remark(key=name, text="old", secret=f"s-{name}") for name in "ab"}).save()
    answer = await client.patch(url(volume), json={"by_name": {"a": {"text": "new"}}})
    assert answer.status_code == 200, answer.text
    assert raw(volume)["by_name"] == {"a": stored_remark("a", "new"), "b": stored_remark("b", "old")}


async def test_a_merge_patch_of_a_map_of_scalars_keeps_other_keys(api: Api) -> None:
    client = api(Volume, hidden=HIDDEN)
    volume = Volume(counts={"a": 1, "b": 2}).save()
    answer = await client.patch(url(volume), json={"counts": {"b": 3, "a": None}})
    assert answer.json()["counts"] == {"b": 3}
    answer = await client.patch(url(volume), json={"counts": {"c": 4}})
    assert answer.json()["counts"] == {"b": 3, "c": 4}


async def test_a_generic_embedded_document_of_the_same_class_keeps_hidden_values(api: Api) -> None:
    client = api(Volume, hidden=HIDDEN)
    volume = Volume(any_remark=Remark(key="a", text="old", secret="s-a")).save()
    answer = await client.put(url(volume), json={"any_remark": {"@type": "Remark", "key": "a", "text": "new"}})
    assert answer.status_code == 200, answer.text
    assert raw(volume)["any_remark"] == {"_cls": "Remark", **stored_remark("a", "new")}


async def test_an_item_stays_of_its_class_and_keeps_the_fields_that_only_this_class_has(api: Api) -> None:
    client = api(Volume)
    volume = Volume(lively=[Livelier(key="a", text="old", colour="red")]).save()
    before = raw(volume)["lively"][0]
    answer = await client.put(url(volume), json={"lively": [{"key": "a", "text": "new"}]})
    assert answer.status_code == 200, answer.text
    assert raw(volume)["lively"] == [{**before, "text": "new"}]


async def test_keys_that_nobody_declares_stay_in_an_item(api: Api) -> None:
    client = api(Volume)
    volume = Volume(remarks=[Remark(key="a", text="old")]).save()
    Volume._get_collection().update_one({"_id": volume.id}, {"$set": {"remarks.0.extra": 7}})
    assert (await client.put(url(volume), json={"remarks": [{"key": "a", "text": "new"}]})).status_code == 200
    assert raw(volume)["remarks"] == [{"_id": "a", "text": "new", "extra": 7}]


@pytest.mark.parametrize(
    "lines",
    [
        [{"text": "b"}, {"text": "a"}],
        [{"text": "a"}],
        [{"text": "a"}, {"text": "b"}, {"text": "c"}],
        [{"text": "a"}, {"text": "B"}],
        [],
    ],
    ids=["in another order", "shorter", "longer", "changed", "empty"],
)
async def test_items_without_an_id_that_hold_hidden_values_are_not_written_whole(
    api: Api, lines: list[dict[str, Any]]
) -> None:
    client = api(Volume, hidden=HIDDEN)
    volume = Volume(lines=[Line(text="a", secret="s"), Line(text="b")]).save()
    before = raw(volume)
    answer = await client.put(url(volume), json={"title": "new", "lines": lines})
    assert (answer.status_code, answer.json()["detail"][: len(CLASH)]) == (409, CLASH)
    assert raw(volume) == before


async def test_items_without_an_id_may_come_back_as_they_are_shown(api: Api) -> None:
    client = api(Volume, hidden=HIDDEN)
    volume = Volume(lines=[Line(text="a", secret="s"), Line(text="b")]).save()
    lines = (await client.get(url(volume))).json()["lines"]
    answer = await client.put(url(volume), json={"title": "new", "lines": lines})
    assert answer.status_code == 200, answer.text
    assert raw(volume)["lines"] == [{"text": "a", "secret": "s"}, {"text": "b"}]


async def test_items_without_an_id_and_without_hidden_values_are_written_whole(api: Api) -> None:
    client = api(Volume, hidden=HIDDEN)
    volume = Volume(lines=[Line(text="a"), Line(text="b")]).save()
    assert (await client.put(url(volume), json={"lines": [{"text": "c"}]})).status_code == 200
    assert raw(volume)["lines"] == [{"text": "c"}]


async def test_lists_in_lists_are_not_written_whole_over_hidden_values(api: Api) -> None:
    client = api(Volume, hidden=HIDDEN)
    volume = Volume(grid=[[Line(text="a", secret="s")], [Line(text="b")]]).save()
    moved = await client.put(url(volume), json={"grid": [[{"text": "b"}], [{"text": "a"}]]})
    same = await client.put(url(volume), json={"grid": [[{"text": "a"}], [{"text": "b"}]]})
    assert (moved.status_code, same.status_code) == (409, 200)
    assert raw(volume)["grid"] == [[{"text": "a", "secret": "s"}], [{"text": "b"}]]


@pytest.mark.parametrize("field", ["remarks", "any_remarks", "lively"])
async def test_twins_are_refused_by_every_write_of_a_list(api: Api, field: str) -> None:
    client = api(Volume)
    tag = {"@type": "Remark"} if field == "any_remarks" else {}
    twins = [{**tag, "key": each} for each in "aba"]
    volume = Volume().save()
    answers = [
        await client.post("/volume/", json={field: twins}),
        await client.put(url(volume), json={field: twins}),
        await client.patch(url(volume), json={field: twins}),
    ]
    told = {f"{field}.2": ["Another item of the list has this id."]}
    assert [(each.status_code, each.json()["errors"]) for each in answers] == 3 * [(400, told)]
    assert Volume.objects.count() == 1


async def test_stored_twins_may_come_back_as_they_are_shown(api: Api) -> None:
    client = api(Volume, hidden=HIDDEN)
    volume = Volume(remarks=[Remark(key="a", text=each, secret=each) for each in "xy"]).save()
    before = raw(volume)
    shown = (await client.get(url(volume))).json()["remarks"]
    assert (await client.put(url(volume), json={"remarks": shown})).status_code == 200
    assert raw(volume) == before


async def test_a_removal_takes_one_of_two_stored_twins(api: Api) -> None:
    client = api(Volume)
    volume = Volume(remarks=[Remark(key=key, text=text) for key, text in ("bx", "ax", "ay")]).save()
    assert (await client.delete(url(volume) + "remarks/a/")).status_code == 204
    assert [each["text"] for each in raw(volume)["remarks"]] == ["x", "y"]
    assert (await client.delete(url(volume) + "remarks/a/")).status_code == 204
    assert [each["_id"] for each in raw(volume)["remarks"]] == ["b"]
    assert (await client.delete(url(volume) + "remarks/a/")).status_code == 404


async def test_values_in_a_free_form_field_stay_of_their_stored_types(api: Api) -> None:
    client = api(Volume)
    free = {"id": bson.ObjectId(), "raw": b"x", "deep": [{"id": bson.ObjectId()}, 1]}
    volume = Volume().save()
    Volume._get_collection().update_one({"_id": volume.id}, {"$set": {"free": free}})
    shown = (await client.get(url(volume))).json()["free"]
    answer = await client.put(url(volume), json={"free": {**shown, "more": 1}})
    assert answer.status_code == 200, answer.text
    assert raw(volume)["free"] == {**free, "more": 1}


async def test_a_float_that_is_no_number_stays_when_its_null_comes_back(api: Api) -> None:
    client = api(Volume)
    volume = Volume(weight=float("inf")).save()
    assert (await client.put(url(volume), json={"weight": None})).status_code == 200
    assert raw(volume)["weight"] == float("inf")
