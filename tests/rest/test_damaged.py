"""Links whose documents are gone, and list items that others stored wrongly: both can be mended, and block nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bson
import httpx
import mongoengine as me
import pytest

from bzz import signals
from tests.rest import raw
from tests.rest.conftest import Api


class Owner(me.Document):
    name = me.StringField(unique=True)

    @classmethod
    def get_id_field_name(cls) -> str:
        return "name"


class Keeper(me.Document):
    name = me.StringField()

    @staticmethod
    def get_instance_queryset(model: Any, queryset: Any, instance_id: str, handler: Any) -> Any:
        return queryset.filter(name__ne="unseen")


class Badge(me.EmbeddedDocument):
    key = me.StringField(primary_key=True)
    text = me.StringField(max_length=5)


class Notch(me.EmbeddedDocument):
    depth = me.IntField(min_value=0)


class Locker(me.Document):
    owner = me.ReferenceField(Owner)
    keeper = me.ReferenceField(Keeper)
    keepers = me.ListField(me.ReferenceField(Keeper))
    owners = me.ListField(me.ReferenceField(Owner))
    badges = me.ListField(me.EmbeddedDocumentField(Badge), max_length=9)
    more_badges = me.EmbeddedDocumentListField(Badge)
    any_badges = me.ListField(me.GenericEmbeddedDocumentField(choices=(Badge, Notch)))
    notches = me.EmbeddedDocumentListField(Notch)


def store(locker: Locker, **values: Any) -> None:
    Locker._get_collection().update_one({"_id": locker.id}, {"$set": values})


def url(locker: Locker) -> str:
    return f"/locker/{locker.id}/"


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api(Locker)


async def test_a_single_link_to_nothing_is_removed(client: httpx.AsyncClient) -> None:
    owner = Owner(name="ann").save()
    locker = Locker(owner=owner).save()
    owner.delete()
    told: list[Any] = []

    def keep(sender: type, instance: Any) -> None:
        told.append((sender, instance.id, instance.name))

    assert (await client.get(url(locker) + "owner/")).status_code == 404
    with signals.post_delete_instance.connected_to(keep, Owner):
        assert (await client.delete(url(locker) + "owner/")).status_code == 204
    assert "owner" not in raw(locker)
    assert told == [(Owner, owner.id, None)]


async def test_a_single_link_to_nothing_is_replaced(client: httpx.AsyncClient) -> None:
    gone, ann = Owner(name="gone").save(), Owner(name="ann").save()
    locker = Locker(owner=gone).save()
    gone.delete()
    answer = await client.post(url(locker) + "owner/", json={"owner": str(ann.id)})
    assert answer.status_code == 200, answer.text
    assert raw(locker)["owner"] == ann.id


async def test_a_single_link_to_something_is_not_replaced(client: httpx.AsyncClient) -> None:
    bea, ann = Owner(name="bea").save(), Owner(name="ann").save()
    locker = Locker(owner=bea).save()
    assert (await client.post(url(locker) + "owner/", json={"owner": str(ann.id)})).status_code == 409
    assert raw(locker)["owner"] == bea.id


@pytest.mark.parametrize("field", ["owners", "keepers"])
async def test_a_link_to_nothing_is_removed_from_a_list_by_its_primary_key(
    client: httpx.AsyncClient, field: str
) -> None:
    model: Any = Owner if field == "owners" else Keeper
    gone, ann = model(name="gone").save(), model(name="ann").save()
    locker = Locker(**{field: [gone, ann]}).save()
    gone.delete()
    assert (await client.delete(f"{url(locker)}{field}/{gone.id}/")).status_code == 204
    assert raw(locker)[field] == [ann.id]


async def test_a_link_to_what_the_client_may_not_see_stays(client: httpx.AsyncClient) -> None:
    unseen, ann = Keeper(name="unseen").save(), Keeper(name="ann").save()
    locker = Locker(keeper=unseen, keepers=[unseen]).save()
    before = raw(locker)
    answers = [
        await client.delete(url(locker) + "keeper/"),
        await client.delete(f"{url(locker)}keepers/{unseen.id}/"),
        await client.post(url(locker) + "keeper/", json={"keeper": str(ann.id)}),
    ]
    assert [each.status_code for each in answers] == [404, 404, 409]
    assert raw(locker) == before


async def test_a_link_that_is_not_there_is_not_removed(client: httpx.AsyncClient) -> None:
    ann = Keeper(name="ann").save()
    locker = Locker(keepers=[ann]).save()
    assert (await client.delete(f"{url(locker)}keepers/{bson.ObjectId()}/")).status_code == 404
    assert (await client.delete(url(locker) + "keeper/")).status_code == 404


BAD: list[Any] = [
    None,
    "text",
    5,
    [],
    {},
    {"text": "no id"},
    {"_id": None},
    {"_cls": "Nobody", "_id": "x"},
    {"_id": "y", "text": 7},
]


@pytest.fixture
def listening() -> Iterator[None]:
    """Receivers that look at nothing: for them, instances are built."""

    def receiver(sender: type, instance: Any) -> None:
        """Hear of an instance."""

    with signals.post_update_instance.connected_to(receiver), signals.post_get_instance.connected_to(receiver):
        yield


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("bad", BAD, ids=repr)
@pytest.mark.parametrize("field", ["badges", "more_badges"])
async def test_a_bad_item_does_not_block_its_neighbours(client: httpx.AsyncClient, field: str, bad: Any) -> None:
    locker = Locker().save()
    store(locker, **{field: [bad, {"_id": "a"}, {"_id": "b"}]})
    at = f"{url(locker)}{field}/"
    answers = {
        "GET": await client.get(url(locker)),
        "LIST": await client.get(at),
        "ITEM": await client.get(at + "a/"),
        "PUT": await client.put(at + "a/", json={"text": "new"}),
        "DELETE": await client.delete(at + "b/"),
        "OTHER": await client.put(url(locker), json={"notches": []}),
        "POST": await client.post(at, json={"key": "c"}),
    }
    told = {name: each.text for name, each in answers.items() if each.status_code not in (200, 201, 204)}
    assert told == {}
    assert raw(locker)[field] == [bad, {"_id": "a", "text": "new"}, {"_id": "c"}]


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("bad", BAD, ids=repr)
async def test_a_bad_item_of_a_generic_list_is_shown_as_far_as_it_is_known(client: httpx.AsyncClient, bad: Any) -> None:
    locker = Locker().save()
    store(locker, any_badges=[bad, {"_cls": "Badge", "_id": "a"}])
    shown = await client.get(url(locker))
    assert shown.status_code == 200
    assert shown.json()["any_badges"] == [None if isinstance(bad, dict) else bad, ANN]
    assert (await client.put(url(locker), json={"notches": []})).status_code == 200


ANN = {"@type": "Badge", "key": "a", "text": None}


@pytest.mark.parametrize("bad", [None, "text", 5], ids=repr)
async def test_a_bad_item_does_not_block_positions(client: httpx.AsyncClient, bad: Any) -> None:
    locker = Locker().save()
    store(locker, notches=[bad, {"depth": 1}, {"depth": 2}])
    assert (await client.put(url(locker) + "notches/1/", json={"depth": 5})).status_code == 200
    assert (await client.delete(url(locker) + "notches/2/")).status_code == 204
    assert raw(locker)["notches"] == [bad, {"depth": 5}]
    assert (await client.get(url(locker) + "notches/0/")).status_code == 404


async def test_what_the_model_refuses_is_refused_beside_a_bad_item(client: httpx.AsyncClient) -> None:
    locker = Locker().save()
    store(locker, badges=[None, {"_id": "a"}])
    long = await client.put(url(locker) + "badges/a/", json={"text": "longer"})
    for key in "bcdefgh":
        assert (await client.post(url(locker) + "badges/", json={"key": key})).status_code == 201
    many = await client.post(url(locker) + "badges/", json={"key": "i"})
    assert [long.status_code, many.status_code] == [400, 400]
    assert list(long.json()["errors"]) == ["text"]
    for answer in (long, many):
        assert "NoneType" not in answer.text
        assert "_instance" not in answer.text


async def test_a_list_of_links_that_holds_null_shows_and_changes_its_others(client: httpx.AsyncClient) -> None:
    ann, bea = Keeper(name="ann").save(), Keeper(name="bea").save()
    locker = Locker(keepers=[ann]).save()
    store(locker, keepers=[None, ann.id])
    assert len((await client.get(url(locker) + "keepers/")).json()) == 1
    assert (await client.post(url(locker) + "keepers/", json={"keepers": [str(bea.id)]})).status_code == 200
    assert (await client.delete(f"{url(locker)}keepers/{ann.id}/")).status_code == 204
    assert raw(locker)["keepers"] == [None, bea.id]


# -- values that their own field classes cannot convert


class DamagedAddress(me.EmbeddedDocument):
    city = me.StringField()

    def to_dict(self) -> dict[str, Any]:
        return {"city": self.city}


class DamagedPlain(me.Document):
    blob = me.BinaryField()
    at = me.ComplexDateTimeField()
    n = me.IntField()
    address = me.EmbeddedDocumentField(DamagedAddress)
    state = me.StringField(choices=["a"])


class DamagedShelf(me.Document):
    name = me.StringField()
    by_name = me.MapField(me.EmbeddedDocumentField(DamagedAddress))
    listed = me.EmbeddedDocumentListField(DamagedAddress)
    single = me.EmbeddedDocumentField(DamagedAddress, default=DamagedAddress)


class DamagedSaved(me.Document):
    blob = me.BinaryField()
    at = me.ComplexDateTimeField()
    n = me.IntField()

    def clean(self) -> None:
        """Make MongoEngine save the class."""


BROKEN = [("blob", "text"), ("at", "broken")]


@pytest.mark.parametrize(("name", "value"), BROKEN)
async def test_what_others_have_stored_is_shown_as_it_is(alone: Api, name: str, value: str) -> None:
    client = alone(DamagedPlain)
    key = DamagedPlain._get_collection().insert_one({name: value, "address": {"city": "Rio"}}).inserted_id
    assert (await client.get(f"/damaged_plain/{key}/")).json()[name] == value
    assert [each[name] for each in (await client.get("/damaged_plain/")).json()] == [value]


@pytest.mark.parametrize(("name", "value"), BROKEN)
async def test_where_mongoengine_saves_it_a_write_names_it(alone: Api, name: str, value: str) -> None:
    client = alone(DamagedSaved)
    key = DamagedSaved._get_collection().insert_one({name: value}).inserted_id
    answer = await client.put(f"/damaged_saved/{key}/", json={"n": 1})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


@pytest.mark.parametrize(
    "stored",
    [{}, {"by_name": {}, "listed": []}, {"by_name": {"a": {"city": "Rio"}}, "listed": [{"city": "Rio"}]}],
    ids=["unset", "empty", "set"],
)
async def test_what_is_not_stored_is_null_where_embedded_documents_have_a_to_dict(
    alone: Api, stored: dict[str, Any]
) -> None:
    client = alone(DamagedShelf)
    key = DamagedShelf._get_collection().insert_one({"name": "a", **stored}).inserted_id
    shown = (await client.get(f"/damaged_shelf/{key}/")).json()
    unset = {"by_name": None, "listed": None, "single": None}
    assert shown == {"id": str(key), "name": "a", **unset, **stored}
