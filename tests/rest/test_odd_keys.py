"""Documents whose primary keys are no plain texts: they have addresses, and references show what their field shows."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import pytest

import bzz
from bzz.errors import ConfigurationError
from tests.conftest import Driver
from tests.rest.conftest import Api


class DatedGauge(me.Document):
    key = me.DateField(primary_key=True)


class TimedGauge(me.Document):
    key = me.DateTimeField(primary_key=True)


class FineGauge(me.Document):
    key = me.ComplexDateTimeField(primary_key=True)


class PricedGauge(me.Document):
    key = me.DecimalField(primary_key=True, precision=2)


class HashedGauge(me.Document):
    key = me.BinaryField(primary_key=True)


class Rot(me.StringField):
    """Stores a text the other way round."""

    def to_mongo(self, value: Any) -> Any:
        return None if value is None else f"R:{value[::-1]}"

    def to_python(self, value: Any) -> Any:
        return value[2:][::-1] if isinstance(value, str) and value.startswith("R:") else value


class CodedGauge(me.Document):
    key = Rot(primary_key=True)


class GaugeReading(me.Document):
    dated = me.ReferenceField(DatedGauge)
    timed = me.ReferenceField(TimedGauge)
    fine = me.ReferenceField(FineGauge)
    priced = me.ReferenceField(PricedGauge)
    hashed = me.ReferenceField(HashedGauge)
    coded = me.ReferenceField(CodedGauge)
    lazy = me.LazyReferenceField(CodedGauge)
    lazies = me.ListField(me.LazyReferenceField(CodedGauge))
    any = me.GenericReferenceField(choices=[CodedGauge, PricedGauge])


KEYS = [
    (DatedGauge, "dated", "2026-01-31"),
    (TimedGauge, "timed", "2026-01-01T00:00:00Z"),
    (FineGauge, "fine", "2026-01-01T00:00:00.000001Z"),
    (PricedGauge, "priced", "1.50"),
    (HashedGauge, "hashed", "/+8="),
    (CodedGauge, "coded", "abc"),
    (CodedGauge, "lazy", "abc"),
]


@pytest.mark.parametrize(("model", "name", "key"), KEYS, ids=[each[1] for each in KEYS])
async def test_a_document_has_the_address_that_it_was_created_at(api: Api, model: type, name: str, key: str) -> None:
    client = api(model)
    created = await client.post(f"/{_url(model)}/", json={"key": key})
    assert created.json() == {"key": key}
    assert (await client.get(created.headers["Location"])).json() == {"key": key}
    assert (await client.delete(created.headers["Location"])).status_code == 204


@pytest.mark.parametrize(("model", "name", "key"), KEYS, ids=[each[1] for each in KEYS])
async def test_a_reference_shows_the_key_as_its_field_does_and_takes_it_back(
    api: Api, model: type, name: str, key: str
) -> None:
    client = api(model, GaugeReading)
    await client.post(f"/{_url(model)}/", json={"key": key})
    created = await client.post("/gauge_reading/", json={name: key})
    assert created.json()[name] == key
    place = created.headers["Location"]
    again = await client.put(place, json=created.json())
    assert (again.status_code, again.json()) == (200, created.json())
    assert (await client.get(f"{place}{name}")).json() == {"key": key}
    assert (await client.get(place, params={"expand": name})).json()[name] == {"key": key}


async def test_a_lazy_reference_is_stored_as_the_key_of_its_document_is(api: Api, driver: Driver) -> None:
    client = api(CodedGauge, GaugeReading)
    await client.post("/coded_gauge/", json={"key": "abc"})
    created = await client.post("/gauge_reading/", json={"lazy": "abc", "lazies": ["abc"]})
    stored = await driver()["gauge_reading"].find_one()
    assert (stored["lazy"], stored["lazies"]) == ("R:cba", ["R:cba"])
    assert (await client.get(f"{created.headers['Location']}lazies/")).json() == [{"key": "abc"}]


async def test_a_reference_to_any_of_some_models_shows_the_key_as_its_field_does(api: Api) -> None:
    client = api(CodedGauge, PricedGauge, GaugeReading)
    await client.post("/coded_gauge/", json={"key": "abc"})
    await client.post("/priced_gauge/", json={"key": "1.50"})
    for type_, key in (("CodedGauge", "abc"), ("PricedGauge", "1.50")):
        answer = await client.post("/gauge_reading/", json={"any": {"@type": type_, "id": key}})
        assert answer.json()["any"] == {"@type": type_, "id": key}


class GaugeSpot(me.EmbeddedDocument):
    row = me.IntField()


class PlacedGauge(me.Document):
    key = me.EmbeddedDocumentField(GaugeSpot, primary_key=True)


class MappedGauge(me.Document):
    key = me.DictField(primary_key=True)


class PlacedReading(me.Document):
    gauge = me.ReferenceField(PlacedGauge)
    note = me.StringField()


@pytest.mark.parametrize("model", [PlacedGauge, MappedGauge])
def test_an_id_of_several_values_is_refused_at_start(model: type) -> None:
    with pytest.raises(ConfigurationError, match=r"Gauge.key is an id of several values.*get_id_field_name\(\)"):
        bzz.ModelHive.routes_for("mongoengine", model)


async def test_a_reference_to_a_key_of_several_values_is_shown_and_not_lost(api: Api, driver: Driver) -> None:
    client = api(PlacedReading)
    key = (await driver()["placed_reading"].insert_one({"gauge": {"row": 1}})).inserted_id
    place = f"/placed_reading/{key}/"
    assert (await client.get(place)).json()["gauge"] == {"row": 1}
    assert (await client.put(place, json={"gauge": {"row": 1}, "note": "a"})).status_code == 400
    assert (await client.put(place, json={"note": "a"})).json()["gauge"] == {"row": 1}
    assert (await driver()["placed_reading"].find_one())["gauge"] == {"row": 1}


async def test_a_document_in_the_place_of_a_reference_is_not_shown(api: Api, driver: Driver) -> None:
    client = api(GaugeReading)
    stored = {name: {"secret": "x"} for name in ("dated", "timed", "priced", "hashed", "lazy")}
    key = (await driver()["gauge_reading"].insert_one({**stored})).inserted_id
    answer = await client.get(f"/gauge_reading/{key}/")
    assert {name: answer.json()[name] for name in stored} == dict.fromkeys(stored)


class PlacedLog(me.Document):
    key = me.ReferenceField(TimedGauge, primary_key=True)
    days = me.ListField(me.ReferenceField(DatedGauge))


async def test_a_reference_that_is_a_key_and_one_that_is_linked_show_what_their_documents_do(api: Api) -> None:
    client = api(PlacedLog, TimedGauge, DatedGauge)
    await client.post("/timed_gauge/", json={"key": "2026-01-01T00:00:00Z"})
    await client.post("/dated_gauge/", json={"key": "2026-01-31"})
    created = await client.post("/placed_log/", json={"key": "2026-01-01T00:00:00Z"})
    assert created.headers["Location"] == "/placed_log/2026-01-01T00%3A00%3A00Z/"
    linked = await client.post(f"{created.headers['Location']}days/", json={"days": "2026-01-31"})
    assert linked.json() == {"days": ["2026-01-31"]}
    assert (await client.get(created.headers["Location"])).json()["days"] == ["2026-01-31"]


class NumberedGauge(me.Document):
    key = me.IntField(primary_key=True)


class NumberedReading(me.Document):
    gauge = me.ReferenceField(NumberedGauge)


async def test_a_double_that_is_an_integer_is_a_key_like_any_other(api: Api, driver: Driver) -> None:
    client = api(NumberedGauge, NumberedReading)
    await driver()["numbered_gauge"].insert_one({"_id": 5.0})
    key = (await driver()["numbered_reading"].insert_one({"gauge": 5.0})).inserted_id
    assert (await client.get("/numbered_gauge/5/")).json() == {"key": 5}
    shown = (await client.get(f"/numbered_reading/{key}/", params={"expand": "gauge"})).json()
    assert shown["gauge"] == {"key": 5}
    again = await client.put(f"/numbered_reading/{key}/", json={"gauge": 5})
    assert (again.status_code, again.json()["gauge"]) == (200, 5)


def _url(model: type) -> str:
    return model.__name__.replace("Gauge", "_gauge").lower()


# -- names of digits


class FreeDial(me.DynamicDocument):
    name = me.StringField()


class DialPart(me.EmbeddedDocument):
    x = me.IntField()


class DigitsDial(me.Document):
    part = me.EmbeddedDocumentField(DialPart, db_field="3")
    parts = me.EmbeddedDocumentListField(DialPart, db_field="4")


@pytest.mark.parametrize("name", ["7", "0", "00", "\u00b2", "\u0663"])
async def test_an_undeclared_field_may_be_called_by_digits(alone: Api, name: str) -> None:
    client = alone(FreeDial)
    place = (await client.post("/free_dial/", json={"name": "a"})).headers["Location"]
    for value in (1, 2):
        assert (await client.put(place, json={name: value})).json()[name] == value
    assert name not in (await client.patch(place, json={name: None})).json()


async def test_keys_of_digits_are_no_positions(alone: Api) -> None:
    client = alone(DigitsDial)
    whole = {"part": {"x": 1}, "parts": [{"x": 1}, {"x": 2}]}
    place = (await client.post("/digits_dial/", json=whole)).headers["Location"]
    answers = [
        await client.put(f"{place}part/", json={"x": 5}),
        await client.put(f"{place}parts/1/", json={"x": 6}),
        await client.delete(f"{place}parts/0/"),
        await client.post(f"{place}parts/", json={"x": 7}),
    ]
    assert [each.status_code for each in answers] == [200, 200, 204, 201]
    shown = (await client.get(place)).json()
    assert (shown["part"], shown["parts"]) == ({"x": 5}, [{"x": 6}, {"x": 7}])
    assert (await client.delete(f"{place}part/")).status_code == 204


# -- keys that a collation makes alike


class CollatedTag(me.Document):
    name = me.StringField(primary_key=True)
    text = me.StringField()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_collation_makes_keys_alike_for_every_method(alone: Api, database_name: str, method: str) -> None:
    database = CollatedTag._get_db()
    database.create_collection("collated_tag", collation={"locale": "en", "strength": 2})
    CollatedTag(name="ann", text="a").save()
    client = alone(CollatedTag)
    answer = await client.request(method, "/collated_tag/ANN/", json={"text": "b"} if method == "PUT" else None)
    assert answer.status_code == (204 if method == "DELETE" else 200), answer.text
    assert (await client.get("/collated_tag/bob/")).status_code == 404
