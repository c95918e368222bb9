"""Filters by references that name their models: by what JSON shows of them, the name and the id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import httpx
import mongoengine as me
import pytest

import bzz
from tests.conftest import Serve


class Painter(me.Document):
    name = me.StringField()


class Robotic(me.Document):
    serial = me.IntField(primary_key=True)


class Twin(me.Document):
    serial = me.IntField(primary_key=True)


class Patron(me.Document):
    slug = me.StringField(unique=True)
    number = me.IntField(primary_key=True)

    @classmethod
    def get_id_field_name(cls) -> str:
        return "slug"


class Maker(me.Document):
    meta: ClassVar[dict[str, Any]] = {"abstract": True}


class GuildMaker(Maker):
    code = me.StringField(primary_key=True)


class LoneMaker(Maker):
    code = me.StringField(primary_key=True)


class Plinth(me.EmbeddedDocument):
    donor = me.GenericReferenceField(choices=[Painter, Robotic])


class Statue(me.Document):
    name = me.StringField()
    by = me.GenericReferenceField(choices=[Painter, Robotic, Twin, Patron], db_field="b")
    helpers = me.ListField(me.GenericReferenceField(choices=[Painter, Robotic, Twin]))
    anyone = me.GenericReferenceField()
    maker = me.ReferenceField(Maker)
    plinth = me.EmbeddedDocumentField(Plinth)


def _routes(**options: Any) -> Sequence[Any]:
    return bzz.flatten([bzz.ModelHive.routes_for("mongoengine", Statue, **options)])


@pytest.fixture
def statues(serve: Serve, database_name: str) -> httpx.AsyncClient:
    """A client of the routes. They are made once for each test: an open reference reaches all models of all tests."""
    return serve(_routes())


async def _found(statues: httpx.AsyncClient, query: str) -> list[str]:
    answer = await statues.get(f"/statue/?sort=name&{query}")
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()]


@pytest.mark.parametrize("field", ["by", "helpers", "anyone", "plinth.donor"])
async def test_a_reference_is_found_by_its_name_and_its_id(statues: httpx.AsyncClient, field: str) -> None:
    ann, robot = Painter(name="Ann").save(), Robotic(serial=7).save()
    for name, target in (("a", ann), ("b", robot), ("c", None)):
        if field == "plinth.donor":
            values: dict[str, Any] = {"plinth": Plinth(donor=target)}
        else:
            values = {field: [target] * (target is not None) if field == "helpers" else target}
        Statue(name=name, **values).save()
    assert await _found(statues, f"{field}.@type=Painter") == ["a"]
    assert await _found(statues, f"{field}.id={ann.pk}") == ["a"]
    assert await _found(statues, f"{field}.@type=Robotic&{field}.id=7") == ["b"]
    assert await _found(statues, f"{field}.@type=Painter&{field}.id=7") == []
    assert await _found(statues, f"{field}.id__in={ann.pk},7") == ["a", "b"]
    assert await _found(statues, f"{field}.id={ann.pk}&{field}.id=7") == ["a", "b"]
    assert await _found(statues, f"{field}.id__ne=7") == ["a", "c"]
    assert await _found(statues, f"{field}.id__nin=7") == ["a", "c"]
    assert await _found(statues, f"{field}.@type__in=Painter,Robotic") == ["a", "b"]
    assert await _found(statues, f"{field}.@type__ne=Painter") == ["b", "c"]


async def test_what_bzz_wrote_is_found_by_what_it_shows(serve: Serve, database_name: str) -> None:
    Robotic(serial=7).save()
    client = serve(_routes())
    sent = {"by": {"@type": "Robotic", "id": 7}, "helpers": [{"@type": "Robotic", "id": 7}]}
    created = (await client.post("/statue/", json=sent)).json()
    for where, shown in (("by", created["by"]), ("helpers", created["helpers"][0])):
        query = "&".join(f"{where}.{name}={value}" for name, value in shown.items())
        assert [each["id"] for each in (await client.get(f"/statue/?{query}")).json()] == [created["id"]]


async def test_one_id_of_two_classes_finds_both_and_the_name_tells_them_apart(statues: httpx.AsyncClient) -> None:
    Statue(name="a", by=Robotic(serial=7).save()).save()
    Statue(name="b", by=Twin(serial=7).save()).save()
    assert await _found(statues, "by.id=7") == ["a", "b"]
    assert await _found(statues, "by.id=7&by.@type=Twin") == ["b"]


async def test_a_public_id_is_one_of_its_own_class_only(statues: httpx.AsyncClient) -> None:
    Statue(name="a", by=Patron(number=7, slug="ann").save()).save()
    Statue(name="b", by=Twin(serial=7).save()).save()
    assert await _found(statues, "by.id=ann") == ["a"]
    assert await _found(statues, "by.id__in=ann,7") == ["a", "b"]
    assert await _found(statues, "by.id__ne=ann") == ["b"]
    assert await _found(statues, "by.id=bea") == []


async def test_a_reference_to_an_abstract_class_is_found_by_its_name_and_its_id(statues: httpx.AsyncClient) -> None:
    Statue(name="a", maker=GuildMaker(code="x").save()).save()
    Statue(name="b", maker=LoneMaker(code="x").save()).save()
    assert await _found(statues, "maker.id=x") == ["a", "b"]
    assert await _found(statues, "maker.@type=LoneMaker") == ["b"]
    assert await _found(statues, "maker.id=x&maker.@type=GuildMaker") == ["a"]


async def test_members_of_a_reference_are_chosen_by_fields(serve: Serve, database_name: str) -> None:
    Statue(by=Robotic(serial=7).save()).save()
    answer = await serve(_routes()).get("/statue/?fields=by.id")
    assert [each["by"] for each in answer.json()] == [{"id": 7}]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("by.@type=Statue", "Must be one of: Painter, Robotic, Twin, Patron."),
        ("anyone.@type=nothing", "Must name a type that this field may hold."),
        ("helpers.id=x", "Must be a valid id."),
        ("by.id__gt=7", "Unknown parameter or field: 'by.id__gt'."),
        ("by.name=Ann", "Unknown parameter or field: 'by.name'."),
        ("by._cls=Painter", "Unknown parameter or field: 'by._cls'."),
        ("by.id.x=1", "Unknown parameter or field: 'by.id.x'."),
        ("by.@type.x=1", "Unknown parameter or field: 'by.@type.x'."),
        ("by=7", "Unknown parameter or field: 'by'."),
        ("sort=by.id", "Unknown parameter or field: 'by.id'."),
        ("sort=by.@type", "Unknown parameter or field: 'by.@type'."),
        ("name.id=7", "Unknown parameter or field: 'name.id'."),
    ],
)
async def test_what_a_reference_cannot_be_asked_is_a_400_that_says_why(
    serve: Serve, database_name: str, query: str, told: str
) -> None:
    answer = await serve(_routes()).get(f"/statue/?{query}")
    assert (answer.status_code, told in answer.json()["detail"]) == (400, True), answer.text


async def test_a_hidden_reference_is_no_parameter(serve: Serve, database_name: str) -> None:
    client = serve(_routes(hidden=["by"]))
    for query in ("by.id=7", "by.@type=Painter", "by.@type=nothing"):
        answer = await client.get(f"/statue/?{query}")
        assert (answer.status_code, "Unknown parameter" in answer.text) == (400, True)


async def test_an_index_of_the_reference_serves_its_id(statues: httpx.AsyncClient) -> None:
    collection = Statue._get_collection()
    collection.create_index("b")
    Statue(name="a", by=Robotic(serial=7).save()).save()
    seen: list[Any] = []
    database = collection.database
    database.command("profile", 2)
    assert await _found(statues, "by.id=7") == ["a"]
    database.command("profile", 0)
    for each in database["system.profile"].find({"op": "query", "ns": collection.full_name}):
        seen.append(each["planSummary"])
    assert any("IXSCAN { b: 1 }" in each for each in seen), seen


class Unservable(me.Document):
    file = me.FileField()


async def test_a_class_that_cannot_be_served_is_no_type_of_an_open_reference(serve: Serve, database_name: str) -> None:
    client = serve(_routes())
    for answer in (
        await client.get("/statue/?anyone.@type=Unservable"),
        await client.post("/statue/", json={"anyone": {"@type": "Unservable", "id": "0" * 24}}),
    ):
        assert (answer.status_code, "Must name a type that this field may hold." in answer.text) == (400, True)
