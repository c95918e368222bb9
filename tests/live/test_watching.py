"""``bzz.watch`` tells the application's own code of committed changes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import mongoengine as me
import pytest

import bzz
from bzz.errors import BadRequest
from bzz.live import watching
from bzz.live.hub import hubs
from tests.live.reading import until


class Kite(me.Document):
    name = me.StringField()
    size = me.IntField()


async def collect(count: int, **options: Any) -> list[bzz.Change]:
    found = []
    async with asyncio.timeout(20), aclosing(bzz.watch(Kite, **options)) as changes:
        async for change in changes:
            found.append(change)
            if len(found) == count:
                break
    return found


async def watched(count: int, write: Any, **options: Any) -> list[bzz.Change]:
    """Write when the watch has begun; return the changes that it told."""
    collecting = asyncio.create_task(collect(count, **options))
    await until(lambda: any(hub.is_followed for hub in hubs()))
    await asyncio.to_thread(write)
    return await collecting


def save_three() -> None:
    kite = Kite(name="a", size=1).save()
    kite.update(size=2)
    kite.delete()


async def test_each_change_is_told_with_its_diff(database_name: str) -> None:
    created, updated, deleted = await watched(3, save_three)
    assert [each.kind for each in (created, updated, deleted)] == ["created", "updated", "deleted"]
    assert created.model is Kite
    assert created.id == updated.id == deleted.id
    assert updated.diff == {"size": {"from": 1, "to": 2}}
    assert updated.before.size == 1
    assert updated.after.size == 2
    positions = [each.position for each in (created, updated, deleted) if each.position is not None]
    assert len(set(positions)) == 3
    assert positions == sorted(positions)


async def test_where_tells_what_enters_and_leaves(database_name: str) -> None:
    [updated, deleted] = await watched(2, save_three, where={"size__gte": 2})
    assert (updated.kind, deleted.kind) == ("updated", "deleted")


async def test_a_watch_goes_on_after_a_position(database_name: str) -> None:
    first = (await watched(1, save_three))[0]
    assert [each.kind for each in await collect(2, after=first.position)] == ["updated", "deleted"]


async def test_a_loop_that_is_slow_misses_nothing(database_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_WAITING", 3)
    seen: list[int] = []

    async def slowly() -> None:
        async with aclosing(bzz.watch(Kite)) as changes:
            async for change in changes:
                if not seen:
                    await started.wait()
                seen.append(change.after.size)
                if len(seen) == 30:
                    return

    started = asyncio.Event()
    following = asyncio.create_task(slowly())

    def write() -> None:
        for number in range(30):
            Kite(size=number).save()

    await until(lambda: any(hub.is_followed for hub in hubs()))
    await asyncio.to_thread(write)
    started.set()
    async with asyncio.timeout(20):
        await following
    assert seen == list(range(30))


async def test_a_filter_that_cannot_be_read_is_refused(database_name: str) -> None:
    with pytest.raises(BadRequest):
        await collect(1, where={"nope": 1})
