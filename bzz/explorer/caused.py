"""What a request causes: signals, events and their listeners, one within the other, with their times.

It is recorded for a request that asks by the header ``Bzz-Explain``, if whoever sent it may look inside; it travels in
the header ``Bzz-Caused`` of its answer, as JSON, and is kept nowhere. What runs after the answer is not in it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from bzz import signals
from bzz.events.bus import bus
from bzz.events.event import Event
from bzz.explorer.listening import name_of
from bzz.signals import Receiver, Signal

__all__ = ["ANSWER", "ASK", "Caused", "record"]

ASK = "Bzz-Explain"
ANSWER = "Bzz-Caused"

MAX_STEPS = 60
MAX_BYTES = 6000  # of the header: proxies take 8 KB of headers at the least

Step = dict[str, Any]

_here: ContextVar[tuple[Caused, list[Step]] | None] = ContextVar("bzz_explorer_caused", default=None)
_watching = 0
_NOTHING: AbstractContextManager[Any] = nullcontext()


class Caused:
    """What one request has caused so far.

    :ivar steps: each with ``what`` (event, listener or receiver), ``name``, ``on`` (the signal of a receiver), ``ms``,
        ``error`` if it failed, and ``steps``.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._count = 0
        self._called = 0  # functions: receivers and listeners
        self._began = time.perf_counter()
        self._is_over = False

    @contextmanager
    def step(self, within: list[Step], what: str, name: str, **more: str) -> Iterator[None]:
        """Record something that happens within another step."""
        self._count += 1
        self._called += what != "event"
        if self._is_over or self._count > MAX_STEPS:
            yield
            return
        began = time.perf_counter()
        step: Step = {"what": what, "name": name, **more, "at": _ms(began - self._began), "steps": []}
        within.append(step)
        token = _here.set((self, step["steps"]))
        try:
            yield
        except BaseException as error:
            step["error"] = type(error).__name__
            raise
        finally:
            _here.reset(token)
            step["ms"] = _ms(time.perf_counter() - began)

    def finish(self) -> str:
        """Return it as the value of a header, and record no more."""
        self.stop()
        told = {"ms": _ms(time.perf_counter() - self._began), "called": self._called, "steps": self.steps}
        text = _ascii(told)
        while len(text) > MAX_BYTES and self.steps:
            self.steps.pop()
            text = _ascii({**told, "more": True})
        return text

    def stop(self) -> None:
        """Record no more; calling it again changes nothing."""
        if not self._is_over:
            self._is_over = True
            _unwatch()


def _ascii(told: Any) -> str:
    """Return JSON that a header may hold: all other characters are escaped."""
    return json.dumps(told, separators=(",", ":"))


def record() -> Caused:
    """Record what the current request causes from now on, until :meth:`Caused.finish`."""
    caused = Caused()
    _here.set((caused, caused.steps))
    _watch()
    return caused


def _watch() -> None:
    global _watching
    _watching += 1
    if _watching == 1:
        bus.watch(_event_hook)
        signals.watch(_signal_hook)


def _unwatch() -> None:
    global _watching
    _watching -= 1
    if not _watching:
        bus.unwatch(_event_hook)
        signals.unwatch(_signal_hook)


def _event_hook(event: Event, listener: str | None) -> AbstractContextManager[Any]:
    now = _here.get()
    if now is None:
        return _NOTHING
    caused, within = now
    return caused.step(within, "event", event.name) if listener is None else caused.step(within, "listener", listener)


def _signal_hook(signal: Signal, receiver: Receiver) -> AbstractContextManager[Any]:
    now = _here.get()
    if now is None or receiver.__module__ == "bzz.events.from_signals":  # which sends events, that are told themselves
        return _NOTHING
    caused, within = now
    return caused.step(within, "receiver", name_of(receiver), on=signal.name)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
