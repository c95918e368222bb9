"""A feed tells each client what it may see now, and ends where it may see no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import mongoengine as me
import pytest
from tornado.web import Application, HTTPError

import bzz
from bzz.errors import Forbidden, Unauthorized
from bzz.live import rights
from bzz.signals import post_get_list, pre_get_list
from tests.conftest import Driver, Serve
from tests.live.conftest import Api
from tests.live.reading import following, until


class Casebook(me.Document):
    tenant = me.StringField()
    text = me.StringField()
    note = me.StringField()

    @classmethod
    def get_list_queryset(cls, queryset: Any, handler: Any) -> Any:
        tenant = handler.request.headers.get("X-Tenant")
        return queryset if tenant is None else queryset.filter(tenant=tenants.get(tenant, tenant))


tenants: dict[str, str] = {}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rights are looked at again after a moment."""
    monkeypatch.setattr(rights, "CHECK_SECONDS", 0.1)
    tenants.clear()
    yield
    tenants.clear()


@pytest.fixture
def live(api: Api) -> Api:
    return lambda *models, **options: api(*models, live=True, **options)


# -- scopes


async def test_nobody_is_told_of_what_belongs_to_others(live: Api, driver: Driver) -> None:
    client = live(Casebook)
    await client.post("/casebook/", json={"tenant": "a", "text": "MARK-a"})
    async with (
        following(client, "/casebook/", X_Tenant="a") as one,
        following(client, "/casebook/", X_Tenant="b") as other,
    ):
        for number in range(40):
            tenant = "ab"[number % 2]
            answer = await client.post("/casebook/", json={"tenant": tenant, "text": f"MARK-{tenant}"})
            where = f"/casebook/{answer.json()['id']}/"
            await client.put(where, json={"note": f"MARK-{tenant}-{number}"})
            await client.delete(where)
        await one.changed(60)
        await other.changed(60)
        assert not [frame for frame in one.frames if "MARK-b" in frame.data]
        assert not [frame for frame in other.frames if "MARK-a" in frame.data]


async def test_a_row_that_is_given_to_another_leaves_here_and_enters_there(live: Api) -> None:
    client = live(Casebook)
    parcel = (await client.post("/casebook/", json={"tenant": "a", "text": "MARK"})).json()
    async with (
        following(client, "/casebook/", X_Tenant="a") as one,
        following(client, "/casebook/", X_Tenant="b") as other,
    ):
        await client.put(f"/casebook/{parcel['id']}/", json={"tenant": "b", "text": "NEW"})
        [left] = await one.changed(1)
        [entered] = await other.changed(1)
        assert left == {"kind": "leave", "model": "casebook", "id": parcel["id"], "at": left["at"]}
        assert (entered["kind"], entered["row"]["text"], entered["diff"]) == ("enter", "NEW", None)
        assert "MARK" not in json.dumps(entered)


async def test_a_feed_ends_where_its_scope_has_changed(live: Api) -> None:
    client = live(Casebook)
    async with following(client, "/casebook/", X_Tenant="a") as feed:
        tenants["a"] = "c"
        assert await feed.ended() == "scope"
        assert feed.position == ""


async def test_a_position_is_of_no_use_where_the_scope_has_changed(live: Api) -> None:
    client = live(Casebook)
    async with following(client, "/casebook/", X_Tenant="a") as feed:
        position = feed.position
    tenants["a"] = "c"
    async with following(client, "/casebook/", X_Tenant="a", Last_Event_ID=position) as again:
        assert await again.ended() == "position"


class Casket(me.Document):
    text = me.StringField()

    @classmethod
    def get_list_queryset(cls, queryset: Any, handler: Any) -> Any:
        if handler.request.headers.get("X-Fail") in failing:
            raise HTTPError(403)
        return queryset


failing: set[str] = set()


async def test_a_hook_that_refuses_is_an_answer_at_first_and_an_end_later(live: Api) -> None:
    client = live(Casket)
    failing.add("always")
    answer = await client.get("/casket/", headers={"Accept": "text/event-stream", "X-Fail": "always"})
    assert answer.status_code == 403
    try:
        async with following(client, "/casket/", X_Fail="later") as feed:
            failing.add("later")
            assert await feed.ended() == "forbidden"
    finally:
        failing.clear()


# -- the guard and authorize


