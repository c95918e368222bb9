"""A feed tells each user what is there for it, and of that the fields that it may see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from bzz.live import rights
from bzz.live.hub import hubs
from tests.live.reading import following
from tests.rights.conftest import ADMIN, ANN, BOB, Serving, as_user

pytestmark = pytest.mark.usefixtures("database_name")


class Telegram(me.Document):
    name = me.StringField(primary_key=True)
    org = me.StringField()
    pay = me.IntField()
    note = me.StringField()


def own(user: Any) -> Any:
    return None if user is None else {} if "admin" in user.get("roles", ()) else {"org": user["org"]}


@pytest.fixture(autouse=True)
async def quick(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(rights, "CHECK_SECONDS", 0.1)
    roles.clear()
    yield
    for hub in hubs():
        await hub.close()


roles: dict[str, list[str]] = {}


def reads_pay(user: Any) -> bool:
    return "admin" in [*user.get("roles", ()), *roles.get(user["id"], ())]


@pytest.fixture
def client(serving: Serving) -> httpx.AsyncClient:
    bzz.rules(Telegram, allow="authenticated", scope=own, fields={"pay": {"read": reads_pay}})
    routes = bzz.ModelHive.routes_for("mongoengine", Telegram, live=True)
    return serving(routes, bzz.LiveHive.routes_for(routes))


def header(user: Any) -> dict[str, Any]:
    return {name.replace("-", "_"): value for name, value in as_user(user).items()}


@pytest.mark.parametrize("url", ["/telegram/", "/events/?models=telegram"])
async def test_each_user_is_told_of_its_scope_and_its_fields(client: httpx.AsyncClient, url: str) -> None:
    Telegram(name="red", org="red", pay=1).save()
    async with (
        following(client, url, **header(ANN)) as ann,
        following(client, url, **header(BOB)) as bob,
        following(client, url, **header(ADMIN)) as admin,
    ):
        assert ann.snapshot() == {"red": {"name": "red", "org": "red", "note": None}}
        assert bob.snapshot() == {}
        assert admin.snapshot()["red"]["pay"] == 1
        Telegram.objects(name="red").update(pay=2)
        Telegram(name="blue", org="blue", pay=7).save()
        Telegram.objects(name="red").update(note="n")
        Telegram.objects(name="red").update(org="blue")
        Telegram.objects(name="blue").update(note="last")
        Telegram(name="end", org="red").save()
        await ann.until(lambda: "end" in ann.rows)
        await bob.until(lambda: bob.rows.get("blue", {}).get("note") == "last")
        await admin.until(lambda: "end" in admin.rows)
        told = [(each["kind"], each["id"]) for each in ann.changes()]
        assert told == [("updated", "red"), ("leave", "red"), ("created", "end")]
        assert [(each["kind"], each["id"]) for each in bob.changes()] == [
            ("created", "blue"),
            ("enter", "red"),
            ("updated", "blue"),
        ]
        assert admin.changes()[0]["diff"] == {"pay": {"from": 1, "to": 2}}
        assert not [frame for frame in (*ann.frames, *bob.frames) if "pay" in frame.data]


async def test_a_stranger_has_no_feed(client: httpx.AsyncClient) -> None:
    for url in ("/telegram/", "/events/?models=telegram"):
        answer = await client.get(url, headers={"Accept": "text/event-stream"})
        assert answer.status_code in (401, 403)


async def test_one_document_that_is_beyond_the_scope_has_no_feed(client: httpx.AsyncClient) -> None:
    Telegram(name="blue", org="blue").save()
    answers = [
        await client.get(f"/telegram/{name}/", headers={"Accept": "text/event-stream", **as_user(ANN)})
        for name in ("blue", "none")
    ]
    assert [each.status_code for each in answers] == [404, 404]


@pytest.mark.parametrize("url", ["/telegram/", "/events/?models=telegram"])
async def test_a_feed_begins_anew_where_the_user_may_see_more(client: httpx.AsyncClient, url: str) -> None:
    async with following(client, url, **header(ANN)) as ann:
        roles["ann"] = ["admin"]
        assert await ann.ended() == "scope"


async def test_a_feed_cannot_be_filtered_by_what_the_user_may_not_see(client: httpx.AsyncClient) -> None:
    answer = await client.get("/telegram/?pay=1", headers={"Accept": "text/event-stream", **as_user(ANN)})
    assert answer.status_code == 400


async def test_a_position_of_other_rights_does_not_go_on(client: httpx.AsyncClient) -> None:
    Telegram(name="red", org="red", pay=1).save()
    async with following(client, "/telegram/", **header(ADMIN)) as admin:
        Telegram.objects(name="red").update(pay=2)
        await admin.next()
        position = admin.position
    async with following(client, f"/telegram/?last_event_id={position}", ready=False, **header(ANN)) as ann:
        assert await ann.ended() == "position"
