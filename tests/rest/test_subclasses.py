"""Documents of classes below the one that routes serve: hidden, shown, written, filtered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import mongoengine as me
import pytest

import bzz
from bzz.errors import ConfigurationError
from bzz.providers import hidden
from bzz.signals import post_create_instance, pre_create_instance
from tests.conftest import Serve

INHERITING: dict[str, Any] = {"allow_inheritance": True}


class Vehicle(me.Document):
    meta: ClassVar[dict[str, Any]] = INHERITING
    name = me.StringField()


class Lorry(Vehicle):
    secret = me.StringField()
    axles = me.IntField()


class Freight(me.EmbeddedDocument):
    meta: ClassVar[dict[str, Any]] = INHERITING
    name = me.StringField()


class FreightCrate(Freight):
    seal = me.StringField()


class Crossing(me.Document):
    vehicle = me.ReferenceField(Vehicle)
    first = me.EmbeddedDocumentField(Freight)
    cargo = me.EmbeddedDocumentListField(Freight)
    anything = me.GenericEmbeddedDocumentField(choices=(FreightCrate,))
    mapped = me.MapField(me.EmbeddedDocumentField(Freight))


def _routes(model: type, **options: Any) -> Sequence[Any]:
    return bzz.flatten([bzz.ModelHive.routes_for("mongoengine", model, **options)])


async def test_a_field_of_a_subclass_is_hidden_on_the_routes_of_its_base(serve: Serve, database_name: str) -> None:
    lorry = Lorry(name="a", secret="s", axles=2).save()
    client = serve(_routes(Vehicle, hidden=["secret"]))
    shown = (await client.get(f"/vehicle/{lorry.pk}/")).json()
    assert shown == {"id": str(lorry.pk), "name": "a", "axles": 2}
    assert (await client.get("/vehicle/")).json() == [shown]


async def test_a_field_of_a_subclass_is_hidden_behind_a_reference(serve: Serve, database_name: str) -> None:
    voyage = Crossing(vehicle=Lorry(name="a", secret="s").save()).save()
    client = serve(_routes(Crossing, hidden=["vehicle.secret"]))
    assert "secret" not in (await client.get(f"/crossing/{voyage.pk}/vehicle/")).json()


@pytest.mark.parametrize("field", ["first", "cargo", "anything", "mapped"])
async def test_a_field_of_an_embedded_subclass_is_hidden(serve: Serve, database_name: str, field: str) -> None:
    crate = FreightCrate(name="a", seal="s")
    values = {"first": crate, "cargo": [crate], "anything": crate, "mapped": {"a": crate}}
    voyage = Crossing(**values).save()
    client = serve(_routes(Crossing, hidden=[f"{field}.seal"]))
    assert "seal" not in (await client.get(f"/crossing/{voyage.pk}/")).text


def test_a_hidden_field_of_a_subclass_is_hidden_to_events_and_relays(database_name: str) -> None:
    class Barge(me.Document):
        meta: ClassVar[dict[str, Any]] = INHERITING

    class Tanker(Barge):
        toll = me.IntField()

    _routes(Barge, hidden=["toll"])
    assert hidden.hides(Tanker, "toll")


def test_a_name_that_no_subclass_declares_is_told_when_routes_are_made() -> None:
    with pytest.raises(ConfigurationError, match="hidden: Crossing has no field 'sceret'"):
        _routes(Crossing, hidden=["sceret"])
    with pytest.raises(ConfigurationError, match="read_only: Freight has no field 'sael'"):
        _routes(Crossing, read_only=["first.sael"])


@pytest.mark.parametrize("query", ["axles=3", "axles__gte=3", "axles__exists=true&sort=-axles&per_page=1"])
async def test_a_list_of_the_base_is_filtered_and_sorted_by_a_field_of_a_subclass(
    serve: Serve, database_name: str, query: str
) -> None:
    Vehicle(name="a").save()
    Lorry(name="b", axles=2).save()
    Lorry(name="c", axles=3).save()
    found = await serve(_routes(Vehicle)).get(f"/vehicle/?{query}&fields=axles,name")
    assert [(each["name"], each["axles"]) for each in found.json()] == [("c", 3)]


async def test_pages_sorted_by_a_field_of_a_subclass_hold_every_document_once(serve: Serve, database_name: str) -> None:
    for axles in (3, None, 2):
        Lorry(name=str(axles), axles=axles).save()
    Vehicle(name="none").save()
    client = serve(_routes(Vehicle))
    answer, names = await client.get("/vehicle/?sort=axles&per_page=1"), []
    names += [each["name"] for each in answer.json()]
    while "next" in answer.links:
        answer = await client.get(answer.links["next"]["url"])
        names += [each["name"] for each in answer.json()]
    assert (sorted(names), names[2:]) == (["2", "3", "None", "none"], ["2", "3"])


async def test_a_list_is_filtered_by_a_field_of_an_embedded_subclass(serve: Serve, database_name: str) -> None:
    Crossing(first=Freight(name="a")).save()
    voyage = Crossing(first=FreightCrate(name="a", seal="s")).save()
    found = await serve(_routes(Crossing)).get("/crossing/?first.seal=s")
    assert [each["id"] for each in found.json()] == [str(voyage.pk)]


@pytest.mark.parametrize("query", ["secret=s", "sort=secret", "fields=secret", "nothing=1"])
async def test_a_hidden_field_of_a_subclass_is_no_parameter(serve: Serve, database_name: str, query: str) -> None:
    Lorry(secret="s").save()
    answer = await serve(_routes(Vehicle, hidden=["secret"])).get(f"/vehicle/?{query}")
    assert (answer.status_code, "Unknown parameter" in answer.text) == (400, True)


class Wagon(Vehicle):
    axles = me.IntField(max_value=9)
    towed_by = me.ReferenceField(Lorry)


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_a_field_of_a_subclass_is_written_on_the_routes_of_its_base(
    serve: Serve, database_name: str, verb: str
) -> None:
    lorry = Lorry(name="a", axles=2).save()
    client = serve(_routes(Vehicle))
    answer = await client.request(verb, f"/vehicle/{lorry.pk}/", json={"axles": 3})
    assert (answer.status_code, answer.json()["axles"], Lorry.objects.get().axles) == (200, 3, 3)


async def test_a_form_writes_a_field_of_a_subclass(serve: Serve, database_name: str) -> None:
    lorry = Lorry(axles=2).save()
    answer = await serve(_routes(Vehicle)).put(f"/vehicle/{lorry.pk}/", data={"axles": "3"})
    assert (answer.status_code, Lorry.objects.get().axles) == (200, 3)


async def test_a_field_of_an_embedded_subclass_is_written_at_its_own_path(serve: Serve, database_name: str) -> None:
    voyage = Crossing(cargo=[FreightCrate(name="a", seal="s")]).save()
    answer = await serve(_routes(Crossing)).put(f"/crossing/{voyage.pk}/cargo/0/", json={"seal": "t"})
    assert (answer.status_code, answer.json()) == (200, {"name": "a", "seal": "t"})


@pytest.mark.parametrize("sent", [{"axles": 10}, {"axles": "x"}, {"secret": "s"}, {"towed_by": "0" * 24}])
async def test_a_value_that_the_subclass_refuses_is_a_400_that_names_it(
    serve: Serve, database_name: str, sent: dict[str, Any]
) -> None:
    wagon = Wagon(name="a").save()
    answer = await serve(_routes(Vehicle)).put(f"/vehicle/{wagon.pk}/", json=sent)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, list(sent))


async def test_a_document_of_the_base_takes_no_field_of_a_subclass(serve: Serve, database_name: str) -> None:
    vehicle = Vehicle(name="a").save()
    client = serve(_routes(Vehicle))
    for answer in (
        await client.put(f"/vehicle/{vehicle.pk}/", json={"axles": 3}),
        await client.post("/vehicle/", json={"axles": 3}),
    ):
        assert (answer.status_code, answer.json()["errors"]) == (400, {"axles": ["Unknown field."]})


async def test_a_read_only_field_of_a_subclass_may_be_sent_back_and_not_changed(
    serve: Serve, database_name: str
) -> None:
    lorry = Lorry(name="a", axles=2).save()
    client, place = serve(_routes(Vehicle, read_only=["axles"])), f"/vehicle/{lorry.pk}/"
    assert (await client.put(place, json={"axles": 2, "name": "b"})).status_code == 200
    changed = await client.put(place, json={"axles": 3})
    assert (changed.status_code, changed.json()["errors"]) == (400, {"axles": ["This field is read-only."]})


async def test_a_type_in_a_post_to_the_base_creates_the_subclass(serve: Serve, database_name: str) -> None:
    client = serve(_routes(Vehicle))
    created = await client.post("/vehicle/", json={"@type": "Vehicle.Lorry", "name": "a", "axles": 2})
    assert (created.status_code, created.json()["axles"], Lorry.objects.get().axles) == (201, 2, 2)
    assert (await client.get(created.headers["Location"])).json() == created.json()


async def test_receivers_see_the_type_and_hear_of_the_subclass(serve: Serve, database_name: str) -> None:
    seen: list[Any] = []

    def before(sender: Any, handler: Any) -> None:
        seen.append(handler.data["@type"])

    def after(sender: Any, instance: Any) -> None:
        seen.append(type(instance))

    with pre_create_instance.connected_to(before, Vehicle), post_create_instance.connected_to(after, Vehicle):
        await serve(_routes(Vehicle)).post("/vehicle/", json={"@type": "Vehicle.Lorry", "axles": 2})
    assert seen == ["Vehicle.Lorry", Lorry]


async def test_a_type_in_a_post_to_an_embedded_list_creates_the_subclass(serve: Serve, database_name: str) -> None:
    voyage = Crossing().save()
    sent = {"@type": "FreightCrate", "name": "a", "seal": "s"}
    created = await serve(_routes(Crossing)).post(f"/crossing/{voyage.pk}/cargo/", json=sent)
    assert (created.status_code, created.json()) == (201, {"name": "a", "seal": "s"})
    assert isinstance(Crossing.objects.get().cargo[0], FreightCrate)


NAMES = "Must be one of: Vehicle, Vehicle.Lorry, Vehicle.Wagon."


@pytest.mark.parametrize("tag", ["Crossing", "FreightCrate", "nothing", 7, None])
async def test_a_type_that_is_no_subclass_is_refused(serve: Serve, database_name: str, tag: Any) -> None:
    answer = await serve(_routes(Vehicle)).post("/vehicle/", json={"@type": tag, "name": "a"})
    assert (answer.status_code, answer.json()["errors"]) == (400, {"@type": [NAMES]})


@pytest.mark.parametrize("option", ["hidden", "read_only"])
async def test_a_post_with_a_type_takes_no_field_that_may_not_be_written(
    serve: Serve, database_name: str, option: str
) -> None:
    client = serve(_routes(Vehicle, **{option: ["secret"]}))
    answer = await client.post("/vehicle/", json={"@type": "Vehicle.Lorry", "secret": "s"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["secret"])


class Actor(me.Document):
    meta: ClassVar[dict[str, Any]] = {"abstract": True}
    parent = me.ReferenceField("self")


class HumanActor(Actor):
    name = me.StringField()


class Robot(Actor):
    serial = me.IntField(primary_key=True)


class Errand(me.Document):
    actor = me.ReferenceField(Actor)
    helpers = me.ListField(me.ReferenceField(Actor))


class CleanErrand(me.Document):
    actor = me.ReferenceField(Actor)

    def clean(self) -> None:
        pass


@pytest.mark.parametrize("model", [Errand, CleanErrand])
async def test_a_reference_to_an_abstract_class_names_the_class(
    serve: Serve, database_name: str, model: type[me.Document]
) -> None:
    robot = Robot(serial=7).save()
    client = serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", model, resource_name="errand")]))
    sent = {"actor": {"@type": "Robot", "id": 7}}
    created = await client.post("/errand/", json=sent)
    assert (created.status_code, created.json()["actor"]) == (201, {"@type": "Robot", "id": 7})
    assert model.objects.get().actor == robot


async def test_a_list_of_references_to_an_abstract_class_is_shown_and_written(serve: Serve, database_name: str) -> None:
    robot, person = Robot(serial=7).save(), HumanActor(name="a").save()
    errand = Errand(helpers=[robot, person]).save()
    client = serve(_routes(Errand))
    shown = (await client.get(f"/errand/{errand.pk}/")).json()["helpers"]
    assert shown == [{"@type": "Robot", "id": 7}, {"@type": "HumanActor", "id": str(person.pk)}]
    written = await client.put(f"/errand/{errand.pk}/", json={"helpers": shown[::-1]})
    assert (written.status_code, written.json()["helpers"]) == (200, shown[::-1])


async def test_a_reference_to_self_in_an_abstract_class_leads_to_any_class_below(
    serve: Serve, database_name: str
) -> None:
    person = HumanActor(name="b", parent=Robot(serial=7).save()).save()
    client = serve(_routes(HumanActor))
    shown = (await client.get(f"/human_actor/{person.pk}/")).json()
    assert shown["parent"] == {"@type": "Robot", "id": 7}


@pytest.mark.parametrize("sent", [{"@type": "Vehicle", "id": "7"}, {"@type": "Robot", "id": 8}, "7"])
async def test_what_is_no_document_below_an_abstract_class_is_refused(
    serve: Serve, database_name: str, sent: Any
) -> None:
    Robot(serial=7).save()
    answer = await serve(_routes(Errand)).post("/errand/", json={"actor": sent})
    assert (answer.status_code, len(answer.json()["errors"])) == (400, 1)


def test_a_lazy_reference_to_an_abstract_class_is_told_when_routes_are_made() -> None:
    class LazyErrand(me.Document):
        actor = me.LazyReferenceField(Actor)

    with pytest.raises(ConfigurationError, match=r"LazyErrand.actor: only a ReferenceField"):
        _routes(LazyErrand)


async def test_an_index_is_looked_for_a_field_of_a_subclass_too(serve: Serve, database_name: str) -> None:
    (route, *_) = _routes(Vehicle)
    serve([route])  # which closes the driver's client at its end
    provider = route[2]["resource"].provider
    assert (await provider.diagnose(["name", "axles", "id"])).unindexed == ("name", "axles")
