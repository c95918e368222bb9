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


@pytest.mark.parametrize("model", [PlacedGauge, MappedGauge, PlacedReading])
def test_an_id_of_several_values_is_refused_at_start(model: type) -> None:
    with pytest.raises(ConfigurationError, match=r"Gauge.key is an id of several values.*get_id_field_name\(\)"):
        bzz.ModelHive.routes_for("mongoengine", model)


def _url(model: type) -> str:
    return model.__name__.replace("Gauge", "_gauge").lower()