async def test_authorize_is_asked_at_first_and_again(live: Api) -> None:
    allowed = True
    asked: list[tuple[Any, ...]] = []

    def authorize(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        asked.append((method, model, instance_id))
        return allowed

    client = live(Casket, authorize=authorize)
    async with following(client, "/casket/") as feed:
        allowed = False
        assert await feed.ended() == "forbidden"
        assert set(asked) == {("GET", Casket, None)}
    answer = await client.get("/casket/", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 403


@pytest.fixture
def guarded(serve: Serve, driver: Driver) -> tuple[httpx.AsyncClient, dict[str, str]]:
    """A live model behind a guard that knows users by a header, and the users."""
    users = {"ann": "Ann"}

    async def guard(handler: Any) -> None:
        name = users.get(handler.request.headers.get("X-User", ""))
        if name is None:
            raise Unauthorized("Sign in first.")
        handler.current_user = name

    def configure(app: Application) -> None:
        app.settings["bzz_guard"] = guard

    routes = bzz.ModelHive.routes_for("mongoengine", Casket, live=True, database=driver())
    return serve(routes, configure), users


async def test_nobody_follows_without_the_guard(guarded: tuple[httpx.AsyncClient, dict[str, str]]) -> None:
    client, _ = guarded
    answer = await client.get("/casket/", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 401


async def test_a_feed_ends_where_the_guard_lets_the_user_in_no_more(
    guarded: tuple[httpx.AsyncClient, dict[str, str]],
) -> None:
    client, users = guarded
    async with following(client, "/casket/", X_User="ann") as feed:
        await client.post("/casket/", json={"text": "a"}, headers={"X-User": "ann"})
        await feed.changed(1)
        users.clear()
        assert await feed.ended() == "forbidden"


# -- receivers


async def test_receivers_before_a_list_may_refuse_a_feed(live: Api) -> None:
    def refuse(sender: type) -> None:
        raise Forbidden("Not today.")

    client = live(Casket)
    with pre_get_list.connected_to(refuse, Casket):
        answer = await client.get("/casket/", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 403


async def test_what_receivers_change_of_a_list_is_changed_in_its_feed(live: Api) -> None:
    def mask(sender: type, items: list[Any]) -> None:
        items[:] = [item for item in items if item.text != "gone"]
        for item in items:
            item.text = "*"

    client = live(Casket)
    with post_get_list.connected_to(mask, Casket):
        await client.post("/casket/", json={"text": "one"})
        async with following(client, "/casket/") as feed:
            two = (await client.post("/casket/", json={"text": "two"})).json()
            await client.put(f"/casket/{two['id']}/", json={"text": "three"})
            await client.post("/casket/", json={"text": "gone"})
            await client.post("/casket/", json={"text": "four"})
            told = await feed.changed(2)
            assert [row["text"] for row in feed.rows.values()] == ["*", "*", "*"]
            assert [each["diff"]["text"] for each in told] == [{"from": None, "to": "*"}] * 2
            assert not {"one", "two", "three", "gone", "four"} & {
                word for frame in feed.frames for word in frame.data.split('"')
            }


async def test_a_receiver_that_fails_ends_the_feed_and_shows_nothing(live: Api) -> None:
    def fail(sender: type, items: list[Any]) -> None:
        if items and items[0].text == "bad":
            raise RuntimeError("no")

    client = live(Casket)
    with post_get_list.connected_to(fail, Casket):
        async with following(client, "/casket/") as feed:
            await client.post("/casket/", json={"text": "bad"})
            assert await feed.ended() == "incomplete"
            assert "bad" not in "".join(frame.data for frame in feed.frames)


# -- caps and ends


async def test_one_address_may_have_so_many_feeds(serve: Serve, driver: Driver) -> None:
    routes = bzz.ModelHive.routes_for("mongoengine", Casket, live=True, database=driver())
    client = serve(routes, lambda app: bzz.LiveHive.configure(app, max_feeds_per_address=2))
    async with following(client, "/casket/"), following(client, "/casket/"):
        answer = await client.get("/casket/", headers={"Accept": "text/event-stream"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    async with following(client, "/casket/"):
        pass


async def test_one_process_may_have_so_many_feeds(serve: Serve, driver: Driver) -> None:
    routes = bzz.ModelHive.routes_for("mongoengine", Casket, live=True, database=driver())
    client = serve(routes, lambda app: bzz.LiveHive.configure(app, max_feeds=1))
    async with following(client, "/casket/"):
        answer = await client.get("/casket/", headers={"Accept": "text/event-stream"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_one_user_may_have_so_many_feeds(serve: Serve, driver: Driver) -> None:
    async def guard(handler: Any) -> None:
        handler.current_user = {"provider": "test", "id": handler.request.headers["X-User"]}

    def configure(app: Application) -> None:
        app.settings["bzz_guard"] = guard
        bzz.LiveHive.configure(app, max_feeds_per_user=1)

    client = serve(bzz.ModelHive.routes_for("mongoengine", Casket, live=True, database=driver()), configure)
    async with following(client, "/casket/", X_User="ann"):
        answer = await client.get("/casket/", headers={"Accept": "text/event-stream", "X-User": "ann"})
        assert answer.status_code == 429
        async with following(client, "/casket/", X_User="bea"):
            pass


async def test_a_client_that_leaves_leaves_nothing_behind(live: Api) -> None:
    client = live(Casket)
    async with following(client, "/casket/"):
        pass
    before = len(asyncio.all_tasks())
    for _ in range(10):
        async with following(client, "/casket/"):
            pass
    await until(lambda: len(asyncio.all_tasks()) <= before)
