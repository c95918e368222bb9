"""Types and fields of subclasses inside larger bodies: embedded documents, lists and maps of them, at any depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import mongoengine as me
import pytest

import bzz
from bzz.signals import post_update_instance, pre_update_instance
from tests.conftest import Serve

INHERITING: dict[str, Any] = {"allow_inheritance": True}


class PortOfCall(me.Document):
    code = me.StringField(primary_key=True)


class Load(me.EmbeddedDocument):
    meta: ClassVar[dict[str, Any]] = INHERITING
    name = me.StringField()


class Barrel(Load):
    litres = me.IntField(max_value=900)
    seal = me.StringField()
    port = me.ReferenceField(PortOfCall)
    inner = me.ListField(me.EmbeddedDocumentField(Load))


class Cask(Barrel):
    wood = me.StringField(required=True)


class KeyedBox(me.EmbeddedDocument):
    meta: ClassVar[dict[str, Any]] = INHERITING
    key = me.StringField(primary_key=True)
    name = me.StringField()


class KeyedCase(KeyedBox):
    seal = me.StringField()


class CargoHold(me.Document):
    meta: ClassVar[dict[str, Any]] = INHERITING
    label = me.StringField()
    first = me.EmbeddedDocumentField(Load)
    loads = me.ListField(me.EmbeddedDocumentField(Load))
    rows = me.ListField(me.ListField(me.EmbeddedDocumentField(Load)))
    boxes = me.EmbeddedDocumentListField(KeyedBox)
    mapped = me.MapField(me.EmbeddedDocumentField(Load))
    anything = me.GenericEmbeddedDocumentField(choices=(Load, KeyedBox))
    things = me.ListField(me.GenericEmbeddedDocumentField(choices=(Load,)))


class SavedCargoHold(CargoHold):
    """Is written by MongoEngine itself."""

    def clean(self) -> None:
        """Nothing of its own."""


MODELS = pytest.mark.parametrize("model", [CargoHold, SavedCargoHold])


def _routes(model: type = CargoHold, **options: Any) -> Sequence[Any]:
    return bzz.flatten([bzz.ModelHive.routes_for("mongoengine", model, resource_name="hold", **options)])


BARREL = {"@type": "Barrel", "name": "a", "litres": 5}


def _sent(field: str, document: dict[str, Any]) -> dict[str, Any]:
    shapes = {"loads": [document], "things": [document], "mapped": {"a": document}}
    return {field: shapes.get(field, document)}


def _held(hold: Any, field: str) -> Any:
    value = getattr(hold, field)
    return value["a"] if field == "mapped" else value[0] if field in ("loads", "things") else value


EVERYWHERE = pytest.mark.parametrize("field", ["first", "loads", "mapped", "anything", "things"])


@MODELS
@EVERYWHERE
async def test_a_post_creates_embedded_documents_of_the_types_that_it_names(
    serve: Serve, database_name: str, model: type[CargoHold], field: str
) -> None:
    answer = await serve(_routes(model)).post("/hold/", json=_sent(field, BARREL))
    held = _held(model.objects.get(), field)
    assert (answer.status_code, type(held), held.litres) == (201, Barrel, 5)


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
@MODELS
@EVERYWHERE
async def test_an_update_of_the_parent_creates_them_too(
    serve: Serve, database_name: str, model: type[CargoHold], field: str, verb: str
) -> None:
    hold = model().save()
    answer = await serve(_routes(model)).request(verb, f"/hold/{hold.pk}/", json=_sent(field, BARREL))
    held = _held(model.objects.get(), field)
    assert (answer.status_code, type(held), held.litres) == (200, Barrel, 5)


async def test_types_are_read_at_every_depth(serve: Serve, database_name: str) -> None:
    inner = {"@type": "Barrel", "inner": [{"@type": "Cask", "wood": "oak", "inner": [{"name": "deep"}]}]}
    answer = await serve(_routes()).post("/hold/", json={"loads": [inner]})
    cask = CargoHold.objects.get().loads[0].inner[0]
    assert (answer.status_code, type(cask), cask.wood, cask.inner[0].name) == (201, Cask, "oak", "deep")


async def test_a_form_names_types_in_embedded_documents(serve: Serve, database_name: str) -> None:
    answer = await serve(_routes()).post("/hold/", data={"first.@type": "Cask", "first.wood": "oak"})
    assert (answer.status_code, type(CargoHold.objects.get().first)) == (201, Cask)


@pytest.mark.parametrize("name", ["Load", "CargoHold"])
async def test_the_name_of_the_base_itself_is_a_type(serve: Serve, database_name: str, name: str) -> None:
    sent = {"@type": "CargoHold", "first": {"@type": "Load", "name": "a"}}
    answer = await serve(_routes()).post("/hold/", json=sent)
    assert (answer.status_code, type(CargoHold.objects.get()), type(CargoHold.objects.get().first)) == (
        201,
        CargoHold,
        Load,
    )


LOADS = "Must be one of: Load, Barrel, Cask."


@pytest.mark.parametrize("tag", ["KeyedCase", "PortOfCall", "nothing", 7, ["Barrel"], None])
@pytest.mark.parametrize(
    ("field", "where"),
    [("first", "first"), ("loads", "loads.0"), ("mapped", "mapped.a"), ("things", "things.0")],
)
@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH"])
async def test_a_type_that_may_not_stand_there_is_refused_with_those_that_may(
    serve: Serve, database_name: str, tag: Any, field: str, where: str, verb: str
) -> None:
    path = "/hold/" if verb == "POST" else f"/hold/{CargoHold().save().pk}/"
    answer = await serve(_routes()).request(verb, path, json=_sent(field, {"@type": tag, "name": "a"}))
    assert (answer.status_code, answer.json()["errors"]) == (400, {f"{where}.@type": [LOADS]})


@pytest.mark.parametrize("field", ["anything", "things"])
async def test_a_generic_field_takes_and_shows_subclasses_of_its_choices(
    serve: Serve, database_name: str, field: str
) -> None:
    client = serve(_routes())
    created = await client.post("/hold/", json=_sent(field, {"@type": "Cask", "wood": "oak"}))
    assert created.status_code == 201
    again = await client.put(created.headers["Location"], json=created.json())
    assert (again.status_code, again.json()) == (200, created.json())


@MODELS
async def test_what_was_shown_can_be_sent_back(serve: Serve, database_name: str, model: type[CargoHold]) -> None:
    barrel, box = Barrel(name="a", litres=5, inner=[Cask(wood="oak")]), KeyedCase(key="k", seal="s")
    hold = model(first=barrel, loads=[barrel], boxes=[box], mapped={"a": barrel}, anything=box, things=[barrel]).save()
    client, place, told = serve(_routes(model)), f"/hold/{hold.pk}/", []

    def after(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields)

    with post_update_instance.connected_to(after, model):
        shown = (await client.get(place)).json()
        for verb in ("PUT", "PATCH"):
            answer = await client.request(verb, place, json=shown)
            assert (answer.status_code, answer.json()) == (200, shown)
    assert told == [{}, {}]


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
@MODELS
async def test_an_update_of_the_parent_changes_fields_of_the_stored_subclass(
    serve: Serve, database_name: str, model: type[CargoHold], verb: str
) -> None:
    hold = model(
        first=Cask(wood="oak", litres=1), boxes=[KeyedBox(key="a"), KeyedCase(key="b", seal="s", name="n")]
    ).save()
    sent = {"first": {"wood": "elm"}, "boxes": [{"key": "b", "seal": "t"}, {"key": "a"}]}
    answer = await serve(_routes(model)).request(verb, f"/hold/{hold.pk}/", json=sent)
    stored = model.objects.get()
    assert (answer.status_code, stored.first.wood, stored.first.litres) == (200, "elm", 1)
    assert [(type(each), each.key) for each in stored.boxes] == [(KeyedCase, "b"), (KeyedBox, "a")]
    assert (stored.boxes[0].seal, stored.boxes[0].name) == ("t", None)


async def test_an_entry_of_a_map_is_patched_by_the_fields_of_its_class(serve: Serve, database_name: str) -> None:
    hold = CargoHold(mapped={"a": Cask(wood="oak", litres=1)}).save()
    answer = await serve(_routes()).patch(f"/hold/{hold.pk}/", json={"mapped": {"a": {"litres": 2}}})
    entry = CargoHold.objects.get().mapped["a"]
    assert (answer.status_code, entry.wood, entry.litres) == (200, "oak", 2)


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ({"first": {"@type": "Load"}}, "first.@type"),
        ({"boxes": [{"@type": "KeyedBox", "key": "k"}]}, "boxes.0.@type"),
        ({"mapped": {"a": {"@type": "Cask", "wood": "oak"}}}, "mapped.a.@type"),
        ({"@type": "CargoHold.SavedCargoHold"}, "@type"),
    ],
)
async def test_the_type_of_what_is_stored_cannot_change(
    serve: Serve, database_name: str, sent: dict[str, Any], where: str, verb: str
) -> None:
    barrel = Barrel(litres=5)
    hold = CargoHold(first=barrel, boxes=[KeyedCase(key="k", seal="s")], mapped={"a": barrel}).save()
    answer = await serve(_routes()).request(verb, f"/hold/{hold.pk}/", json=sent)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [where])
    assert answer.json()["errors"][where][0].startswith("The type cannot change; this is: ")
    assert CargoHold.objects.get().first.litres == 5


async def test_the_own_type_in_an_update_changes_nothing(serve: Serve, database_name: str) -> None:
    hold = SavedCargoHold(label="a", first=Barrel(name="n")).save()
    sent = {"@type": "CargoHold.SavedCargoHold", "label": "b", "first": {"@type": "Barrel", "litres": 3}}
    answer = await serve(_routes()).put(f"/hold/{hold.pk}/", json=sent)
    stored = CargoHold.objects.get()
    assert (answer.status_code, stored.label, stored.first.name, stored.first.litres) == (200, "b", "n", 3)


async def test_a_field_of_a_subclass_needs_a_type_where_nothing_is_stored(serve: Serve, database_name: str) -> None:
    hold = CargoHold(boxes=[KeyedBox(key="a")]).save()
    client = serve(_routes())
    sent = {"first": {"seal": "s"}, "loads": [{"litres": 1}], "boxes": [{"key": "a", "seal": "s"}]}
    for answer in (await client.put(f"/hold/{hold.pk}/", json=sent), await client.post("/hold/", json=sent)):
        assert answer.status_code == 400
        assert answer.json()["errors"] == {
            "first.seal": ["Unknown field."],
            "loads.0.litres": ["Unknown field."],
            "boxes.0.seal": ["Unknown field."],
        }


async def test_items_without_ids_that_name_their_types_are_written_whole(serve: Serve, database_name: str) -> None:
    hold = CargoHold(loads=[Load(name="a"), Barrel(name="b", seal="s", litres=1)]).save()
    sent = [{"@type": "Barrel", "name": "c", "litres": 2}, {"@type": "Barrel", "name": "b"}]
    answer = await serve(_routes()).put(f"/hold/{hold.pk}/", json={"loads": sent})
    loads = CargoHold.objects.get().loads
    assert answer.status_code == 200
    assert [(type(each), each.name, each.litres, each.seal) for each in loads] == [
        (Barrel, "c", 2, None), (Barrel, "b", None, None),
    ]  # fmt: skip


async def test_typed_items_are_written_whole_at_every_depth(serve: Serve, database_name: str) -> None:
    hold = CargoHold(loads=[Barrel(inner=[Barrel(litres=1)])], rows=[[Load(name="a"), Barrel(litres=1)]]).save()
    inner = [{"@type": "Load", "name": "b"}, {"@type": "Cask", "wood": "oak"}]
    sent = {"loads": [{"@type": "Barrel", "inner": inner}], "rows": [inner[::-1]]}
    answer = await serve(_routes()).put(f"/hold/{hold.pk}/", json=sent)
    stored = CargoHold.objects.get()
    assert answer.status_code == 200
    assert [type(each) for each in stored.loads[0].inner] == [Load, Cask]
    assert [type(each) for each in stored.rows[0]] == [Cask, Load]


async def test_a_list_of_subclasses_without_ids_can_be_emptied(serve: Serve, database_name: str) -> None:
    hold = CargoHold(loads=[Barrel(name="b")]).save()
    answer = await serve(_routes()).put(f"/hold/{hold.pk}/", json={"loads": []})
    assert (answer.status_code, CargoHold.objects.get().loads) == (200, [])


async def test_items_without_ids_and_types_are_not_written_over_subclasses(serve: Serve, database_name: str) -> None:
    hold = CargoHold(loads=[Load(name="a"), Barrel(name="b", seal="s")]).save()
    answer = await serve(_routes()).put(f"/hold/{hold.pk}/", json={"loads": [{"name": "b"}, {"name": "a"}]})
    assert (answer.status_code, "@type" in answer.json()["detail"], CargoHold.objects.get().loads[1].seal) == (
        409,
        True,
        "s",
    )


async def test_typed_items_without_ids_are_not_written_over_hidden_values(serve: Serve, database_name: str) -> None:
    hold = CargoHold(loads=[Barrel(inner=[Barrel(name="b", seal="s")])]).save()
    client = serve(_routes(hidden=["loads.seal"]))
    for loads in ([], [{"@type": "Load", "name": "c"}], [{"@type": "Barrel", "inner": [{"@type": "Load"}]}]):
        answer = await client.put(f"/hold/{hold.pk}/", json={"loads": loads})
        assert (answer.status_code, CargoHold.objects.get().loads[0].inner[0].seal) == (409, "s")


@pytest.mark.parametrize("sent", [{"litres": 901}, {"litres": "x"}, {"port": "nowhere"}, {"inner": [{"_cls": "Cask"}]}])
@EVERYWHERE
async def test_what_the_named_class_refuses_is_named(
    serve: Serve, database_name: str, field: str, sent: dict[str, Any]
) -> None:
    answer = await serve(_routes()).post("/hold/", json=_sent(field, {"@type": "Barrel", **sent}))
    (where,) = answer.json()["errors"]
    assert (answer.status_code, where.startswith(field), next(iter(sent)) in where) == (400, True, True)


async def test_what_the_named_class_requires_is_named(serve: Serve, database_name: str) -> None:
    answer = await serve(_routes()).post("/hold/", json={"first": {"@type": "Cask"}, "loads": [{"@type": "Cask"}]})
    assert (answer.status_code, sorted(answer.json()["errors"])) == (400, ["first.wood", "loads.0.wood"])


@pytest.mark.parametrize("sent", [{"first": {"port": "nowhere"}}, {"boxes": [], "mapped": {"a": {"port": "nowhere"}}}])
async def test_a_reference_of_a_stored_subclass_must_lead_somewhere(
    serve: Serve, database_name: str, sent: dict[str, Any]
) -> None:
    hold = CargoHold(first=Barrel(), mapped={"a": Barrel()}).save()
    answer = await serve(_routes()).put(f"/hold/{hold.pk}/", json=sent)
    assert (answer.status_code, list(answer.json()["errors"].values())) == (400, [["There is no such PortOfCall."]])


HIDES = ["first.seal", "loads.seal", "boxes.seal"]


@pytest.mark.parametrize("option", ["hidden", "read_only"])
@pytest.mark.parametrize("tagged", [True, False])
@EVERYWHERE
async def test_a_field_of_a_subclass_that_may_not_be_written_is_refused_everywhere(
    serve: Serve, database_name: str, field: str, option: str, tagged: bool
) -> None:
    barrel = Barrel(name="a", seal="old")
    stored = {"loads": [barrel], "things": [barrel], "mapped": {"a": barrel}}.get(field, barrel)
    hold = CargoHold(**{field: stored}).save()
    tag = {"@type": "Barrel"} if tagged or field in ("anything", "things") else {}
    client = serve(_routes(CargoHold, **{option: HIDES}))
    answer = await client.put(f"/hold/{hold.pk}/", json=_sent(field, {**tag, "seal": "new"}))
    assert (answer.status_code, "seal" in answer.text, _held(CargoHold.objects.get(), field).seal) == (400, True, "old")


async def test_a_hidden_field_stays_where_its_document_is_written(serve: Serve, database_name: str) -> None:
    hold = CargoHold(boxes=[KeyedCase(key="k", seal="s")], first=Barrel(seal="s")).save()
    sent = {"boxes": [{"@type": "KeyedCase", "key": "k", "name": "n"}], "first": {"@type": "Barrel", "litres": 2}}
    answer = await serve(_routes(hidden=HIDES)).put(f"/hold/{hold.pk}/", json=sent)
    stored = CargoHold.objects.get()
    assert (answer.status_code, stored.boxes[0].seal, stored.first.seal) == (200, "s", "s")


async def test_receivers_see_types_and_may_leave_some(serve: Serve, database_name: str) -> None:
    hold, seen = CargoHold().save(), []

    def before(sender: Any, handler: Any) -> None:
        seen.append(handler.data["first"]["@type"])
        handler.data["first"] = {"@type": "Cask", "wood": "oak"}

    with pre_update_instance.connected_to(before, CargoHold):
        answer = await serve(_routes()).put(f"/hold/{hold.pk}/", json={"first": {"@type": "Barrel"}})
    assert (answer.status_code, seen, CargoHold.objects.get().first.wood) == (200, ["Barrel"], "oak")


class Tackle(me.EmbeddedDocument):
    meta: ClassVar[dict[str, Any]] = {"abstract": True, "allow_inheritance": True}
    name = me.StringField()


class Hook(Tackle):
    size = me.IntField()


class Rig(me.Document):
    tackle = me.EmbeddedDocumentField(Tackle)
    spares = me.ListField(me.EmbeddedDocumentField(Tackle))


async def test_a_document_of_an_abstract_class_has_to_name_its_type(serve: Serve, database_name: str) -> None:
    client = serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", Rig)]))
    created = await client.post("/rig/", json={"tackle": {"@type": "Hook", "size": 3}})
    assert (created.status_code, Rig.objects.get().tackle.size) == (201, 3)
    place = created.headers["Location"]
    for answer in (
        await client.post("/rig/", json={"tackle": {"name": "a"}}),
        await client.post(f"{place}spares/", json={"name": "a"}),
        await client.post(f"{place}spares/", json={"@type": "Tackle", "name": "a"}),
    ):
        (told,) = answer.json()["errors"].values()
        assert (answer.status_code, told) == (400, ["Must be one of: Hook."])
    changed = await client.put(place, json={"tackle": {"size": 4}})
    assert (changed.status_code, changed.json()["tackle"]) == (200, {"name": None, "size": 4})


class Muddle(me.DynamicDocument):
    meta: ClassVar[dict[str, Any]] = INHERITING
    name = me.StringField()


class ClearMuddle(Muddle):
    depth = me.IntField()


class LooseMuddle(me.DynamicDocument):
    name = me.StringField()


async def test_the_type_of_a_dynamic_document_is_no_field(serve: Serve, database_name: str) -> None:
    client = serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", Muddle)]))
    created = await client.post("/muddle/", json={"@type": "Muddle.ClearMuddle", "depth": 3, "more": 1})
    assert (created.status_code, created.json()["more"], ClearMuddle.objects.get().depth) == (201, 1, 3)
    changed = await client.put(created.headers["Location"], json={"@type": "Muddle.ClearMuddle", "depth": 4})
    assert (changed.status_code, "@type" in changed.json(), ClearMuddle.objects.get().depth) == (200, False, 4)


async def test_a_dynamic_document_without_subclasses_may_hold_a_type_of_its_own(
    serve: Serve, database_name: str
) -> None:
    client = serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", LooseMuddle)]))
    created = await client.post("/loose_muddle/", json={"@type": "anything"})
    assert (created.status_code, created.json()["@type"]) == (201, "anything")
