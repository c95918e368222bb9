"""Record events, expect them, and keep listeners from running. For pytest, unittest or any other runner."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeVar, overload

from bzz.events.base import ModelEvent
from bzz.events.bus import bus
from bzz.events.event import Event
from bzz.events.targets import EventClass, Subject, Target, parse

__all__ = ["Captured", "capture", "expect"]

E = TypeVar("E", bound=Event)
E_co = TypeVar("E_co", bound=Event)

SHOWN = 20


class Captured(list[E]):
    """Events in the order in which they were sent: a cause before what it caused."""

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [event.name for event in self]


@overload
def capture(target: type[E], /, *, silence: bool = ...) -> contextlib.AbstractContextManager[Captured[E]]: ...


@overload
def capture(
    target: type[ModelEvent[Any]] | str | re.Pattern[str] = ..., model: type | None = ..., /, *, silence: bool = ...
) -> contextlib.AbstractContextManager[Captured[Any]]: ...


@contextlib.contextmanager
def capture(target: Any = "*", model: type | None = None, /, *, silence: bool = False) -> Iterator[Captured[Any]]:
    """Record the events that match, from any task, loop or thread. Blocks may be nested.

    :param target: as for ``bzz.on``; all events by default.
    :param model: as for ``bzz.on``.
    :param silence: whether to call no listeners within the block.
    """
    seen: Captured[Any] = Captured()
    with bus.tap(target, model, seen.append, silence):
        yield seen


@contextlib.contextmanager
def expect(
    target: Any, model: type | None = None, /, *, times: int | None = None, silence: bool = False
) -> Iterator[Captured[Any]]:
    """Fail at the end of the block unless a matching event was sent in it.

    :param target: as for ``bzz.on``.
    :param model: as for ``bzz.on``.
    :param times: how often exactly; by default at least once.
    :param silence: whether to call no listeners within the block.
    :returns: the events that matched.
    :raises AssertionError: if not; the message says what is missing and what was sent instead, the nearest name first.
    """
    wanted, seen = parse(target, model), Captured[Any]()
    everything: Captured[Any] = Captured()

    def record(event: Event) -> None:
        everything.append(event)
        if wanted.matches(Subject(event.name, type(event), getattr(event, "model", None))):
            seen.append(event)

    with bus.tap("*", None, record, silence):
        yield seen
    if len(seen) != times if times is not None else not seen:
        raise AssertionError(_failure(wanted, times, seen, everything))


def _failure(wanted: Target, times: int | None, seen: Captured[Any], everything: Captured[Any]) -> str:
    hoped = "at least once" if times is None else _times(times)
    others = Counter(event.name for event in everything if event not in seen)
    lines = [f"expected {wanted} {hoped}, it was sent {_times(len(seen))}", *(f"  {event!r}" for event in seen[:SHOWN])]
    if not everything:
        return f"{lines[0]}; no event was sent at all"
    if not others:
        return "\n".join([*lines, "nothing else was sent"])
    nearest = sorted(others, key=lambda name: -_likeness(wanted, name))
    shown = [f"  {name}" + (f" ({_times(others[name])})" if others[name] > 1 else "") for name in nearest[:SHOWN]]
    return "\n".join([*lines, "what came instead, nearest name first:", *shown])


def _likeness(wanted: Target, name: str) -> float:
    pairs = list(itertools.zip_longest(_spelled(wanted).split("."), name.split("."), fillvalue=""))
    return sum(difflib.SequenceMatcher(None, *pair).ratio() for pair in pairs) / len(pairs)


def _spelled(wanted: Target) -> str:
    if isinstance(wanted, EventClass):
        model = f"{wanted.model.__name__}." if wanted.model else ""
        return model + getattr(wanted.kind, "verb", getattr(wanted.kind, "_name", ""))
    return str(wanted)


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
