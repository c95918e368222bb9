"""Durable listeners, on a real MongoDB."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument

from bzz.change import Position
from bzz.delivery import listener, owner
from bzz.delivery.own_writes import OwnWrites
from bzz.delivery.owner import Owner
from bzz.delivery.source import sources_of
from bzz.events import Event
from bzz.providers.deliveries import Letter, LetterState
from bzz.providers.mongoengine.changes.commits import StoredCommit
from bzz.providers.mongoengine.changes.deliveries import MongoDeliveries
from bzz.providers.mongoengine.client import connected

__all__ = ["Seen", "a_letter", "eventually", "listening", "make_owner"]


async def eventually(condition: Callable[[], Any], seconds: float = 45) -> Any:
    """Wait until a condition holds, and return what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, f"{condition} does not come true"
        await asyncio.sleep(0.01)


def a_letter(key: str, increment: int, state: LetterState = "queued") -> Letter:
    """A letter of the listener ``x``, in its first partition."""
    now = datetime.now(UTC)
    document = RawBSONDocument(bson.encode({"_id": key}))
    commit = StoredCommit(
        "sheep", key, "created", None, {"_id": key}, True, Position(5, increment, 1), now, 1, lambda: (None, document)
    )
    return Letter(f"x/sheep:5.{increment}.1", "x", 0, key, commit, state, 0, now)


async def listening() -> None:
    """Wait until a listener of the test has all of its partitions."""
    deliveries = MongoDeliveries(connected("default").database)

    async def has_all() -> bool:
        states = await deliveries.states()
        return bool(states) and all(each.holder for each in states[0].partitions)

    await eventually(has_all)


def make_owner() -> Owner:
    """One of several processes that share the listener of a test; here they are all in one."""
    (declaration,) = listener.declared()
    (source,) = sources_of(declaration)
    return Owner(declaration, source, OwnWrites({}))


class Seen(list[Any]):
    """A listener that keeps its events."""

    async def __call__(self, event: Event) -> None:
        self.append(event)

    __hash__ = object.__hash__  # type: ignore[assignment]

    @property
    def names(self) -> list[str]:
        return [each.name for each in self]

    async def times(self, number: int) -> Seen:
        """Wait until there are so many."""
        await eventually(lambda: len(self) >= number)
        assert len(self) == number, self.names
        return self


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture(autouse=True)
def own_listeners() -> Iterator[None]:
    """The names of a test's listeners are free again after it."""
    yield
    listener._declared.clear()


@pytest.fixture
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes see soon who came and who left; leases are as long as ever, so a busy machine loses none."""
    monkeypatch.setattr(owner, "BEAT_SECONDS", 0.3)
