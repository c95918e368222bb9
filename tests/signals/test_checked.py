"""What ``pre_`` receivers get has been checked for names, types and rules; what they leave is checked in full."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import pytest

from bzz import signals
from bzz.signals import Signal
from tests.rest import Sailor, Ship, raw
from tests.rest.conftest import Api
from tests.signals.conftest import Connect

CREATING, UPDATING = signals.pre_create_instance, signals.pre_update_instance


class Suite(me.EmbeddedDocument):
    label = me.StringField(required=True, max_length=5)
    beds = me.IntField(min_value=1)


def names_its_currency(prices: dict[str, Any]) -> None:
    if prices and "currency" not in prices:
        raise me.ValidationError("a currency is needed")


class Hotel(me.Document):
    name = me.StringField(required=True, max_length=10, regex="^[A-Z]")
    stars = me.IntField(min_value=1, max_value=5)
    kind = me.StringField(choices=("inn", "palace"))
    tags = me.ListField(me.StringField(max_length=3), max_length=2, required=True, default=lambda: ["new"])
    rooms = me.ListField(me.EmbeddedDocumentField(Suite), max_length=2)
    floors = me.MapField(me.IntField(max_value=9))
    prices = me.DictField(validation=names_its_currency)
    lobby = me.EmbeddedDocumentField(Suite)


@pytest.fixture
def told(connect: Connect) -> list[dict[str, Any]]:
    """What a receiver, which takes for granted that a name is text, found in the body."""
    found: list[dict[str, Any]] = []

    def listen(sender: Any, handler: Any) -> None:
        found.append(dict(handler.data))
        if handler.data.get("name"):
            handler.data["name"] = handler.data["name"].title()

    for signal in (CREATING, UPDATING):
        for model in (Hotel, Sailor, Suite):
            connect(signal, listen, sender=model)
    return found


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"name": 7}, "name"),
        ({"name": ["Ritz"]}, "name"),
        ({"stars": "5"}, "stars"),
        ({"nome": "Ritz"}, "nome"),
        ({"_cls": "Hotel"}, "_cls"),
        ({"name": "Ritz" * 3}, "name"),
        ({"name": "ritz"}, "name"),
        ({"stars": 6}, "stars"),
        ({"kind": "tent"}, "kind"),
        ({"tags": ["a", "b", "c"]}, "tags"),
        ({"tags": ["abcd"]}, "tags.0"),
        ({"rooms": [{}, {}, {}]}, "rooms"),
        ({"rooms": [{"label": "A"}, {"label": "A" * 6}]}, "rooms.1.label"),
        ({"floors": {"a": 10}}, "floors.a"),
        ({"lobby": {"beds": 0}}, "lobby.beds"),
    ],
)
async def test_no_receiver_gets_what_the_model_cannot_hold(
    alone: Api, told: list[Any], body: dict[str, Any], named: str
) -> None:
    client = alone(Hotel)
    place = (await client.post("/hotel/", json={"name": "Ritz"})).headers["Location"]
    told.clear()
    for verb, where in (("POST", "/hotel/"), ("PUT", place), ("PATCH", place)):
        answer = await client.request(verb, where, json=body)
        assert (verb, answer.status_code, list(answer.json()["errors"])) == (verb, 400, [named])
    assert told == []


async def test_a_forms_text_that_is_no_number_is_refused_before_too(alone: Api, told: list[Any]) -> None:
    client = alone(Hotel)
    assert (await client.post("/hotel/", data={"name": "Ritz", "stars": "five"})).status_code == 400
    assert told == []
    assert (await client.post("/hotel/", data={"name": "Ritz", "stars": "5"})).status_code == 201
    assert told == [{"name": "Ritz", "stars": 5}]


MISTAKES: dict[str, Any] = {
    "name": "ritz",
    "stars": "5",
    "nome": "x",
    "kind": "tent",
    "rooms": [{"label": "AAAAAA", "beds": "x", "view": 1}],
}


@pytest.mark.parametrize("with_receivers", [False, True])
@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH"])
async def test_one_answer_lists_everything_that_is_wrong_with_what_was_sent(
    alone: Api, request: pytest.FixtureRequest, verb: str, with_receivers: bool
) -> None:
    client = alone(Hotel)
    place = "/hotel/" if verb == "POST" else (await client.post("/hotel/", json={"name": "R"})).headers["Location"]
    if with_receivers:
        request.getfixturevalue("told")
    errors = (await client.request(verb, place, json=MISTAKES)).json()["errors"]
    assert set(errors) == {"name", "stars", "nome", "kind", "rooms.0.label", "rooms.0.beds", "rooms.0.view"}
    assert {name: len(messages) for name, messages in errors.items() if len(messages) > 1} == {}


@pytest.mark.parametrize(
    "body", [{}, {"name": None}, {"lobby": {}}, {"lobby": {"label": None}}, {"rooms": [{}]}, {"tags": []}]
)
async def test_a_receiver_may_fill_in_what_is_missing(alone: Api, connect: Connect, body: dict[str, Any]) -> None:
    def fill(sender: Any, handler: Any) -> None:
        handler.data["name"] = "Ritz"
        handler.data["tags"] = ["a"]
        for room in [handler.data.get("lobby"), *handler.data.get("rooms", [])]:
            if room is not None:
                room["label"] = "A"

    connect(CREATING, fill, sender=Hotel)
    answer = await alone(Hotel).post("/hotel/", json=body)
    assert (answer.status_code, answer.json().get("name")) == (201, "Ritz")


async def test_what_is_missing_is_told_after_the_receivers(alone: Api, told: list[Any]) -> None:
    answer = await alone(Hotel).post("/hotel/", json={"lobby": {"beds": 1}, "rooms": [{}]})
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"name", "lobby.label", "rooms.0.label"})
    assert len(told) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("name", 7), ("name", "ritz"), ("stars", 9), ("nome", 1), ("kind", "tent"), ("name", None)]
)
async def test_what_a_receiver_leaves_is_checked_in_full(alone: Api, connect: Connect, name: str, value: Any) -> None:
    def spoil(sender: Any, handler: Any) -> None:
        handler.data[name] = value

    connect(CREATING, spoil, sender=Hotel)
    answer = await alone(Hotel).post("/hotel/", json={"name": "Ritz"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


async def test_a_merge_patch_is_judged_as_it_is_merged(alone: Api, told: list[Any]) -> None:
    client = alone(Hotel)
    body = {"name": "Ritz", "prices": {"currency": "EUR", "a": 1}, "floors": {"a": 1, "b": 2}}
    place = (await client.post("/hotel/", json=body)).headers["Location"]
    patched = await client.patch(place, json={"prices": {"b": 2}, "floors": {"a": None}})
    assert (patched.json()["prices"], patched.json()["floors"]) == ({"currency": "EUR", "a": 1, "b": 2}, {"b": 2})
    assert (await client.patch(place, json={"prices": {"currency": None}})).status_code == 400


async def test_a_nested_body_is_checked_before_its_receivers(alone: Api, told: list[Any]) -> None:
    client = alone(Hotel)
    place = (await client.post("/hotel/", json={"name": "Ritz", "rooms": [{"label": "A"}]})).headers["Location"]
    told.clear()
    for verb, where in (("POST", "rooms/"), ("PUT", "rooms/0/"), ("PATCH", "rooms/0/"), ("POST", "lobby/")):
        answer = await client.request(verb, place + where, json={"label": "A" * 6, "beds": "1"})
        assert (verb, set(answer.json()["errors"])) == (verb, {"label", "beds"})
    assert told == []


@pytest.mark.parametrize("body", [{"crew": "x"}, {"crew": [1]}, {"crew": ["x"], "name": 1}, {"mates": []}])
async def test_the_ids_of_links_are_checked_before_their_receivers(
    alone: Api, told: list[Any], body: dict[str, Any]
) -> None:
    ship = Ship(name="Argo").save()
    answer = await alone(Ship).post(f"/ship/{ship.id}/crew/", json=body)
    assert (answer.status_code, told) == (400, [])


@pytest.mark.parametrize("body", [{}, {"crew": []}, {"crew": None}])
async def test_a_receiver_may_fill_in_what_is_linked(alone: Api, connect: Connect, body: dict[str, Any]) -> None:
    ship, ann = Ship(name="Argo").save(), Sailor(name="Ann").save()
    client, place = alone(Ship), f"/ship/{ship.id}/crew/"
    assert (await client.post(place, json=body)).status_code == 400

    def fill(sender: Any, handler: Any) -> None:
        handler.data["crew"] = [str(ann.id)]

    connect(CREATING, fill, sender=Sailor)
    assert (await client.post(place, json=body)).json() == {"crew": [str(ann.id)]}
    assert raw(ship)["cr"] == [ann.id]


@pytest.mark.parametrize("signal", [CREATING, UPDATING], ids=lambda signal: signal.name)
async def test_what_receivers_leave_of_links_is_checked_again(alone: Api, connect: Connect, signal: Signal) -> None:
    ship = Ship(name="Argo").save()

    def spoil(sender: Any, handler: Any) -> None:
        handler.data["captain"] = "nobody"

    connect(signal, spoil)
    client = alone(Ship)
    verb, where = ("POST", f"/ship/{ship.id}/captain/") if signal is CREATING else ("PUT", f"/ship/{ship.id}/")
    answer = await client.request(verb, where, json={})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["captain"])
