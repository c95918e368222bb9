"""A read-only value that a client sends back in an update: no change, whatever receivers do around it."""

from __future__ import annotations

from typing import Any

import httpx
import mongoengine as me
import pytest

from bzz import signals
from tests.rest import raw
from tests.rest.conftest import Api
from tests.signals.conftest import Connect

OPTIONS: dict[str, Any] = {
    "read_only": ["score", "comments.author", "comments.seen", "home.checked", "tags", "labels", "seal"],
    "hidden": ["comments.secret"],
}


class Seal(me.EmbeddedDocument):
    wax = me.StringField()


class Reply(me.EmbeddedDocument):
    key = me.StringField(primary_key=True)
    number = me.SequenceField()
    text = me.StringField()
    author = me.StringField()
    seen = me.DateTimeField()
    secret = me.StringField()


class Abode(me.EmbeddedDocument):
    city = me.StringField()
    checked = me.BooleanField()


class Essay(me.Document):
    title = me.StringField()
    score = me.IntField(default=3)
    comments = me.ListField(me.EmbeddedDocumentField(Reply))
    home = me.EmbeddedDocumentField(Abode)
    tags = me.ListField(me.StringField())
    labels = me.DictField()
    seal = me.EmbeddedDocumentField(Seal)


@pytest.fixture
def post(database_name: str) -> Essay:
    comments = [Reply(key=key, text=key.upper(), author=f"by {key}", secret=f"of {key}") for key in "ab"]
    made: Essay = Essay(
        title="T", comments=comments, home=Abode(city="Rio", checked=True), tags=["x"], labels={"a": [1]}, seal=Seal()
    ).save()
    return made


@pytest.fixture
def client(alone: Api) -> httpx.AsyncClient:
    return alone(Essay, **OPTIONS)


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
@pytest.mark.parametrize("is_heard", [False, True])
async def test_what_was_read_may_be_sent_back_and_changes_nothing(
    client: httpx.AsyncClient, connect: Connect, post: Essay, verb: str, is_heard: bool
) -> None:
    place, stored, seen = f"/essay/{post.id}/", raw(post), []

    def listen(sender: Any, handler: Any) -> None:
        seen.append(str(handler.data))

    if is_heard:
        connect(signals.pre_update_instance, listen, sender=Essay)
    answer = await client.request(verb, place, json=(await client.get(place)).json())
    assert (answer.status_code, raw(post)) == (200, stored)
    for name in ("score", "author", "seen", "number", "checked", "tags", "labels", "seal"):
        assert not any(f"'{name}'" in data for data in seen)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"score": 4}, "score"),
        ({"score": None}, "score"),
        ({"comments": [{"key": "a", "text": "x", "author": "me"}]}, "comments.0.author"),
        ({"comments": [{"key": "a", "number": 99}]}, "comments.0.number"),
        ({"home": {"checked": False}}, "home.checked"),
        ({"tags": ["x", "y"]}, "tags"),
        ({"labels": {"a": [2]}}, "labels"),
        ({"seal": {"wax": "red"}}, "seal"),
    ],
)
@pytest.mark.parametrize("is_heard", [False, True])
async def test_a_changed_one_is_400_and_named(
    client: httpx.AsyncClient, connect: Connect, post: Essay, body: dict[str, Any], named: str, is_heard: bool
) -> None:
    stored = raw(post)

    def listen(sender: Any, handler: Any) -> None:
        handler.data["title"] = "heard"

    if is_heard:
        connect(signals.pre_update_instance, listen, sender=Essay)
    answer = await client.put(f"/essay/{post.id}/", json=body)
    assert (answer.status_code, answer.json()["errors"]) == (400, {named: ["This field is read-only."]})
    assert raw(post) == stored


async def test_a_receiver_may_reorder_the_items_that_came_back(
    client: httpx.AsyncClient, connect: Connect, post: Essay
) -> None:
    before = raw(post)["comments"]

    def turn(sender: Any, handler: Any) -> None:
        handler.data["comments"].reverse()

    connect(signals.pre_update_instance, turn, sender=Essay)
    place = f"/essay/{post.id}/"
    answer = await client.put(place, json={"comments": (await client.get(place)).json()["comments"]})
    assert (answer.status_code, raw(post)["comments"]) == (200, before[::-1])


async def test_what_a_receiver_fills_in_wins_over_what_came_back(
    client: httpx.AsyncClient, connect: Connect, post: Essay
) -> None:
    def fill(sender: Any, handler: Any) -> None:
        handler.data["score"] = 10
        handler.data["comments"][0]["author"] = "receiver"

    connect(signals.pre_update_instance, fill, sender=Essay)
    place = f"/essay/{post.id}/"
    answer = await client.put(place, json={**(await client.get(place)).json(), "score": 99})
    stored = raw(post)
    assert (answer.status_code, stored["score"], stored["comments"][0]["author"]) == (200, 10, "receiver")
    assert stored["comments"][1]["author"] == "by b"


async def test_a_new_instance_takes_none(client: httpx.AsyncClient) -> None:
    answer = await client.post("/essay/", json={"score": 3, "comments": [{"key": "a", "author": "x"}]})
    assert answer.json()["errors"] == {
        "score": ["This field is read-only."],
        "comments.0.author": ["This field is read-only."],
    }
