"""Paths, filters and ``fields=`` that lead through fields which only subclasses declare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import mongoengine as me
import pytest

import bzz
from bzz.signals import post_create_instance, post_delete_instance
from tests.conftest import Serve

INHERITING: dict[str, Any] = {"allow_inheritance": True}


class PetOwner(me.Document):
    name = me.StringField()
    pin = me.StringField()


class NamedKeeper(me.Document):
    slug = me.StringField(unique=True)

    @classmethod
    def get_id_field_name(cls) -> str:
        return "slug"


class Collar(me.EmbeddedDocument):
    meta: ClassVar[dict[str, Any]] = INHERITING
    colour = me.StringField()


class StuddedCollar(Collar):
    studs = me.IntField()
    maker = me.ReferenceField(PetOwner)
    tags = me.ListField(me.EmbeddedDocumentField(Collar))


class KeptPet(me.Document):
    meta: ClassVar[dict[str, Any]] = INHERITING
    name = me.StringField()
    collar = me.EmbeddedDocumentField(Collar)


class Houndlike(KeptPet):
    owner = me.ReferenceField(PetOwner)
    walkers = me.ListField(me.ReferenceField(PetOwner))
    namer = me.ReferenceField(NamedKeeper)
    collars = me.ListField(me.EmbeddedDocumentField(Collar))
    home = me.EmbeddedDocumentField(Collar)
    bed = me.EmbeddedDocumentField(Collar)


class Whippet(Houndlike):
    speed = me.IntField()


class Tomcat(KeptPet):
    owner = me.ReferenceField(PetOwner)
    bed = me.EmbeddedDocumentField(StuddedCollar)


class SavedHound(Houndlike):
    def clean(self) -> None:
        """Nothing of its own."""


def _routes(model: type = KeptPet, **options: Any) -> Sequence[Any]:
    return bzz.flatten([bzz.ModelHive.routes_for("mongoengine", model, **options)])


HOUNDS = pytest.mark.parametrize("model", [Houndlike, Whippet, SavedHound])


@HOUNDS
async def test_a_path_leads_through_a_reference_of_a_subclass(
    serve: Serve, database_name: str, model: type[Houndlike]
) -> None:
    ann = PetOwner(name="Ann").save()
    hound = model(owner=ann, walkers=[ann]).save()
    client = serve(_routes())
    for where in ("owner/", f"owner/{ann.pk}/", f"walkers/{ann.pk}/"):
        answer = await client.get(f"/kept_pet/{hound.pk}/{where}")
        assert (answer.status_code, answer.json()["name"]) == (200, "Ann")
    changed = await client.put(f"/kept_pet/{hound.pk}/owner/", json={"name": "Bea"})
    assert (changed.status_code, PetOwner.objects.get().name) == (200, "Bea")
    assert [each["name"] for each in (await client.get(f"/kept_pet/{hound.pk}/walkers/")).json()] == ["Bea"]


@HOUNDS
async def test_references_of_a_subclass_are_linked_and_unlinked(
    serve: Serve, database_name: str, model: type[Houndlike]
) -> None:
    ann, hound, client = PetOwner(name="Ann").save(), model().save(), serve(_routes())
    for name, sent in (("owner", str(ann.pk)), ("walkers", [str(ann.pk)])):
        linked = await client.post(f"/kept_pet/{hound.pk}/{name}/", json={name: sent})
        assert (linked.status_code, linked.json()) == (200, {name: sent})
    stored = model.objects.get()
    assert (stored.owner, stored.walkers) == (ann, [ann])
    for where in ("owner/", f"walkers/{ann.pk}/"):
        assert (await client.delete(f"/kept_pet/{hound.pk}/{where}")).status_code == 204
    stored = model.objects.get()
    assert (stored.owner, stored.walkers) == (None, [])


@HOUNDS
async def test_embedded_documents_of_a_subclass_are_written_at_their_own_paths(
    serve: Serve, database_name: str, model: type[Houndlike]
) -> None:
    hound, client = model().save(), serve(_routes())
    for where, sent in (
        ("collars/", {"colour": "red"}),
        ("home/", {"@type": "StuddedCollar", "studs": 3}),
        ("collars/", {"@type": "StuddedCollar", "studs": 4}),
        ("collars/1/tags/", {"@type": "StuddedCollar", "studs": 5}),
    ):
        created = await client.post(f"/kept_pet/{hound.pk}/{where}", json=sent)
        assert created.status_code == 201
        assert (await client.get(created.headers["Location"])).json() == created.json()
    changed = await client.put(f"/kept_pet/{hound.pk}/collars/1/tags/0/", json={"studs": 6})
    stored = model.objects.get()
    assert (changed.status_code, stored.home.studs, stored.collars[1].tags[0].studs) == (200, 3, 6)
    assert (await client.delete(f"/kept_pet/{hound.pk}/collars/0/")).status_code == 204
    assert [each.studs for each in model.objects.get().collars] == [4]


async def test_a_path_leads_through_a_reference_of_an_embedded_subclass(serve: Serve, database_name: str) -> None:
    hound = Houndlike(collars=[StuddedCollar(maker=PetOwner(name="Ann").save())]).save()
    client = serve(_routes())
    assert (await client.get(f"/kept_pet/{hound.pk}/collars/0/maker/")).json()["name"] == "Ann"


PATHS = ["owner/", "walkers/", "walkers/{}/", "collars/", "collars/0/", "home/"]


@pytest.mark.parametrize("where", PATHS)
@pytest.mark.parametrize("verb", ["GET", "PUT", "POST", "DELETE"])
async def test_nothing_is_there_for_a_document_of_another_class(
    serve: Serve, database_name: str, where: str, verb: str
) -> None:
    ann = PetOwner(name="Ann").save()
    pet = KeptPet(name="a").save()
    name = where.partition("/")[0]
    links: dict[str, Any] = {"owner": {"owner": str(ann.pk)}, "walkers": {"walkers": [str(ann.pk)]}}
    sent = links.get(name, {"colour": "red"})
    changed = {"name": "x"} if name in links else sent
    place = f"/kept_pet/{pet.pk}/{where.format(ann.pk)}"
    answer = await serve(_routes()).request(verb, place, json=changed if verb == "PUT" else sent)
    assert answer.status_code in (404, 405)
    if answer.status_code == 404:
        nothing = f"There is nothing at 'kept_pet/{pet.pk}/"
        assert answer.json()["detail"] == "There is nothing at this address." or nothing in answer.json()["detail"]
    assert set(KeptPet._get_collection().find_one()) == {"_id", "_cls", "name"}


async def test_a_reference_of_a_subclass_that_leads_nowhere_is_not_linked(serve: Serve, database_name: str) -> None:
    hound = Houndlike().save()
    answer = await serve(_routes()).post(f"/kept_pet/{hound.pk}/owner/", json={"owner": "0" * 24})
    assert (answer.status_code, Houndlike.objects.get().owner) == (400, None)


async def test_public_ids_are_used_in_references_of_a_subclass(serve: Serve, database_name: str) -> None:
    ann = NamedKeeper(slug="ann").save()
    client = serve(_routes())
    created = await client.post("/kept_pet/", json={"@type": "KeptPet.Houndlike", "namer": "ann"})
    place = created.headers["Location"]
    assert (created.status_code, created.json()["namer"], Houndlike.objects.get().namer) == (201, "ann", ann)
    assert [each["namer"] for each in (await client.get("/kept_pet/?namer=ann")).json()] == ["ann"]
    bea = NamedKeeper(slug="bea").save()
    changed = await client.put(place, json={"namer": "bea"})
    assert (changed.status_code, changed.json()["namer"], Houndlike.objects.get().namer) == (200, "bea", bea)
    assert (await client.get(f"{place}namer/bea/")).json()["slug"] == "bea"
    assert (await client.delete(f"{place}namer/")).status_code == 204
    assert (await client.post(f"{place}namer/", json={"namer": "ann"})).json() == {"namer": "ann"}


class SentThing(me.EmbeddedDocument):
    meta: ClassVar[dict[str, Any]] = INHERITING
    name = me.StringField()


class SentCrate(SentThing):
    sender = me.ReferenceField(NamedKeeper)


class Carriage(me.Document):
    meta: ClassVar[dict[str, Any]] = INHERITING
    first = me.EmbeddedDocumentField(SentThing)
    crates = me.ListField(me.EmbeddedDocumentField(SentThing))


@pytest.mark.parametrize("field", ["first", "crates"])
async def test_public_ids_are_used_in_references_of_embedded_subclasses(
    serve: Serve, database_name: str, field: str
) -> None:
    def sent(**crate: str) -> dict[str, Any]:
        return {field: [crate] if field == "crates" else crate}

    ann = NamedKeeper(slug="ann").save()
    NamedKeeper(slug="bea").save()
    client = serve(_routes(Carriage))
    created = await client.post("/carriage/", json=sent(**{"@type": "SentCrate", "sender": "ann"}))
    assert (created.status_code, created.json()[field]) == (201, sent(name=None, sender="ann")[field])  # type: ignore[arg-type]
    held = Carriage.objects.get()[field]
    assert (held[0] if field == "crates" else held).sender == ann
    assert len((await client.get(f"/carriage/?{field}.sender=ann")).json()) == 1
    assert len((await client.get(f"/carriage/?{field}.sender=bea")).json()) == 0
    again = await client.put(created.headers["Location"], json=created.json())
    assert (again.status_code, again.json()) == (200, created.json())


@pytest.mark.parametrize("field", ["collar", "collars"])
async def test_receivers_hear_of_the_class_at_the_end_of_the_path(serve: Serve, database_name: str, field: str) -> None:
    hound, heard = Houndlike().save(), []

    def after(sender: Any, instance: Any, change: Any) -> None:
        heard.append((type(instance), change.kind))

    client, place = serve(_routes()), f"/kept_pet/{hound.pk}/{field}/"
    with post_create_instance.connected_to(after, Collar), post_delete_instance.connected_to(after, Collar):
        created = await client.post(place, json={"@type": "StuddedCollar", "studs": 1})
        await client.delete(created.headers["Location"])
    assert heard == [(StuddedCollar, "updated")] * 2


async def test_a_name_that_leads_to_different_classes_is_no_path_and_no_parameter(
    serve: Serve, database_name: str
) -> None:
    hound, tom = Houndlike(bed=Collar(colour="red")).save(), Tomcat(bed=StuddedCollar(studs=3)).save()
    client = serve([*_routes(), *_routes(Houndlike)])
    for where in (f"/kept_pet/{hound.pk}/bed/", f"/kept_pet/{tom.pk}/bed/"):
        assert (await client.get(where)).status_code == 404
    assert (await client.get("/kept_pet/?bed.colour=red")).status_code == 400
    assert (await client.get(f"/houndlike/{hound.pk}/bed/")).json() == {"colour": "red"}


# -- what is hidden


PIN = {"name": "Ann", "pin": "1234"}


@pytest.mark.parametrize(
    ("hidden", "where"),
    [
        ("owner.pin", "owner/"),
        ("walkers.pin", "walkers/{ann}/"),
        ("collars.maker.pin", "collars/0/maker/"),
        ("collar.maker.pin", "owner/"),
    ],
)
async def test_what_a_path_through_a_subclass_hides_is_hidden_there(
    serve: Serve, database_name: str, hidden: str, where: str
) -> None:
    ann = PetOwner(**PIN).save()
    hound = Houndlike(owner=ann, walkers=[ann], collars=[StuddedCollar(maker=ann)]).save()
    client = serve(_routes(hidden=[hidden]))
    place = f"/kept_pet/{hound.pk}/{where.format(ann=ann.pk)}"
    assert (await client.get(place)).json() == {"id": str(ann.pk), "name": "Ann"}
    refused = await client.put(f"/kept_pet/{hound.pk}/owner/", json={"pin": "0"})
    assert (refused.status_code, refused.json()["errors"]) == (400, {"pin": ["Unknown field."]})


@pytest.mark.parametrize(
    ("hidden", "where"), [("owner", "owner/"), ("walkers", "walkers/"), ("collars", "collars/"), ("home", "home/")]
)
async def test_a_hidden_field_of_a_subclass_is_no_path(
    serve: Serve, database_name: str, hidden: str, where: str
) -> None:
    ann = PetOwner(**PIN).save()
    collar = Collar(colour="red")
    hound = Houndlike(owner=ann, walkers=[ann], collars=[collar], home=collar).save()
    client = serve(_routes(hidden=[hidden]))
    for verb in ("GET", "POST", "OPTIONS"):
        places = (f"/kept_pet/{hound.pk}/{each}" for each in (where, "nothing/"))
        answer, unknown = [await client.request(verb, place, json={}) for place in places]
        assert (answer.status_code, answer.text) == (404, unknown.text)


async def test_a_read_only_field_of_a_subclass_is_a_path_that_only_shows(serve: Serve, database_name: str) -> None:
    hound = Houndlike(owner=PetOwner(**PIN).save(), collars=[Collar(colour="red")]).save()
    client = serve(_routes(read_only=["owner", "collars"]))
    for where in ("owner/", "collars/", "collars/0/"):
        answer = await client.options(f"/kept_pet/{hound.pk}/{where}")
        assert answer.headers["Allow"] == f"GET, HEAD, {'QUERY, ' if where == 'collars/' else ''}OPTIONS"
        assert (await client.delete(f"/kept_pet/{hound.pk}/{where}")).status_code == 405


# -- filters, fields and orders


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("collars.studs=3", ["a"]),
        ("collars.studs__gte=3", ["a", "b"]),
        ("collars[].studs=3&collars[].colour=red", ["a"]),
        ("collars[].studs=4&collars[].colour=red", []),
        ("collars.tags.studs=7", ["b"]),
        ("collars[].tags.studs=7&collars[].studs=4", ["b"]),
        ("collars[].tags[].studs=7", ["b"]),
        ("collar.studs=9", ["c"]),
        ("collar.studs__exists=true", ["c"]),
        ("collars__size=1", ["a", "b"]),
    ],
)
async def test_a_filter_reaches_fields_of_subclasses_at_every_depth(
    serve: Serve, database_name: str, query: str, names: list[str]
) -> None:
    Houndlike(name="a", collars=[StuddedCollar(studs=3, colour="red")]).save()
    Houndlike(name="b", collars=[StuddedCollar(studs=4, tags=[Collar(), StuddedCollar(studs=7)])]).save()
    KeptPet(name="c", collar=StuddedCollar(studs=9)).save()
    answer = await serve(_routes()).get(f"/kept_pet/?sort=name&{query}")
    assert (answer.status_code, [each["name"] for each in answer.json()]) == (200, names)


async def test_fields_of_subclasses_are_chosen_and_sorted_by_at_every_depth(serve: Serve, database_name: str) -> None:
    hound = Houndlike(name="b", collars=[StuddedCollar(studs=4, tags=[StuddedCollar(studs=7, colour="red")])]).save()
    KeptPet(name="c", collar=StuddedCollar(studs=9)).save()
    client = serve(_routes())
    chosen = (await client.get("/kept_pet/?sort=-collar.studs&fields=collars.tags.studs,collar.studs,name")).json()
    assert [each["name"] for each in chosen] == ["c", "b"]
    assert (chosen[0]["collar"], chosen[1]["collars"]) == ({"studs": 9}, [{"tags": [{"studs": 7}]}])
    one = await client.get(f"/kept_pet/{hound.pk}/?fields=collars.studs")
    assert one.json()["collars"] == [{"studs": 4}]


async def test_a_nested_list_of_a_subclass_pages_sorts_and_filters(serve: Serve, database_name: str) -> None:
    collars = [StuddedCollar(studs=each) for each in (3, 1, 2)]
    hound = Houndlike(collars=[*collars, Collar()]).save()
    client, place = serve(_routes()), f"/kept_pet/{hound.pk}/collars/"
    assert [each["studs"] for each in (await client.get(f"{place}?studs__gt=1&sort=-studs")).json()] == [3, 2]
    first = await client.get(f"{place}?sort=-studs&per_page=2&fields=studs")
    rest = await client.get(first.links["next"]["url"])
    assert (first.json(), rest.json()) == ([{"studs": 3}, {"studs": 2}], [{"studs": 1}, {}])


@pytest.mark.parametrize("query", ["collars.studs=3", "collars[].studs=3", "fields=collars.studs", "collar.studs=3"])
async def test_a_hidden_field_of_an_embedded_subclass_is_no_parameter(
    serve: Serve, database_name: str, query: str
) -> None:
    client = serve(_routes(hidden=["collars.studs"]))
    answer, unknown = (
        await client.get(f"/kept_pet/?{query}"),
        await client.get(f"/kept_pet/?{query.replace('studs', 'stubs')}"),
    )
    assert (answer.status_code, answer.text.replace("studs", "stubs")) == (400, unknown.text)


async def test_a_hidden_field_of_an_embedded_subclass_is_not_in_a_nested_list(serve: Serve, database_name: str) -> None:
    hound = Houndlike(collars=[StuddedCollar(studs=3)]).save()
    client = serve(_routes(hidden=["collars.studs"]))
    for where in ("", "collars/", "collars/0/"):
        assert "studs" not in (await client.get(f"/kept_pet/{hound.pk}/{where}")).text
    assert (await client.get(f"/kept_pet/{hound.pk}/collars/?studs=3")).status_code == 400
