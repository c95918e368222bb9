"""A hidden field is answered, its name apart, byte for byte as one that does not exist."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, ClassVar

import httpx
import mongoengine as me
import pytest

import bzz
from tests.conftest import Driver, Serve

OWN = ("date", "x-request-id")  # the headers that differ from answer to answer
HIDDEN, NOWHERE = "secret", "absent"  # of one length, for Content-Length tells


class Room(me.EmbeddedDocument):
    name = me.StringField()
    secret = me.StringField(required=True, default="s3cret")


class Guest(me.Document):
    name = me.StringField(unique=True, sparse=True)
    secret = me.StringField(default="s3cret")
    room = me.EmbeddedDocumentField(Room)
    rooms = me.ListField(me.EmbeddedDocumentField(Room))
    friend = me.ReferenceField("Guest")
    friends = me.ListField(me.ReferenceField("Guest"))


class House(me.Document):
    meta: ClassVar[dict[str, Any]] = {"ordering": ["-secret", "name"]}
    name = me.StringField()
    secret = me.StringField(default="s3cret")
    guests = me.ListField(me.ReferenceField(Guest))


OPERATORS = [
    "eq",
    "ne",
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "nin",
    "exists",
    "contains",
    "icontains",
    "startswith",
    "istartswith",
    "endswith",
    "iendswith",
    "regex",
    "size",
    "type",
]
PATHS = ["{}", "room.{}", "rooms.{}", "friend.{}", "{}.x", "room.{}.x"]


def queries() -> Iterator[str]:
    for path, operator in itertools.product(PATHS, ["", *(f"__{each}" for each in OPERATORS)]):
        yield f"{path}{operator}=s3cret"
    for path in PATHS:
        yield f"sort={path}"
        yield f"sort=-{path}"
        yield f"fields={path}"
        yield f"fields=name,{path}"
        yield f"{path}="
        yield f"{path}[]=1"


def bodies() -> Iterator[Any]:
    for value in ("x", None, 1, {"$ne": ""}, ["x"]):
        yield {"{}": value}
        yield {"name": "new", "{}": value}
        yield {"room": {"{}": value}}
        yield {"rooms": [{"name": "x", "{}": value}]}


def named(template: Any, name: str) -> Any:
    if isinstance(template, dict):
        return {named(key, name): named(value, name) for key, value in template.items()}
    if isinstance(template, list):
        return [named(each, name) for each in template]
    return template.replace("{}", name) if isinstance(template, str) else template


def seen(answer: httpx.Response, name: str) -> tuple[int, list[tuple[str, str]], str]:
    headers = [(key, value.replace(name, "NAME")) for key, value in answer.headers.items() if key not in OWN]
    return answer.status_code, sorted(headers), answer.text.replace(name, "NAME")


async def assert_alike(client: httpx.AsyncClient, method: str, url: str, body: Any = None, form: Any = None) -> None:
    answers = []
    for name in (HIDDEN, NOWHERE):
        sent = {"json": named(body, name)} if body is not None else {"data": named(form, name)} if form else {}
        answers.append(seen(await client.request(method, named(url, name), **sent), name))
    assert answers[0] == answers[1]
    assert 400 <= answers[0][0] < 500, url


@pytest.fixture
async def house(database_name: str, serve: Serve) -> tuple[httpx.AsyncClient, str, str]:
    """A client, the URL of a house, and that of the guest in it."""
    routes = [
        bzz.ModelHive.routes_for("mongoengine", House, hidden=["secret", "guests.secret", HERE]),
        bzz.ModelHive.routes_for("mongoengine", Guest, hidden=["secret", "room.secret"]),
    ]
    client = serve(bzz.flatten(routes))
    room = {"name": "blue"}
    guest = (await client.post("/guest/", json={"name": "Ann", "room": room, "rooms": [room]})).headers["X-Created-Id"]
    linked = {"friend": guest, "friends": [guest]}
    await client.put(f"/guest/{guest}/", json=linked)
    home = (await client.post("/house/", json={"name": "Red", "guests": [guest]})).headers["Location"]
    return client, home, f"/guest/{guest}/"


HERE = "guests.room.secret"


async def test_filters_sort_and_fields(house: tuple[httpx.AsyncClient, str, str]) -> None:
    client, home, guest = house
    lists = ("/guest/", home + "guests/", guest + "friends/", guest + "rooms/")
    for url, query in itertools.product(lists, queries()):
        await assert_alike(client, "GET", f"{url}?{query}")
    for url, path in itertools.product((guest, guest + "room/", guest + "friend/", home + guest[1:]), PATHS):
        await assert_alike(client, "GET", f"{url}?fields={path}")


async def test_bodies(house: tuple[httpx.AsyncClient, str, str]) -> None:
    client, _, guest = house
    for body, method in itertools.product(bodies(), ("PUT", "PATCH")):
        await assert_alike(client, method, guest, body)
        await assert_alike(client, method, guest + "friend/", body)
    for body in bodies():
        await assert_alike(client, "POST", "/guest/", body)
    for name in ("{}", "{}[]", "{}.x", "room.{}", "rooms[].{}"):
        await assert_alike(client, "PUT", guest, form={name: "x"})
    for field in ("room", "rooms/0", "friend/room"):
        await assert_alike(client, "PUT", f"{guest}{field}/", {"{}": "x"})
    await assert_alike(client, "POST", guest + "rooms/", {"{}": "x"})
    await assert_alike(client, "POST", guest + "friends/", {"{}": "x"})
    await assert_alike(client, "POST", guest + "friends/", {"friends": [], "{}": ["x"]})


async def test_paths(house: tuple[httpx.AsyncClient, str, str]) -> None:
    client, home, guest = house
    for method, url in itertools.product(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"), (home, guest)):
        await assert_alike(client, method, url + "{}/")
        await assert_alike(client, method, url + "room/{}/")
        await assert_alike(client, method, url + "{}/x/")


async def test_nothing_shown_holds_it(house: tuple[httpx.AsyncClient, str, str]) -> None:
    client, home, guest = house
    for url in ("/house/", home, home + "guests/", guest, guest + "room/", guest + "rooms/", guest + "friends/"):
        answer = await client.get(url, headers={"Prefer": "count=exact"})
        assert answer.status_code == 200
        assert "s3cret" not in answer.text + str(answer.headers)
        assert "secret" not in answer.text


async def test_a_changed_hidden_field_changes_no_entity_tag(house: tuple[httpx.AsyncClient, str, str]) -> None:
    """What a client cannot see is no news to it, and no reason for a write of its own to fail."""
    client, _, guest = house
    before = (await client.get(guest)).headers["ETag"]
    Guest.objects.update(secret="other", room__secret="other")
    assert (await client.get(guest)).headers["ETag"] == before
    assert (await client.put(guest, json={"name": "Eve"}, headers={"If-Match": before})).status_code == 200


async def test_the_order_that_a_hidden_field_gives_is_not_used(house: tuple[httpx.AsyncClient, str, str]) -> None:
    client, _, _ = house
    House.drop_collection()
    for name, secret in (("b", "1"), ("a", "2"), ("c", "3")):
        House(name=name, secret=secret).save()
    first = await client.get("/house/?per_page=2")
    assert [each["name"] for each in first.json()] == ["a", "b"]
    rest = await client.get(first.links["next"]["url"])
    assert [each["name"] for each in rest.json()] == ["c"]


class Card(me.Document):
    secret = me.StringField(unique=True, default="taken")
    room = me.EmbeddedDocumentField(Room)


class Signed(me.Document):
    """Its ``clean`` has MongoEngine validate everything, hidden fields included."""

    name = me.StringField()
    room = me.EmbeddedDocumentField(Room)
    rooms = me.ListField(me.EmbeddedDocumentField(Room))

    def clean(self) -> None:
        """Nothing of its own."""


async def test_a_taken_hidden_value_is_not_named(driver: Driver, serve: Serve) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", Card, database=driver(), hidden=["secret"]))
    assert (await client.post("/card/", json={})).status_code == 201
    answer = await client.post("/card/", json={})
    assert (answer.status_code, "secret" in answer.text) == (409, False)


@pytest.mark.parametrize("model", [Signed, Guest])
async def test_an_invalid_hidden_value_of_what_is_stored_is_not_named(model: Any, driver: Driver, serve: Serve) -> None:
    name = model.__name__.lower()
    hidden = ["room.secret", *(["secret"] if model is Guest else [])]
    client = serve(bzz.ModelHive.routes_for("mongoengine", model, database=driver(), hidden=hidden))
    url = (await client.post(f"/{name}/", json={"room": {"name": "x"}, "rooms": [{"name": "x"}]})).headers["Location"]
    await driver()[name].update_many({}, {"$unset": {"room.secret": 1}, "$set": {"rooms.0.secret": 5}})
    for method, path, body in (
        ("PUT", "", {"room": {"name": "y"}}),
        ("PUT", "room/", {"name": "y"}),
        ("PUT", "rooms/0/", {"name": "y"}),
        ("POST", "rooms/", {"name": "z"}),
        ("PUT", "", {"name": "y"}),
    ):
        answer = await client.request(method, url + path, json=body)
        assert answer.status_code < 500
        assert "secret" not in answer.text


class Pet(me.Document):
    meta: ClassVar[dict[str, Any]] = {"allow_inheritance": True}
    secret = me.StringField()
    friends = me.ListField(me.ReferenceField("Pet"))


class Cat(Pet):
    pass


async def test_what_one_class_inherits_hidden_is_hidden_where_its_base_leads(driver: Driver, serve: Serve) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", Cat, database=driver(), hidden=["secret"]))
    other = (await client.post("/cat/", json={})).headers["X-Created-Id"]
    url = (await client.post("/cat/", json={"friends": [other]})).headers["Location"]
    await assert_alike(client, "GET", url + "friends/?{}=x")
    assert "secret" not in (await client.get(url + "friends/")).text
