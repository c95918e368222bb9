"""Sends events for the signals of other packages, such as Flask, MongoEngine and Django."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from bzz.errors import ConfigurationError
from bzz.events.base import ModelEvent
from bzz.events.bus import Bus, bus
from bzz.events.event import AdHocEvent, Event, checked_name
from bzz.events.loops import running_loop
from bzz.events.targets import Subject

__all__ = ["Forwarding", "SignalLike", "forward"]

logger = logging.getLogger("bzz.events")

Hook = Callable[..., "Event | str | None"]


class SignalLike(Protocol):
    """A signal of blinker's kind. Receivers are called with the sender and keyword arguments."""

    def connect(self, receiver: Any, /, *, sender: Any = ..., weak: bool = ...) -> Any:
        """Call ``receiver`` from now on, for one sender or for all."""

    def disconnect(self, receiver: Any, /) -> Any:
        """Stop calling ``receiver``."""


class Forwarding:
    """The receiver of a signal that is forwarded until :meth:`disconnect`."""

    def __init__(self, signal: SignalLike, target: str | type[Event] | Hook, to: Bus) -> None:
        self._signal = signal
        self._target = target
        self._bus = to

    def __call__(self, sender: Any = None, **arguments: Any) -> Any:
        """Send an event for one call of the signal.

        :returns: in a thread that runs an event loop, the task that sends it; it need not be awaited.
        """
        try:
            event = self._event(sender, arguments)
            return event and self._dispatch(self._emit(event, sender), f"forward {event.name}")
        except (
            Exception,
            asyncio.CancelledError,
        ):  # the latter from a function: nothing is awaited here
            logger.exception("a signal from %r was not forwarded", sender)
            return None

    def disconnect(self) -> None:
        """Stop forwarding."""
        self._signal.disconnect(self)

    def _event(self, sender: Any, arguments: dict[str, Any]) -> Event | None:
        made: Any = self._target
        if not isinstance(made, (str, type)):
            made = made(sender, **arguments)
        if isinstance(made, Event):
            return made
        if isinstance(made, str):
            return AdHocEvent(made, arguments) if self._bus.has_listeners(Subject(made, AdHocEvent)) else None
        wanted = made is not None and self._bus.has_listeners(Subject(made._name, made))
        return _filled(made, {"sender": sender, **arguments}) if wanted else None

    async def _emit(self, event: Event, sender: Any) -> None:
        try:
            await self._bus.emit(event, origin=sender)
        except Exception:
            logger.exception("%s was forwarded and refused", event.name)

    async def _alone(self, work: Coroutine[Any, Any, None]) -> None:
        """Send, and wait for background listeners too, since the loop ends with this."""
        await work
        await self._bus.drain()

    def _dispatch(self, work: Coroutine[Any, Any, None], name: str) -> Any:
        if running_loop() is not None:
            return self._bus.loops.here().task(work, name)
        if (loop := self._bus.loops.only()) is not None:
            asyncio.run_coroutine_threadsafe(work, loop)
        else:
            asyncio.run(self._alone(work))
        return None


def _filled(kind: type[Event], values: dict[str, Any]) -> Event:
    taken = {field.name for field in kind._fields}
    return kind(**{name: value for name, value in values.items() if name in taken})


def forward(signal: SignalLike, target: str | type[Event] | Hook, sender: Any = None) -> Forwarding:
    """Send an event whenever ``signal`` is sent; the signal's sender becomes the event's ``origin``.

    In a thread without an event loop the listeners run on the loop that the bus knows. If it knows none (an application
    without asyncio), they run in that thread, which waits for them: at most ten seconds for background listeners, then
    those are cancelled and logged. Otherwise the signal's sender does not wait for the listeners, unless it awaits what
    its receivers return.

    :param signal: any object with ``connect(receiver, sender=..., weak=...)`` and ``disconnect(receiver)``.
    :param target: one of: the name of the event, whose payload is the signal's arguments; a class of events, whose
        fields are taken from the arguments, and a field ``sender`` from the sender; a function of
        ``(sender, **arguments)`` that returns a name, an event, or None to send nothing. Model events need a function.
    :param sender: forward only signals of this sender; None for all.
    :returns: the forwarding, whose ``disconnect()`` ends it.
    :raises bzz.errors.ConfigurationError: if ``target`` is none of these.
    """
    if isinstance(target, str):
        checked_name(target)
    elif not _makes_events(target):
        raise ConfigurationError(f"{target!r} is no event name, no class of own events and no function that gives one")
    forwarding = Forwarding(signal, target, bus)
    chosen = {} if sender is None else {"sender": sender}
    signal.connect(forwarding, weak=False, **chosen)
    return forwarding


def _makes_events(target: Any) -> bool:
    if isinstance(target, type):
        return issubclass(target, Event) and not issubclass(target, ModelEvent)
    return callable(target)
