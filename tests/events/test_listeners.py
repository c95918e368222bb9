"""What it costs to find out who is meant, counted rather than timed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from bzz.events.bus import Bus
from bzz.events.event import Event
from bzz.events.listeners import CACHED_NAMES, Listener, Listeners
from bzz.events.model_events import Created
from bzz.events.targets import Subject, Target
from tests.events.conftest import Calls


@dataclass(eq=False)
class Counting(Target):
    """Means every name, and counts how often it is asked."""

    asked: int = 0

    def matches(self, subject: Subject) -> bool:
        self.asked += 1
        return subject.name == "wanted"

    def matches_some_field(self, model: type) -> bool:
        self.asked += 1
        return False


def roster_of(size: int) -> tuple[Listeners, list[Counting]]:
    targets = [Counting() for _ in range(100)]
    return Listeners(tuple(Listener(lambda event: None, targets[each % 100]) for each in range(size))), targets


@pytest.mark.parametrize("size", [10, 1000])
def test_a_name_seen_before_is_matched_against_nothing_however_many_listen(size: int) -> None:
    roster, targets = roster_of(size)
    roster.audience(Subject("other", Event))
    first = sum(each.asked for each in targets)
    for _ in range(1000):
        roster.audience(Subject("other", Event))
    assert (first, sum(each.asked for each in targets)) == (size, size)


def test_the_names_remembered_are_bounded() -> None:
    roster, _ = roster_of(1)
    for number in range(CACHED_NAMES + 100):
        roster.audience(Subject(f"name{number}", Event))
    assert roster.audience.cache_info().currsize == CACHED_NAMES


async def test_what_was_remembered_is_forgotten_when_listeners_change(own_bus: Bus, calls: Calls) -> None:
    await own_bus.emit("a")
    listener = calls.listener("x")
    own_bus.on("a")(listener)
    await own_bus.emit("a")
    own_bus.off(listener)
    await own_bus.emit("a")
    assert calls.made == ["x"]


async def test_registering_the_same_again_does_not_pile_up(own_bus: Bus) -> None:
    def listener(event: Any) -> None: ...

    for _ in range(100):
        own_bus.on("a", when=("x", ...))(listener)
    assert len(own_bus._listeners.listeners) == 1


def test_whether_anybody_wants_a_model_is_remembered_too() -> None:
    roster, targets = roster_of(1000)
    for _ in range(10):
        roster.wants((Created,), int)
    assert sum(each.asked for each in targets) == 1000
