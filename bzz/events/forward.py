"""From anybody's signals to events: Flask's, MongoEngine's, Django's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from bzz.errors import ConfigurationError
from bzz.events.bus import Bus, bus
from bzz.events.event import AdHocEvent, Event, checked_name
from bzz.events.loops import running_loop
from bzz.events.model_events import ModelEvent
from bzz.events.targets import Subject

__all__ = ["Forwarding", "SignalLike", "forward"]

logger = logging.getLogger("bzz.events")

Hook = Callable[..., "Event | str | None"]


class SignalLike(Protocol):
    """A signal of blinker's kind. Receivers are called with the sender and keyword arguments."""

    def connect(self, receiver: Any, /, *, sender: Any = ..., weak: bool = ...) -> Any:
        """Call ``receiver`` from now on, for one sender or for all."""

    def disconnect(self, receiver: Any, /) -> Any:
        """Call it no longer."""


class Forwarding:
    """A signal that is forwarded until :meth:`disconnect`; it is the signal's receiver."""

    def __init__(self, signal: SignalLike, target: str | type[Event] | Hook, to: Bus) -> None:
        self._signal = signal
        self._target = target
        self._bus = to

    def __call__(self, sender: Any = None, **arguments: Any) -> Any:
        """Send an event for one sending of the signal.

        :returns: in a thread that runs a loop, a task, which may be awaited and need not be.
        """
        try:
            event = self._event(sender, arguments)
            return event and self._dispatch(self._emit(event, sender), f"forward {event.name}")
        except (Exception, asyncio.CancelledError):  # the latter is of what the function looked at: nothing is awaited
            logger.exception("a signal from %r was not forwarded", sender)
            return None

    def disconnect(self) -> None:
        """Forward no longer."""
        self._signal.disconnect(self)

    def _event(self, sender: Any, arguments: dict[str, Any]) -> Event | None:
        made: Any = self._target
        if not isinstance(made, (str, type)):
            made = made(sender, **arguments)
        if isinstance(made, Event):
            return made
        if isinstance(made, str):
            return AdHocEvent(made, arguments) if self._bus.has_listeners(Subject(made, AdHocEvent)) else None
        heard = made is not None and self._bus.has_listeners(Subject(made._name, made))
        return _filled(made, {"sender": sender, **arguments}) if heard else None

    async def _emit(self, event: Event, sender: Any) -> None:
        try:
            await self._bus.emit(event, origin=sender)
        except Exception:
            logger.exception("%s was forwarded and refused", event.name)

    async def _alone(self, work: Coroutine[Any, Any, None]) -> None:
        """Do all of it: when this is done, the loop that it runs on is gone."""
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
    """Send an event whenever ``signal`` is sent; its sender becomes the event's ``origin``.

    In a thread that runs no loop the listeners run on the loop that the bus knows, and where it knows none (an
    application without asyncio) in that thread, which waits for them, for those in the background ten seconds at the
    most; what is not done then is cancelled, and the log names it. Elsewhere a signal's sender does not wait for the
    listeners, unless it awaits what its receivers return.

    :param signal: any object with ``connect(receiver, sender=..., weak=...)`` and ``disconnect(receiver)``.
    :param target: an event's name, which carries the signal's arguments; a class of events, whose fields are taken
        from them, and from the sender for a field ``sender``; or a function of ``(sender, **arguments)`` that
        returns a name, an event, or None for nothing (for a class of model events, such a function).
    :param sender: only what this one sends; None for all.
    :returns: the forwarding, whose ``disconnect()`` ends it.
    :raises bzz.errors.ConfigurationError: for a target that is none of these.
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
