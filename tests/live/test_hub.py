"""The hub tells each follower each change once, whatever happens to its stream meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from bzz.errors import Unavailable
from bzz.live import hub as hub_module
from bzz.live.frames import ResetReason
from bzz.live.hub import Hub
from bzz.live.judging import Judgement, judge
from bzz.providers.base import Store
from bzz.providers.changes import Changes, Commit, HistoryLost, Matches, Position, Scope, Tick, Wanted
from bzz.providers.deliveries import Deliveries
from bzz.providers.history import History
from tests.live.reading import until


class Written(Changes):
    """Changes that a test writes down: a database with ``log`` as its history."""

    def __init__(self) -> None:
        self.log: list[Commit] = []
        self.prepared: list[str] = []
        self.at = Position(1, 0)
        self.is_away = False
        self.is_lost = False
        self._counts: dict[tuple[int, str], int] = {}
        self._news = asyncio.Event()

    def write(self, second: int, collection: str, kind: Any = "created") -> None:
        number = self._counts[second, collection] = self._counts.get((second, collection), 0) + 1
        position = Position(second, 1, number)
        key = None if kind == "dropped" else len(self.log)
        self.log.append(Commit(collection, key, kind, None, {}, True, position, datetime.now(UTC)))
        self._news.set()

    def lose(self) -> None:
        self.is_lost = True
        self._news.set()

    async def prepare(self, collections: Collection[str]) -> None:
        self.prepared += sorted(collections)

    @property
    def store(self) -> Store:
        raise NotImplementedError

    @property
    def deliveries(self) -> Deliveries:
        raise NotImplementedError

    @property
    def history(self) -> History:
        raise NotImplementedError

    async def existing(self, collection: str, at: Position, after: Any = None) -> AsyncGenerator[Sequence[Commit]]:
        raise NotImplementedError

    def is_behind(self, key: Any, other: Any) -> bool:
        raise NotImplementedError

    async def now(self) -> Position:
        if self.is_away:
            raise Unavailable()
        return self.at

    async def stream(
        self, collections: Collection[str], after: Position | None = None, wanted: Wanted = None
    ) -> AsyncGenerator[Commit | Tick]:
        assert after is not None
        yield Tick(after)
        read = 0
        while True:
            for commit in self.log[read:]:
                if commit.collection in collections and commit.position > after:
                    yield commit
            read = len(self.log)
            if self.is_lost:
                self.is_lost = False
                raise HistoryLost("the test says so")
            self._news.clear()
            await self._news.wait()

    async def match(self, commit: Commit, scopes: Sequence[Scope]) -> list[Matches]:
        return [Matches(True, True) for _ in scopes]


class Reader:
    """A follower that writes down what it is told; ``pause`` holds it up at each change."""

    def __init__(self, *collections: str) -> None:
        self.collections = frozenset(collections)
        self.told: list[tuple[str, Position]] = []
        self.ticks: list[Position | None] = []
        self.reasons: list[str] = []
        self.pause = asyncio.Event()
        self.pause.set()

    def scopes(self, commit: Commit) -> Iterable[Scope]:
        return ()

    async def tell(self, commit: Commit, position: Position, judgement: Judgement) -> None:
        self.told.append((commit.collection, position))
        await self.pause.wait()

    def tick(self, position: Position | None) -> None:
        self.ticks.append(position)

    def end(self, reason: ResetReason) -> None:
        self.reasons.append(reason)


@pytest.fixture
def changes() -> Written:
    return Written()


@pytest.fixture
async def hub(changes: Written) -> AsyncIterator[Hub]:
    found = Hub(changes)
    yield found
    await found.close()


async def told(reader: Reader, count: int) -> list[tuple[str, Position]]:
    await until(lambda: len(reader.told) >= count)
    return reader.told


async def test_a_stream_that_is_opened_anew_within_a_transaction_tells_the_rest_of_it(
    hub: Hub, changes: Written
) -> None:
    reader = Reader("a", "b")
    await hub.join(reader)
    reader.pause.clear()
    for collection in ("a", "a", "b"):
        changes.write(5, collection)
    await told(reader, 1)
    joining = asyncio.create_task(hub.join(Reader("c")))  # for which the stream is opened anew
    await until(lambda: "c" in changes.prepared)
    reader.pause.set()
    await joining
    assert [each for each, _ in await told(reader, 3)] == ["a", "a", "b"]
    assert [position.number for _, position in reader.told] == [1, 2, 3]
    changes.write(6, "a")
    assert len(await told(reader, 4)) == 4


async def test_who_joins_within_a_transaction_is_numbered_as_all_others(hub: Hub, changes: Written) -> None:
    first, second = Reader("a", "b"), Reader("a", "b")
    await hub.join(first)
    first.pause.clear()
    for collection in ("a", "b", "a"):
        changes.write(5, collection)
    await told(first, 1)
    joining = asyncio.create_task(hub.join(second))
    first.pause.set()
    joined = await joining
    [*_, last] = await told(first, 3)
    await until(lambda: second.told)
    assert second.told[-1] == last == ("a", Position(5, 1, 3))
    assert joined.number == 3 - len(second.told)


async def test_numbers_of_other_collections_do_not_count_for_a_follower(hub: Hub, changes: Written) -> None:
    other, own = Reader("a"), Reader("b")
    await hub.join(other)
    await hub.join(Reader("b"))
    other.pause.clear()
    for collection in ("a", "a", "b"):
        changes.write(5, collection)
    await told(other, 1)
    joining = asyncio.create_task(hub.join(own))
    other.pause.set()
    assert await joining <= Position(5, 1, 0)
    assert await told(own, 1) == [("b", Position(5, 1, 1))]


async def test_a_tick_names_no_position_while_a_change_is_told(
    hub: Hub, changes: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "TICK_SECONDS", 0.01)
    reader = Reader("a")
    await hub.join(reader)
    changes.write(5, "a")
    await told(reader, 1)
    await until(lambda: reader.ticks[-1:] == [Position(5, 1, 1)])
    reader.pause.clear()
    changes.write(6, "a")
    await told(reader, 2)
    seen = len(reader.ticks)
    await until(lambda: len(reader.ticks) > seen)
    assert reader.ticks[seen:] == [None] * (len(reader.ticks) - seen)
    reader.pause.set()


async def test_lost_history_while_the_database_is_away_ends_followers_and_not_the_hub(
    hub: Hub, changes: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "RETRY_SECONDS", 0.01)
    lost, later = Reader("a"), Reader("a")
    await hub.join(lost)
    changes.is_away = True
    changes.lose()
    await until(lambda: lost.reasons == ["history-lost"])
    joining = asyncio.create_task(hub.join(later))
    changes.write(5, "a")  # which nobody can be told any more
    changes.is_away, changes.at = False, Position(9, 0)
    assert await joining == Position(9, 0)
    changes.write(10, "a")
    assert await told(later, 1) == [("a", Position(10, 1, 1))]


async def test_a_stream_that_is_closed_while_somebody_joins_is_opened_again(
    hub: Hub, changes: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "IDLE_SECONDS", 0.0)
    slow, next_one = Reader("a"), Reader("a")
    await hub.join(slow)
    slow.pause.clear()
    changes.write(5, "a")
    await told(slow, 1)
    joining = asyncio.create_task(hub.join(next_one))
    await asyncio.sleep(0)
    hub.leave(slow)  # and so the stream is closed in a moment
    await joining
    changes.write(6, "a")
    async with asyncio.timeout(5):
        assert ("a", Position(6, 1, 1)) in await told(next_one, 1)


async def test_one_who_ended_while_joining_does_not_follow(hub: Hub) -> None:
    await hub.join(Reader("a"), lambda: False)
    assert not hub.is_followed


async def test_a_collection_that_was_dropped_is_prepared_for_the_next_who_joins(hub: Hub, changes: Written) -> None:
    reader = Reader("a")
    await hub.join(reader)
    changes.write(5, "a", "dropped")
    await told(reader, 1)
    assert changes.prepared.count("a") == 1
    await hub.join(Reader("a"))
    assert changes.prepared.count("a") == 2


class Unasked(Written):
    """Changes of a database that may not be asked which scopes they lie in."""

    async def match(self, commit: Commit, scopes: Sequence[Scope]) -> list[Matches]:
        raise AssertionError("nobody has to be asked")


async def test_a_scope_that_holds_everything_is_not_asked_of_the_database() -> None:
    everything = Scope("all", "a", None, is_all=True)
    created = Commit("a", 1, "created", None, {}, True, Position(1, 1, 1), datetime.now(UTC))
    assert await judge(Unasked(), created, [everything]) == {"all": Matches(before=False, after=True)}


async def test_no_task_is_made_for_a_change_that_nobody_has_to_be_asked_about(
    changes: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Everything(Reader):
        def scopes(self, commit: Commit) -> Iterable[Scope]:
            return [Scope("all", "a", None, is_all=True)]

    made: list[Any] = []
    create_task = asyncio.create_task

    def noted(*given: Any, **named: Any) -> Any:
        made.append(create_task(*given, **named))
        return made[-1]

    monkeypatch.setattr(asyncio, "create_task", noted)
    hub, reader = Hub(changes), Everything("a")
    await hub.join(reader)
    changes.write(5, "a")
    await told(reader, 1)
    before = len(made)
    changes.write(6, "a")
    await told(reader, 2)
    await hub.close()
    assert len(made) == before
