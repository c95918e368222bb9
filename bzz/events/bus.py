"""The bus: who listens, and how an event reaches them. ``bzz.on``, ``bzz.emit`` and so on are those of :data:`bus`.

Everything that is sent is watched by the logger ``bzz.events`` (DEBUG) and by the hooks of :meth:`Bus.watch`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any, Protocol, TypeVar, overload

from bzz.calling import call
from bzz.errors import ConfigurationError
from bzz.events.background import response_of
from bzz.events.causes import MAX_DEPTH, is_silent, mark, sending
from bzz.events.event import Event, Named
from bzz.events.isolation import accepts, isolated
from bzz.events.listeners import Listener, Roster, identity
from bzz.events.loops import Loops, running_loop
from bzz.events.model_events import ModelEvent
from bzz.events.targets import Subject, Target, check_reserved, has_transition, parse
from bzz.request import current_handler

__all__ = ["MAX_DEPTH", "Bus", "Hook", "bus"]

logger = logging.getLogger("bzz.events")

E = TypeVar("E", bound=Event)
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

Hook = Callable[[Event, "str | None"], AbstractContextManager[Any]]
"""Makes a context manager, entered while an event is sent (given None) and while each listener runs (its name)."""


_UNWATCHED = nullcontext()


class Typed(Protocol[E]):
    """A decorator for functions that take one ``E``, and returns them unchanged."""

    def __call__(self, function: Callable[[E], R], /) -> Callable[[E], R]: ...


class Untyped(Protocol):
    """A decorator for functions that take one event, and returns them unchanged."""

    def __call__(self, function: F, /) -> F: ...


class Bus:
    """Listeners, and a way to send events to them, from any number of loops and threads.

    :ivar loops: those on which it was asked or sent anything.
    """

    def __init__(self) -> None:
        self._roster = Roster()
        self._hooks: tuple[Hook, ...] = ()
        self._lock = threading.Lock()
        self.loops = Loops()
        self._reserved: frozenset[str] = frozenset()
        self.max_depth = MAX_DEPTH

    def reserve(self, model: str) -> None:
        """Keep the names that begin with a model's name for its own events; done when its routes are made.

        :raises bzz.errors.ConfigurationError: where somebody listens for such a name that is none of a model's events.
        """
        for listener in self._roster.listeners:
            check_reserved(listener.target, (model,))
        self._reserved |= {model}

    def check(self, target: Target) -> None:
        """Check that ``target`` may be listened for.

        :raises bzz.errors.ConfigurationError: where a model has routes whose events are not called so.
        """
        check_reserved(target, self._reserved)

    def _check_own(self, event: Event) -> None:
        model = event.name.partition(".")[0]
        if model in self._reserved and model != event.name and not isinstance(event, ModelEvent) and not event.remote:
            raise ConfigurationError(
                f"{event.name}: names of this kind are for the events of {model}, which has routes"
            )

    def set_max_depth(self, depth: int) -> None:
        """Set how many causes an event may have behind it; :data:`MAX_DEPTH` unless this is called.

        Processes that are joined by a relay should agree: an event with more causes is dropped where it arrives.

        :raises bzz.errors.ConfigurationError: for anything but a number of at least 1.
        """
        if type(depth) is not int or depth < 1:
            raise ConfigurationError(f"{depth!r} is no number of causes: give one of at least 1")
        self.max_depth = depth

    @overload
    def on(
        self,
        target: type[E],
        /,
        *,
        background: bool = ...,
        origin: Any = ...,
        when: Any = ...,
        once: bool = ...,
        key: str | None = ...,
    ) -> Typed[E]: ...

    @overload
    def on(
        self,
        target: type[ModelEvent[Any]],
        model: type,
        /,
        *,
        background: bool = ...,
        origin: Any = ...,
        when: Any = ...,
        once: bool = ...,
        key: str | None = ...,
    ) -> Untyped: ...

    @overload
    def on(
        self,
        target: str | re.Pattern[str],
        /,
        *,
        background: bool = ...,
        origin: Any = ...,
        when: Any = ...,
        once: bool = ...,
        key: str | None = ...,
    ) -> Untyped: ...

    def on(
        self,
        target: Any,
        model: type | None = None,
        /,
        *,
        background: bool = False,
        origin: Any = None,
        when: Any = None,
        once: bool = False,
        key: str | None = None,
    ) -> Any:
        """Decorate a plain function or a coroutine function so that it is called with each event that matches.

        Listeners are awaited one after the other, in the order in which they were registered, whatever they were
        registered for. A function that is registered more than once runs once for an event.

        :param target: a name (``'User.created'``), a glob (``'*.deleted'``, see :class:`bzz.events.targets.Glob`), a
            compiled regular expression that matches the whole name, or a class of events (``Updated[User]``).
        :param model: a model class, its subclasses included: ``on(Updated, User)`` is ``on(Updated[User])``.
        :param background: whether to run after the response, without anybody waiting for it; see :meth:`drain`.
        :param origin: only events that were sent from there.
        :param when: ``(old, new)``, only this transition of a field: each is a value, a set of values, a function
            that says yes or no, or ``...`` for any.
        :param once: whether to listen no longer once an event was taken.
        :param key: a name for this registration. A later one with the same key takes its place, so that a module which
            is loaded again has its listeners once.
        :returns: the decorator; it returns the function as it is.
        :raises bzz.errors.ConfigurationError: for a target that nothing can match, such as ``'User.updatd'`` once a
            model ``User`` has routes.
        """
        found = parse(target, model)
        self.check(found)
        if when is not None and not (isinstance(when, tuple) and len(when) == 2):
            raise ConfigurationError(f"when={when!r}: give the transition as a pair, (old, new)")
        if when is not None and not has_transition(found):
            raise ConfigurationError(f"when= is for field events such as 'User.updated.email', not for {found}")

        def register(function: F) -> F:
            if not callable(function):
                raise ConfigurationError(f"{function!r} can't listen: it is no function")
            self._add(Listener(function, found, background, origin, when, once, key))
            return function

        return register

    def after(self, target: Target, function: Callable[[Any], None]) -> None:
        """Call ``function`` with each event that matches once its listeners are done; what :mod:`bzz.relay` is made of.

        An event that was refused does not get there.
        """
        self._add(Listener(function, target, last=True))

    def off(self, function: Callable[..., Any]) -> None:
        """Stop calling ``function``, whatever it was registered for; nothing happens where it was for nothing."""
        gone = identity(function)
        with self._lock:
            self._set_listeners(tuple(each for each in self._roster.listeners if each.identity != gone))

    def _add(self, listener: Listener) -> None:
        with self._lock:
            now = self._roster.listeners
            if listener.key is not None and any(each.key == listener.key for each in now):
                self._set_listeners(tuple(listener if each.key == listener.key else each for each in now))
            elif listener.key is not None or not any(each.same_as(listener) for each in now):
                self._set_listeners((*now, listener))

    def _takes(self, listener: Listener) -> bool:
        """Whether a listener gets an event that it accepts; one that listens once gets no other, on any loop."""
        if not listener.once:
            return True
        with self._lock:
            now = self._roster.listeners
            self._set_listeners(tuple(each for each in now if each is not listener))
            return listener in now

    def _set_listeners(self, listeners: tuple[Listener, ...]) -> None:
        self._roster = Roster(listeners, self._roster.taps, self._roster.silences)

    @overload
    async def emit(self, event: E, /, *, origin: Any = ...) -> E: ...

    @overload
    async def emit(self, event: str, /, *, origin: Any = ..., **payload: Any) -> Named: ...

    async def emit(self, event: Event | str, /, *, origin: Any = None, **payload: Any) -> Event:
        """Send an event and await its listeners.

        :param event: an event, or the name of one that has no class.
        :param origin: where it is sent from, by which listeners may choose.
        :param payload: for a name, what the event carries.
        :returns: the event as the listeners left it.
        :raises bzz.errors.ConfigurationError: for an own event whose name begins with that of a model with routes.
        :raises bzz.errors.EventCycle: where it has more than :attr:`max_depth` causes behind it.
        :raises Exception: what a listener raises, for events that may be refused (``User.creating``); what listeners of
            other events raise is logged.
        """
        self.loops.here()
        made = _made(event, payload)
        if self._reserved:
            self._check_own(made)
        mark(made, origin, self.max_depth)
        if not is_silent(made):
            await self._send(made)
        return made

    async def _send(self, event: Event) -> None:
        taps, listeners = self._roster.audience(Subject(event.name, type(event), getattr(event, "model", None)))
        for tap in taps:
            tap.function(event)
        began = time.perf_counter()
        with self._watched(event, None), sending(event):
            count = await self._deliver(event, listeners)
        _log(event, count, time.perf_counter() - began)

    async def _deliver(self, event: Event, listeners: tuple[Listener, ...]) -> int:
        done: set[Any] = set()
        for listener in listeners:
            if listener.identity not in done and accepts(listener, event) and self._takes(listener):
                done.add(listener.identity)
                await self._hand(event, listener)
        return len(done)

    async def _hand(self, event: Event, listener: Listener) -> None:
        if listener.background:
            work, name = functools.partial(self._run_later, event, listener), f"{event.name} -> {listener.name}"
            response = response_of(getattr(event, "handler", None) or current_handler())
            self.loops.here().start(work, name, response, event.request_id)
        elif event.isolated:
            await isolated(functools.partial(self._run, event, listener), event, listener)
        else:
            await self._run(event, listener)

    async def _run_later(self, event: Event, listener: Listener) -> None:
        """Run a background listener: a delivery of its own, for the event's has ended."""
        with sending(event):
            await self._run(event, listener)

    async def _run(self, event: Event, listener: Listener) -> None:
        with self._watched(event, listener.name):
            await call(listener.function, event)

    def emit_from_thread(
        self,
        event: Event | str,
        /,
        *,
        origin: Any = None,
        loop: asyncio.AbstractEventLoop | None = None,
        **payload: Any,
    ) -> concurrent.futures.Future[Any]:
        """Send an event from a thread that runs no event loop; its listeners run on the loop.

        :param loop: the loop; needed only where several are running, or none has yet sent or been asked anything.
        :returns: a future; ``result(timeout)`` waits for the event as the listeners left it.
        :raises bzz.errors.ConfigurationError: where it is not clear which loop is meant, or the caller's own thread
            runs it (there, ``await`` :meth:`emit`).
        """
        where = loop or self.loops.only()
        if where is None:
            raise ConfigurationError("no loop, or more than one, has sent events so far: name it, loop=...")
        if where is running_loop():
            raise ConfigurationError("this thread runs the loop itself: use 'await bzz.emit(...)'")
        made = _made(event, payload)
        return asyncio.run_coroutine_threadsafe(self.emit(made, origin=origin), where)

    async def drain(self, deadline: float = 10.0) -> list[str]:
        """Wait for the background listeners of this loop, as a server does when it stops.

        :param deadline: in seconds. What still runs then is reported in the log and left running.
        :returns: the names of those, ``'User.created -> app.audit'``; empty where all are done.
        """
        return await self.loops.here().drain(deadline)

    def watch(self, hook: Hook) -> Hook:
        """Have ``hook`` called around all that is sent, for timing and tracing; it must not raise.

        :param hook: called with the event and a listener's name, or None for the event as a whole; the context
            manager that it returns is entered meanwhile, and sees what a listener raises.
        :returns: the hook, for :meth:`unwatch` and for use as a decorator.
        """
        with self._lock:
            self._hooks = (*self._hooks, hook)
        return hook

    def unwatch(self, hook: Hook) -> None:
        """Stop calling ``hook``."""
        with self._lock:
            self._hooks = tuple(each for each in self._hooks if each is not hook)

    def _watched(self, event: Event, listener: str | None) -> AbstractContextManager[Any]:
        if not self._hooks:
            return _UNWATCHED
        stack = ExitStack()
        for hook in self._hooks:
            stack.enter_context(hook(event, listener))
        return stack

    @contextlib.contextmanager
    def tap(self, target: Any, model: type | None, record: Callable[[Event], None], silence: bool) -> Iterator[None]:
        """Meanwhile call ``record`` with what matches before any listener gets it; what :mod:`bzz.testing` is made of.

        :param silence: whether listeners are not called meanwhile, on any loop.
        """
        tap = Listener(record, parse(target, model))
        with self._lock:
            now = self._roster
            self._roster = Roster(now.listeners, (*now.taps, tap), now.silences + silence)
        try:
            yield
        finally:
            with self._lock:
                now = self._roster
                taps = tuple(each for each in now.taps if each is not tap)
                self._roster = Roster(now.listeners, taps, now.silences - silence)

    def wants(self, kinds: tuple[type[ModelEvent[Any]], ...], model: Any) -> bool:
        """Whether anybody listens for model events of these classes and model; of field events, whatever the field.

        A hive asks for each request, so once anybody listens threads find its loop.
        """
        if not (self._roster.listeners or self._roster.taps):
            return False
        loop = running_loop()
        if loop is not None and loop not in self.loops:
            self.loops.here()
        return isinstance(model, type) and self._roster.wants(kinds, model)

    def asks_for_updating(self, model: type, first: str) -> bool:
        """Whether anybody asks for ``<Model>.updating.<field>`` of fields whose name begins with this part."""
        return self._roster.asks_for_updating(model, first)

    def hears(self, subject: Subject) -> bool:
        """Whether anybody would get such an event, filters apart; where not, it needs not be made."""
        return any(self._roster.audience(subject))


def _made(event: Event | str, payload: dict[str, Any]) -> Event:
    if isinstance(event, str):
        return Named(event, payload)
    if payload:
        raise TypeError(f"{event!r} is an event already: give {', '.join(payload)} when it is made")
    return event


def _log(event: Event, count: int, seconds: float) -> None:
    if logger.isEnabledFor(logging.DEBUG):
        text = "%s (id %s, request %s, cause %s) went to %d listeners in %.3f ms"
        cause = event.cause.name if event.cause else None
        logger.debug(text, event.name, event.id, event.request_id, cause, count, seconds * 1000)


bus = Bus()
"""The bus of the process, on which model events are sent."""
