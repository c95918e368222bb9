"""Fields of fields, and models that are put together in rarer ways."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import mongoengine as me
import pytest
from bson import ObjectId

from tests.conftest import Driver
from tests.rest import Harbour, Sailor, raw
from tests.rest.conftest import Api
from tests.rest.test_fields import Colour, Label, Stamp


class Score(me.EmbeddedDocument):
    name = me.StringField(db_field="n")
    rank = me.IntField(db_field="rank")


class Keyed(me.EmbeddedDocument):
    oid = me.ObjectIdField(primary_key=True, default=ObjectId)
    note = me.StringField()


class Loose(me.EmbeddedDocument):
    id = me.IntField()
    note = me.StringField()


class Compound(me.Document):
    decimals = me.ListField(me.DecimalField(), db_field="c1")
    times = me.ListField(me.DateTimeField(), db_field="c2")
    colours = me.ListField(me.EnumField(Colour), db_field="c3")
    points = me.ListField(me.PointField(), db_field="c4")
    dicts = me.ListField(me.DictField(), db_field="c5")
    anys = me.ListField(me.GenericEmbeddedDocumentField(choices=(Label, Stamp)), db_field="c6")
    links = me.ListField(me.GenericReferenceField(choices=(Harbour, Sailor)), db_field="c7")
    lazies = me.ListField(me.LazyReferenceField(Harbour), db_field="c8")
    by_name = me.MapField(me.ReferenceField(Harbour), db_field="c9")
    lists_by_name = me.MapField(me.ListField(me.EmbeddedDocumentField(Label)), db_field="c10")
    scores = me.SortedListField(me.EmbeddedDocumentField(Score), ordering="rank", reverse=True, db_field="c11")
    keyed = me.ListField(me.EmbeddedDocumentField(Keyed), db_field="c12")
    loose = me.ListField(me.EmbeddedDocumentField(Loose), db_field="c13")
    twins = me.ListField(me.ReferenceField("self", dbref=True), db_field="c14")


class Passport(me.Document):
    """Its primary key is a reference."""

    owner = me.ReferenceField(Sailor, primary_key=True)
    pages = me.IntField()


HARBOUR = {"@type": "Harbour", "id": "R/O"}
WRONG: dict[str, list[Any]] = {
    "decimals": [["x"], [True]],
    "times": [["x"], [1]],
    "colours": [["green"]],
    "points": [[[1]], ["x"]],
    "dicts": [[1], [{"$a": 1}]],
    "anys": [[{"@type": "Harbour"}], [{"text": "x"}]],
    "links": [[{"@type": "Harbour", "id": "XX"}], [{"@type": "Label", "id": "x"}], ["R/O"]],
    "lazies": [["XX"], [1]],
    "by_name": [{"a": "XX"}, {"a": 1}, ["R/O"]],
    "lists_by_name": [{"a": [{"text": "much too long"}]}, {"a": {}}],
    "scores": [[{"rank": "x"}], [{"name": "unranked"}, {"rank": 1}]],
}
VALUES: dict[str, Any] = {
    "decimals": ["1.50", "2.00"],
    "times": ["2026-01-01T00:00:00Z"],
    "colours": ["red", "blue", "red"],
    "points": [{"type": "Point", "coordinates": [1, 2]}],
    "dicts": [{"a": 1}, {}],
    "anys": [{"@type": "Label", "text": "a", "size": 1}, {"@type": "Stamp", "code": 2}],
    "links": [HARBOUR],
    "lazies": ["R/O"],
    "by_name": {"a": "R/O"},
    "lists_by_name": {"a": [{"text": "x", "size": 2}], "b": []},
    "scores": [{"name": "b", "rank": 2}, {"name": "a", "rank": 1}],
}


@pytest.fixture
def harbour(database_name: str) -> Harbour:
    made: Harbour = Harbour(code="R/O").save()
    return made


@pytest.mark.parametrize("name", VALUES)
async def test_fields_of_fields_are_stored_shown_and_read_by_mongoengine(
    alone: Api, harbour: Harbour, name: str
) -> None:
    client = alone(Compound)
    created = await client.post("/compound/", json={name: VALUES[name]})
    assert (created.status_code, created.json()[name]) == (201, VALUES[name])
    assert (await client.put(created.headers["Location"], json={name: VALUES[name]})).json() == created.json()
    Compound.objects.get().validate()
    for wrong in WRONG[name]:
        for verb, place in (("POST", "/compound/"), ("PUT", created.headers["Location"])):
            answer = await client.request(verb, place, json={name: wrong})
            assert (verb, wrong, answer.status_code) == (verb, wrong, 400)
            assert [each.partition(".")[0] for each in answer.json()["errors"]] == [name]


@pytest.mark.parametrize(
    "query", ["decimals=1.5", "times=2026-01-01T00:00:00Z", "colours=blue", "lazies=R/O", "scores.rank__gte=2"]
)
async def test_fields_of_fields_are_filtered_by_their_items(alone: Api, harbour: Harbour, query: str) -> None:
    client = alone(Compound)
    await client.post("/compound/", json=VALUES)
    await client.post("/compound/", json={})
    answer = await client.get(f"/compound/?{query}")
    assert (answer.status_code, len(answer.json())) == (200, 1)


async def test_what_mongoengine_reads_of_fields_of_fields_has_its_types(alone: Api, harbour: Harbour) -> None:
    await alone(Compound).post("/compound/", json=VALUES)
    read = Compound.objects.get()
    assert (read.decimals, read.times) == ([Decimal("1.50"), Decimal("2.00")], [datetime(2026, 1, 1)])
    assert (read.colours[0], read.links[0], read.by_name["a"]) == (Colour.RED, harbour, harbour)
    assert ([type(each) for each in read.anys], read.lists_by_name["a"][0].size) == ([Label, Stamp], 2)


async def test_a_sorted_list_stays_sorted_when_items_are_attached_and_changed(alone: Api, harbour: Harbour) -> None:
    client = alone(Compound)
    place = (await client.post("/compound/", json={})).headers["Location"]
    for rank, position in ((1, 0), (3, 0), (2, 1)):
        answer = await client.post(f"{place}scores/", json={"name": str(rank), "rank": rank})
        assert (answer.status_code, answer.headers["X-Created-Id"]) == (201, str(position))
        assert (await client.get(answer.headers["Location"])).json() == answer.json()
    assert [each["rank"] for each in (await client.get(f"{place}scores/")).json()] == [3, 2, 1]


async def test_an_item_that_a_sorted_list_cannot_place_is_400(alone: Api, harbour: Harbour) -> None:
    client = alone(Compound)
    place = (await client.post("/compound/", json={"scores": [{"rank": 1}]})).headers["Location"]
    answer = await client.post(f"{place}scores/", json={"name": "unranked"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["scores"])


async def test_an_embedded_id_that_the_model_makes_names_the_item(alone: Api, harbour: Harbour) -> None:
    client = alone(Compound)
    place = (await client.post("/compound/", json={"keyed": [{"note": "a"}]})).headers["Location"]
    created = await client.post(f"{place}keyed/", json={"note": "b"})
    assert created.headers["Location"] == f"{place}keyed/{created.json()['oid']}/"
    assert (await client.get(created.headers["Location"])).json()["note"] == "b"
    assert (await client.put(created.headers["Location"], json=created.json())).status_code == 200
    assert (await client.delete(created.headers["Location"])).status_code == 204
    assert [each["note"] for each in (await client.get(f"{place}keyed/")).json()] == ["a"]


async def test_embedded_documents_without_the_id_that_they_may_have_are_no_twins(alone: Api, harbour: Harbour) -> None:
    client = alone(Compound)
    place = (await client.post("/compound/", json={})).headers["Location"]
    for body in ({"note": "a"}, {"note": "b"}, {"id": 1}):
        assert (await client.post(f"{place}loose/", json=body)).status_code == 201
    assert (await client.post(f"{place}loose/", json={"id": 1})).status_code == 409
    assert (await client.get(f"{place}loose/1/")).json() == {"id": 1, "note": None}


async def test_references_that_are_stored_as_dbrefs_are_linked_and_unlinked(alone: Api, harbour: Harbour) -> None:
    client = alone(Compound)
    place = (await client.post("/compound/", json={})).headers["Location"]
    key = place.split("/")[2]
    for _ in range(2):
        assert (await client.post(f"{place}twins/", json={"twins": [key]})).json() == {"twins": [key]}
    assert [each["id"] for each in (await client.get(f"{place}twins/")).json()] == [key]
    assert (await client.get(f"/compound/?twins={key}")).json()[0]["id"] == key
    assert (await client.delete(f"{place}twins/{key}/")).status_code == 204
    assert raw(Compound.objects.get())["c14"] == []


async def test_a_reference_may_be_the_primary_key(alone: Api, harbour: Harbour) -> None:
    ann, client = Sailor(name="Ann").save(), alone(Passport)
    created = await client.post("/passport/", json={"owner": str(ann.id), "pages": 3})
    assert (created.status_code, created.headers["Location"]) == (201, f"/passport/{ann.id}/")
    assert created.json() == {"owner": str(ann.id), "pages": 3}
    assert (await client.get(f"/passport/{ann.id}/owner/")).json()["name"] == "Ann"
    assert (await client.put(f"/passport/{ann.id}/", json={"owner": str(ann.id), "pages": 4})).json()["pages"] == 4
    assert len((await client.get("/passport/?per_page=1")).json()) == 1
    assert (await client.delete(f"/passport/{ann.id}/")).status_code == 204


# -- documents that are saved by MongoEngine itself


class Hooked(me.Document):
    label = me.EmbeddedDocumentField(Label, db_field="lb")
    labels = me.ListField(me.EmbeddedDocumentField(Label), db_field="ls")
    anything = me.DictField(db_field="an")
    note = me.StringField(db_field="no", default="noted")
    colour = me.EnumField(Colour, db_field="co")
    home = me.ReferenceField(Harbour, db_field="ho")
    meta = {"allow_inheritance": True}  # noqa: RUF012  # as MongoEngine's manual writes it

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)


class HookedMore(Hooked):
    more = me.IntField(db_field="mo")


async def test_a_hooked_document_keeps_what_was_unset_unset(alone: Api, harbour: Harbour) -> None:
    client = alone(Hooked)
    place = (await client.post("/hooked/", json={"label": {"text": "a"}, "labels": [{}]})).headers["Location"]
    assert (await client.put(place, json={"note": None, "label": {"size": None}})).json()["label"]["size"] is None
    again = (await client.put(place, json={"colour": "red", "home": "R/O", "label": {"text": "b"}})).json()
    assert (again["note"], again["label"], again["colour"], again["home"]) == (
        None, {"text": "b", "size": None}, "red", "R/O",
    )  # fmt: skip
    assert (await client.put(f"{place}labels/0/", json={"size": None})).json() == {"text": None, "size": None}
    assert (await client.post(f"{place}labels/", json={"text": "x"})).json() == {"text": "x", "size": 1}
    assert raw(Hooked.objects.get())["ls"] == [{}, {"tx": "x", "sz": 1}]


async def test_a_hooked_document_tells_true_from_one(alone: Api, harbour: Harbour) -> None:
    client = alone(Hooked)
    place = (await client.post("/hooked/", json={"anything": {"a": 1}})).headers["Location"]
    assert (await client.put(place, json={"anything": {"a": True}})).json()["anything"] == {"a": True}
    assert raw(Hooked.objects.get())["an"] == {"a": True}


async def test_a_hooked_document_of_a_subclass_stays_one(alone: Api, harbour: Harbour) -> None:
    client = alone(Hooked, HookedMore)
    created = await client.post("/hooked_more/", json={"more": 3})
    place = created.headers["Location"].replace("hooked_more", "hooked")
    assert (await client.put(place, json={"note": "x"})).json()["more"] == 3
    assert raw(HookedMore.objects.get())["_cls"] == "Hooked.HookedMore"
    assert (await client.delete(place)).status_code == 204


async def test_a_hooked_document_with_keys_that_nobody_declares_is_changed_and_deleted(alone: Api) -> None:
    hooked = Hooked(label=Label(text="a")).save()
    extra = {"old": 1, "lb.old": 2}
    Hooked._get_collection().update_one({"_id": hooked.id}, {"$set": extra})
    client, place = alone(Hooked), f"/hooked/{hooked.id}/"
    assert (await client.get(place)).json()["label"] == {"text": "a", "size": 1}
    assert (await client.put(place, json={"note": "x"})).json()["note"] == "x"
    assert (raw(hooked)["old"], raw(hooked)["lb"]["old"]) == (1, 2)
    assert (await client.delete(place)).status_code == 204


async def test_a_hooked_document_is_not_written_to_a_database_that_its_routes_do_not_read(
    api: Api, driver: Driver
) -> None:
    client = api(Hooked, database=driver("bzz_test_elsewhere"))
    assert (await client.post("/hooked/", json={})).status_code == 500
    assert Hooked.objects.count() == 0
