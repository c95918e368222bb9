"""Each change is told once, also where the stream of changes breaks at a bad moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing
from typing import Any

import mongoengine as me
import pytest
from pymongo import MongoClient

from bzz.dev import MongoServer
from bzz.errors import Unavailable
from bzz.live.frames import ResetReason
from bzz.live.hub import Hub
from bzz.live.judging import Judgement
from bzz.model.hive import provider_for
from bzz.providers.changes import Changes, Commit, HistoryLost, LiveProvider, Position, Scope, Tick, Wanted
from tests.faults.seeded import Losing
from tests.live.reading import until


class Gull(me.Document):
    name = me.StringField()


class Tern(me.Document):
    name = me.StringField()


class Breaking(Losing):
    """The real changes, with faults of the stream at given moments.

    :ivar breaks_after: after so many changes it raises ``error``, once.
    :ivar is_away: how often the database is away when it is asked for its time.
    """

    error: Exception = RuntimeError("a fault")
    breaks_after = -1
    is_away = 0

    async def stream(
        self, collections: Collection[str], after: Position | None = None, wanted: Wanted = None
    ) -> AsyncGenerator[Commit | Tick]:
        async with aclosing(self._real.stream(collections, after, wanted)) as stream:
            async for each in stream:
                yield each
                self.breaks_after -= isinstance(each, Commit)
                if self.breaks_after == 0:
                    self.breaks_after = -1
                    raise self.error

    async def now(self) -> Position:
        if self.is_away:
            self.is_away -= 1
            raise Unavailable()
        return await super().now()


class Told:
    """A follower that remembers."""

    def __init__(self, *collections: str) -> None:
        self.collections = frozenset(collections)
        self.changes: list[tuple[str, str]] = []
        self.ended: ResetReason | None = None

    def scopes(self, commit: Commit) -> list[Scope]:
        return []

    async def tell(self, commit: Commit, position: Position, judgement: Judgement) -> None:
        self.changes.append((commit.collection, commit.after["name"]))

    def tick(self, position: Position | None) -> None:
        """Called by the hub."""

    def end(self, reason: ResetReason) -> None:
        self.ended = reason


@pytest.fixture
async def changes(database_name: str, monkeypatch: pytest.MonkeyPatch) -> Breaking:
    monkeypatch.setattr("bzz.live.hub.RETRY_SECONDS", 0.01)
    providers = [provider_for("mongoengine", model) for model in (Gull, Tern)]
    found: list[Changes] = [each.changes() for each in providers if isinstance(each, LiveProvider)]
    return Breaking(found[0])


@pytest.fixture
async def hub(changes: Breaking) -> AsyncIterator[Hub]:
    hub = Hub(changes)
    yield hub
    await hub.close()


@pytest.mark.parametrize("after", [1, 2, 3])
async def test_a_stream_that_breaks_within_a_transaction_goes_on_in_it(
    after: int, changes: Breaking, hub: Hub, mongo: MongoServer, database_name: str
) -> None:
    follower = Told("gull", "tern")
    await hub.join(follower)
    changes.breaks_after = after

    def write() -> None:
        with MongoClient[dict[str, Any]](mongo.uri) as client, client.start_session() as session:
            own = client[database_name]
            with session.start_transaction():
                own.gull.insert_one({"name": "1"}, session=session)
                own.gull.insert_one({"name": "2"}, session=session)
                own.tern.insert_one({"name": "3"}, session=session)
            own.tern.insert_one({"name": "4"})

    await asyncio.to_thread(write)
    await until(lambda: ("tern", "4") in follower.changes)
    assert follower.changes == [("gull", "1"), ("gull", "2"), ("tern", "3"), ("tern", "4")]


async def test_after_lost_history_others_may_follow_even_if_the_database_is_away_just_then(
    changes: Breaking, hub: Hub, mongo: MongoServer, database_name: str
) -> None:
    first, second = Told("gull"), Told("gull")
    await hub.join(first)
    changes.breaks_after, changes.error, changes.is_away = 1, HistoryLost("a fault"), 2
    await asyncio.to_thread(Gull(name="1").save)
    await until(lambda: first.ended)
    await hub.join(second)
    await asyncio.to_thread(Gull(name="2").save)
    await until(lambda: second.changes)
    assert (first.ended, second.changes) == ("history-lost", [("gull", "2")])
