"""A snapshot that takes long is neither cut off by what happens meanwhile, nor goes on for who may see no more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import mongoengine as me
import pytest

from bzz.live import client as client_module
from bzz.live import pings, subscription
from bzz.live.rights import clients, recheck
from bzz.signals import post_get_list
from tests.live.conftest import Api
from tests.live.reading import following, until


class Codex(me.Document):
    name = me.StringField()
    size = me.IntField()


class Gate:
    """Holds up the row ``held`` until it is opened, while it is armed."""

    def __init__(self) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self.is_armed = True

    async def __call__(self, sender: type, items: list[Any]) -> None:
        if self.is_armed and any(item.name == "held" and item.size is None for item in items):
            self.reached.set()
            await self.opened.wait()


@pytest.fixture
def gate() -> Iterator[Gate]:
    found = Gate()
    with post_get_list.connected_to(found, Codex):
        yield found


async def test_what_happens_while_a_snapshot_is_read_is_told_however_much_it_is(
    api: Api, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "MAX_BYTES", 500)
    client = api(Codex, live=True)
    Codex(name="held").save()
    async with following(client, "/codex/", ready=False) as feed:
        await gate.reached.wait()
        for number in range(20):
            await client.post("/codex/", json={"name": "n", "size": number})
        await until(lambda: _reasons() == ["slow"])
        gate.opened.set()
        await feed.until(lambda: "ready" in feed.told())
        await client.post("/codex/", json={"name": "n", "size": 20})
        await feed.until(lambda: len(feed.rows) == 22)
        assert [each["row"]["size"] for each in feed.changes()] == list(range(21))


async def test_what_happens_while_a_client_catches_up_is_told_however_much_it_is(
    api: Api, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "MAX_BYTES", 500)
    client = api(Codex, live=True)
    gate.is_armed = False
    async with following(client, "/codex/") as feed:
        position = feed.position
        await client.post("/codex/", json={"name": "held"})
        await feed.changed(1)  # so who joins now is told it while it catches up, and not as news
    gate.is_armed = True
    async with following(client, "/codex/", ready=False, Last_Event_ID=position) as again:
        await gate.reached.wait()
        for number in range(20):
            await client.post("/codex/", json={"name": "n", "size": number})
        await until(lambda: _reasons() == ["slow"])
        gate.opened.set()
        await again.until(lambda: "ready" in again.told())
        await client.post("/codex/", json={"name": "n", "size": 20})
        await again.until(lambda: len(again.rows) == 22)
        assert [each["row"]["size"] for each in again.changes()] == [None, *range(21)]


async def test_pings_come_while_a_snapshot_is_read(api: Api, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pings, "PING_SECONDS", 0.05)
    client = api(Codex, live=True)
    Codex(name="held").save()
    async with following(client, "/codex/", ready=False) as feed:
        await feed.until(lambda: feed.told() == ["ping", "ping"])
        assert [each.id for each in feed.frames] == [None, None]
        gate.opened.set()
        await feed.until(lambda: "ready" in feed.told())
        seen = len(feed.frames)
        await client.post("/codex/", json={"name": "n", "size": 1})
        await feed.changed(1)
        assert feed.told()[seen:] == ["created"]


async def test_a_client_that_leaves_within_a_snapshot_is_sent_no_pings(
    api: Api, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[pings.Pings] = []

    class Noted(pings.Pings):
        def __init__(self, write: Any) -> None:
            super().__init__(write)
            made.append(self)

    monkeypatch.setattr(client_module, "Pings", Noted)
    client = api(Codex, live=True)
    Codex(name="held").save()
    async with following(client, "/codex/", ready=False):
        await gate.reached.wait()
    gate.opened.set()
    await until(lambda: not clients())
    [timer] = [getattr(each, "_timer") for each in made]  # noqa: B009
    assert timer.cancelled()


async def test_a_snapshot_ends_where_its_client_may_see_no_more(api: Api, gate: Gate) -> None:
    allowed = True
    client = api(Codex, live=True, authorize=lambda *_: allowed)
    Codex(name="held").save()
    async with following(client, "/codex/", ready=False) as feed:
        await gate.reached.wait()
        allowed = False
        recheck()
        await until(lambda: _reasons() == ["forbidden"])
        gate.opened.set()
        assert await feed.ended() == "forbidden"
        assert feed.told() == ["reset"]


async def test_a_stop_within_a_snapshot_names_no_position_behind_it(api: Api, gate: Gate) -> None:
    client = api(Codex, live=True)
    Codex(name="held").save()
    async with following(client, "/codex/", ready=False) as feed:
        await gate.reached.wait()
        await client.post("/codex/", json={"name": "n", "size": 1})
        [stream] = [getattr(each, "_stream") for each in clients()]  # noqa: B009
        await until(lambda: not stream._subscription.is_idle)
        for each in clients():
            each.end("shutdown")
        gate.opened.set()
        assert await feed.ended() == "shutdown"
        assert (feed.told(), feed.position) == (["reset"], "")


def _reasons() -> list[Any]:
    """Why the clients have ended."""
    streams: list[Any] = [getattr(each, "_stream") for each in clients()]  # noqa: B009
    return [each._subscription.reason for each in streams]
