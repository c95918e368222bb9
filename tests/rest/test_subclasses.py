"""Documents of classes below the one that routes serve: hidden, shown, written, filtered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import mongoengine as me
import pytest

import bzz
from bzz.errors import ConfigurationError
from bzz.providers import hidden
from tests.conftest import Serve

INHERITING: dict[str, Any] = {"allow_inheritance": True}


class Vehicle(me.Document):
    meta: ClassVar[dict[str, Any]] = INHERITING
    name = me.StringField()


class Lorry(Vehicle):
    secret = me.StringField()
    axles = me.IntField()


class Cargo(me.EmbeddedDocument):
    meta: ClassVar[dict[str, Any]] = INHERITING
    name = me.StringField()


class Crate(Cargo):
    seal = me.StringField()


class Voyage(me.Document):
    vehicle = me.ReferenceField(Vehicle)
    first = me.EmbeddedDocumentField(Cargo)
    cargo = me.EmbeddedDocumentListField(Cargo)
    anything = me.GenericEmbeddedDocumentField(choices=(Crate,))
    mapped = me.MapField(me.EmbeddedDocumentField(Cargo))


def _routes(model: type, **options: Any) -> Sequence[Any]:
    return bzz.flatten([bzz.ModelHive.routes_for("mongoengine", model, **options)])


async def test_a_field_of_a_subclass_is_hidden_on_the_routes_of_its_base(serve: Serve, database_name: str) -> None:
    lorry = Lorry(name="a", secret="s", axles=2).save()
    client = serve(_routes(Vehicle, hidden=["secret"]))
    shown = (await client.get(f"/vehicle/{lorry.pk}/")).json()
    assert shown == {"id": str(lorry.pk), "name": "a", "axles": 2}
    assert (await client.get("/vehicle/")).json() == [shown]


async def test_a_field_of_a_subclass_is_hidden_behind_a_reference(serve: Serve, database_name: str) -> None:
    voyage = Voyage(vehicle=Lorry(name="a", secret="s").save()).save()
    client = serve(_routes(Voyage, hidden=["vehicle.secret"]))
    assert "secret" not in (await client.get(f"/voyage/{voyage.pk}/vehicle/")).json()


@pytest.mark.parametrize("field", ["first", "cargo", "anything", "mapped"])
async def test_a_field_of_an_embedded_subclass_is_hidden(serve: Serve, database_name: str, field: str) -> None:
    crate = Crate(name="a", seal="s")
    values = {"first": crate, "cargo": [crate], "anything": crate, "mapped": {"a": crate}}
    voyage = Voyage(**values).save()
    client = serve(_routes(Voyage, hidden=[f"{field}.seal"]))
    assert "seal" not in (await client.get(f"/voyage/{voyage.pk}/")).text


def test_a_hidden_field_of_a_subclass_is_hidden_to_events_and_relays(database_name: str) -> None:
    class Barge(me.Document):
        meta: ClassVar[dict[str, Any]] = INHERITING

    class Tanker(Barge):
        toll = me.IntField()

    _routes(Barge, hidden=["toll"])
    assert hidden.hides(Tanker, "toll")


def test_a_name_that_no_subclass_declares_is_told_when_routes_are_made() -> None:
    with pytest.raises(ConfigurationError, match="hidden: Voyage has no field 'sceret'"):
        _routes(Voyage, hidden=["sceret"])
    with pytest.raises(ConfigurationError, match="read_only: Cargo has no field 'sael'"):
        _routes(Voyage, read_only=["first.sael"])
