"""A feed ends at once where the session of its client has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import mongoengine as me
import pytest
from tornado.web import Application

import bzz
from bzz.auth import MemoryRevocation
from bzz.live import rights
from bzz.live.rights import recheck
from bzz.signals import post_get_list, pre_get_list
from tests.auth.conftest import KEY, Tickets, sign_in
from tests.conftest import Serve
from tests.live.reading import following, until


class Mizzen(me.Document):
    name = me.StringField()


Start = Callable[..., tuple[httpx.AsyncClient, Application]]


@pytest.fixture
def start(serve: Serve, database_name: str) -> Start:
    """Serves a live model to people who are signed in."""

    def started(**options: object) -> tuple[httpx.AsyncClient, Application]:
        found: list[Application] = []

        def configure(app: Application) -> None:
            bzz.AuthHive.configure(app, KEY, development=True, **options)  # type: ignore[arg-type]
            found.append(app)

        routes = [
            *bzz.ModelHive.routes_for("mongoengine", Mizzen, live=True),
            *bzz.AuthHive.routes_for([Tickets()]),
        ]
        client = serve(routes, configure)
        return client, found[0]

    return started


@pytest.mark.parametrize("revocation", [None, MemoryRevocation()], ids=["without a store", "with a store"])
async def test_signing_out_ends_ones_own_feed_and_no_other(start: Start, revocation: MemoryRevocation | None) -> None:
    client, _ = start(revocation=revocation)
    await sign_in(client, "ticket:ada")
    ada = dict(client.cookies)
    client.cookies.clear()
    await sign_in(client, "ticket:bob")
    bob = dict(client.cookies)
    client.cookies.clear()
    cookies = {
        name: "; ".join(f"{key}={value}" for key, value in each.items()) for name, each in (("a", ada), ("b", bob))
    }
    async with (
        following(client, "/mizzen/", Cookie=cookies["a"]) as own,
        following(client, "/mizzen/", Cookie=cookies["b"]) as other,
    ):
        await client.post("/auth/signout/", headers={"Cookie": cookies["a"]})
        assert await own.ended() == "forbidden"
        await client.post("/mizzen/", json={"name": "m"}, headers={"Cookie": cookies["b"]})
        await other.changed(1)


async def test_ending_all_sessions_of_a_user_ends_their_feeds(start: Start) -> None:
    client, app = start(revocation=MemoryRevocation())
    await sign_in(client, "ticket:ada")
    async with following(client, "/mizzen/") as feed:
        await bzz.AuthHive.end_sessions(app, "tickets", "ada")
        assert await feed.ended() == "forbidden"


class Noted(MemoryRevocation):
    """Notes whose sessions are looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_at: list[str] = []

    async def has_ended(self, session_id: str, user: str, started: float) -> bool:
        self.looked_at.append(user)
        return await super().has_ended(session_id, user, started)


async def cookie_of(client: httpx.AsyncClient, name: str) -> str:
    """Sign in; return the cookie of the session."""
    await sign_in(client, f"ticket:{name}")
    cookie = "; ".join(f"{key}={value}" for key, value in client.cookies.items())
    client.cookies.clear()
    return cookie


@pytest.mark.parametrize("how", ["one session", "all sessions of the user"])
async def test_an_end_of_a_session_has_nobody_elses_looked_at(start: Start, how: str) -> None:
    store = Noted()
    client, app = start(revocation=store)
    ada, bob = [await cookie_of(client, name) for name in ("ada", "bob")]
    async with following(client, "/mizzen/", Cookie=ada) as own, following(client, "/mizzen/", Cookie=bob):
        store.looked_at.clear()
        if how == "one session":
            await client.post("/auth/signout/", headers={"Cookie": ada})
        else:
            await bzz.AuthHive.end_sessions(app, "tickets", "ada")
        assert await own.ended() == "forbidden"
        assert set(store.looked_at) == {"user tickets:ada"}


@pytest.mark.parametrize("how", ["one session", "all sessions of the user"])
async def test_a_feed_ends_whose_session_has_ended_while_it_began(
    start: Start, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "CHECK_SECONDS", 3600.0)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(sender: type, arguments: list[str], handler: Any) -> None:
        begun.set()
        await go_on.wait()

    client, app = start(revocation=None if how == "one session" else MemoryRevocation())
    ada = await cookie_of(client, "ada")
    with pre_get_list.connected_to(wait, Mizzen):
        async with asyncio.TaskGroup() as tasks:
            feed = tasks.create_task(reason(client, ada))
            await begun.wait()
            if how == "one session":
                await client.post("/auth/signout/", headers={"Cookie": ada})
            else:
                await bzz.AuthHive.end_sessions(app, "tickets", "ada")
            go_on.set()
    assert feed.result() == "forbidden"


async def reason(client: httpx.AsyncClient, cookie: str) -> str | None:
    """Follow; return why that ends."""
    async with following(client, "/mizzen/", ready=False, Cookie=cookie) as feed:
        return await feed.ended()


async def test_who_need_not_sign_in_keeps_the_feed(start: Start) -> None:
    client, _ = start(authenticated_get=False)
    await sign_in(client, "ticket:ada")
    async with following(client, "/mizzen/") as feed:
        await client.post("/auth/signout/", headers={"Cookie": f"AUTH_TOKEN={client.cookies['AUTH_TOKEN']}"})
        await sign_in(client, "ticket:bob")
        await client.post("/mizzen/", json={"name": "m"})
        await feed.changed(1)
        assert not feed.is_ended


async def test_receivers_see_the_user_while_the_session_is_looked_at_again(start: Start) -> None:
    class Slow(MemoryRevocation):
        async def has_ended(self, *arguments: Any) -> bool:
            looked.set()
            await go_on.wait()
            return await super().has_ended(*arguments)

    def who(sender: type, items: list[Any], handler: Any) -> None:
        seen.append(handler.current_user and handler.current_user["id"])

    seen: list[Any] = []
    looked, go_on = asyncio.Event(), asyncio.Event()
    go_on.set()
    client, _ = start(revocation=Slow())
    await sign_in(client, "ticket:ada")
    with post_get_list.connected_to(who, Mizzen):
        async with following(client, "/mizzen/") as feed:
            looked.clear()
            go_on.clear()
            recheck()
            await looked.wait()
            await asyncio.to_thread(Mizzen(name="m").save)
            await feed.changed(1)
            assert set(seen) == {"ada"}
            go_on.set()


class OwnUser(bzz.ModelHandler):
    def get_current_user(self) -> Any:
        return {"provider": "own", "id": self.request.headers.get("X-Key")}


async def test_the_user_of_the_handlers_own_is_known_when_rights_are_looked_at_again(
    serve: Serve, database_name: str
) -> None:
    asked: list[Any] = []

    def authorize(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        asked.append(user and user["id"])
        return user is not None

    routes = bzz.ModelHive.routes_for("mongoengine", Mizzen, live=True, handler=OwnUser, authorize=authorize)
    client = serve(routes, lambda app: bzz.AuthHive.configure(app, KEY, development=True, authenticated_get=False))
    async with following(client, "/mizzen/", X_Key="k"):
        recheck()
        await until(lambda: len(asked) > 1)
        assert asked == ["k", "k"]
