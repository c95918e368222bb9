"""An entry and the note of who wrote it find each other, whichever comes first, and no other."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bzz.change import Position
from bzz.providers.history import History, HistoryEntry
from bzz.providers.mongoengine.changes import history as stored_history
from bzz.providers.mongoengine.changes.history import MongoHistory
from bzz.providers.mongoengine.concurrency import Operations
from tests.conftest import Driver


@pytest.fixture
def history(driver: Driver) -> History:
    return MongoHistory(driver())


def entry(number: int, at: datetime | None = None) -> HistoryEntry:
    """The entry of one of several changes of a document, all of which do the same."""
    diff = {"address.city": {"from": None, "to": {"$a.b": 1}}}
    position, time = Position(1_700_000_000, number, 1), at or datetime.now(UTC)
    return HistoryEntry(f"user:{number}", "user", '"7"', position, time, "updated", diff)


async def who(history: History) -> list[str | None]:
    """Who wrote the changes, in their order."""
    return [each.who for each in reversed(await history.entries("user", '"7"', 100))]


def ago(seconds: float) -> float:
    """When a request began."""
    return time.monotonic() - seconds


async def test_an_entry_is_as_it_was(history: History) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=UTC)
    await history.add(entry(1, at), "x")
    assert await history.entry("user:1") == entry(1, at)
    assert await history.entries("user", '"7"', 10) == [entry(1, at)]
    assert await history.entry("user:2") is None


@pytest.mark.parametrize("is_note_first", [True, False])
async def test_whichever_comes_first_they_are_joined(history: History, is_note_first: bool) -> None:
    if is_note_first:
        await history.sign("note", "x", "ann", ago(1))
    await history.add(entry(1), "x")
    if not is_note_first:
        await history.sign("note", "x", "ann", ago(1))
    assert await who(history) == ["ann"]


async def test_a_note_of_another_change_is_left(history: History) -> None:
    await history.sign("note", "y", "ann", ago(1))
    await history.add(entry(1), "x")
    assert await who(history) == [None]


async def test_a_note_is_not_for_a_change_of_another_time(history: History) -> None:
    await history.add(entry(1, datetime.now(UTC) - timedelta(minutes=1)), "x")
    await history.sign("note", "x", "ann", ago(1))
    assert await who(history) == [None]
    await history.sign("slow", "x", "bob", ago(90))
    assert await who(history) == ["bob"]


@pytest.mark.parametrize("is_note_first", [True, False])
async def test_a_note_that_waited_for_its_turn_is_for_a_change_from_before_that(
    history: History, is_note_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack, write = timedelta(seconds=0.2), Operations.write

    async def wait(self: Operations, operation: Any) -> Any:
        await asyncio.sleep(1)  # as where all connections are in use, or a primary is elected
        return await write(self, operation)

    monkeypatch.setattr(stored_history, "SLACK", slack)
    began, at = time.monotonic(), datetime.now(UTC)
    if not is_note_first:
        await history.add(entry(1, at), "x")
    with monkeypatch.context() as patched:
        patched.setattr(Operations, "write", wait)
        await history.sign("note", "x", "ann", began)
    if is_note_first:
        await history.add(entry(1, at), "x")
    assert await who(history) == ["ann"]


@pytest.mark.parametrize("minutes", [-1, 1])
async def test_a_change_does_not_take_a_note_of_another_time(history: History, minutes: int) -> None:
    await history.sign("note", "x", "ann", ago(1))
    await history.add(entry(1, datetime.now(UTC) + timedelta(minutes=minutes)), "x")
    assert await who(history) == [None]


async def test_equal_changes_are_signed_in_their_order_and_each_note_is_used_once(history: History) -> None:
    await history.add(entry(1), "x")
    await history.sign("one", "x", "ann", ago(1))
    await history.add(entry(2), "x")
    assert await who(history) == ["ann", None]
    await history.sign("one", "x", "ann", ago(1))  # as after an answer that was lost
    assert await who(history) == ["ann", None]
    await history.sign("two", "x", "bob", ago(1))
    assert await who(history) == ["ann", "bob"]


async def test_what_is_added_again_keeps_who_wrote_it(history: History) -> None:
    await history.add(entry(1), "x")
    await history.sign("one", "x", "ann", ago(1))
    await history.sign("two", "x", "bob", ago(1))
    await history.add(entry(1), "x")
    assert await who(history) == ["ann"]


async def test_entries_and_notes_that_come_at_once_are_all_joined(history: History) -> None:
    number = 40
    added = [history.add(entry(each), f"x{each}") for each in range(number)]
    signed = [history.sign(f"note{each}", f"x{each}", f"user{each}", ago(5)) for each in range(number)]
    await asyncio.gather(*added, *signed)
    assert await who(history) == [f"user{each}" for each in range(number)]


async def test_of_equal_ones_that_come_at_once_each_is_joined_with_another(history: History) -> None:
    number = 12
    added = [history.add(entry(each), "x") for each in range(number)]
    signed = [history.sign(f"note{each}", "x", f"user{each}", ago(5)) for each in range(number)]
    await asyncio.gather(*added, *signed)
    assert sorted(map(str, await who(history))) == sorted(f"user{each}" for each in range(number))


async def test_older_entries_are_behind_a_position(history: History) -> None:
    for each in range(5):
        await history.add(entry(each), f"x{each}")
    found = await history.entries("user", '"7"', 2, before=entry(3).position)
    assert [each.change for each in found] == ["user:2", "user:1"]
