"""The bus sends events to their listeners. ``bzz.on``, ``bzz.emit`` and so on are methods of :data:`bus`.

Each event that is sent is logged by ``bzz.events`` (DEBUG), and passes the hooks of :meth:`Bus.watch`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any, TypeVar, overload

from bzz.calling import call
from bzz.errors import ConfigurationError, EventCycle
from bzz.events.background import response_of
from bzz.events.base import ModelEvent
from bzz.events.causes import MAX_DEPTH, mark, sending
from bzz.events.event import AdHocEvent, Event
from bzz.events.isolation import accepts, isolated
from bzz.events.listeners import Listener
from bzz.events.loops import Loops, running_loop
from bzz.events.registry import ListenerRegistry
from bzz.events.silence import is_silent
from bzz.events.targets import Subject
from bzz.request import current_handler

__all__ = ["MAX_DEPTH", "Bus", "Hook", "bus"]

logger = logging.getLogger("bzz.events")

E = TypeVar("E", bound=Event)

Hook = Callable[[Event, "str | None"], AbstractContextManager[Any]]
"""Returns a context manager, entered while an event is sent (given None) and while each listener runs (its name)."""

_UNWATCHED = nullcontext()


class Bus(ListenerRegistry):
    """Listeners, and a way to send events to them, from any number of loops and threads.

    :ivar loops: the event loops on which it was used.
    """

    def __init__(self) -> None:
        super().__init__()
        self._hooks: tuple[Hook, ...] = ()
        self.loops = Loops()
        self.max_depth = MAX_DEPTH

    def _check_name(self, event: Event) -> None:
        model = event.name.partition(".")[0]
        if model in self._reserved and model != event.name and not isinstance(event, ModelEvent) and not event.remote:
            raise ConfigurationError(
                f"{event.name}: names of this kind are for the events of {model}, which has routes"
            )

    def set_max_depth(self, depth: int) -> None:
        """Set how many causes an event may have behind it; :data:`MAX_DEPTH` unless this is called.

        Processes on one relay should have the same limit: an event with more causes is dropped by its receivers.

        :raises bzz.errors.ConfigurationError: if ``depth`` is not an integer of at least 1.
        """
        if type(depth) is not int or depth < 1:
            raise ConfigurationError(f"{depth!r} is no number of causes: give one of at least 1")
        self.max_depth = depth

    @overload
    async def emit(self, event: E, /, *, origin: Any = ...) -> E: ...

    @overload
    async def emit(self, event: str, /, *, origin: Any = ..., **payload: Any) -> AdHocEvent: ...

    async def emit(self, event: Event | str, /, *, origin: Any = None, **payload: Any) -> Event:
        """Send an event and await its listeners.

        :param event: an event, or the name of one that has no class.
        :param origin: the sender, by which listeners may filter.
        :param payload: the attributes of an event that is given by name.
        :returns: the event as the listeners left it.
        :raises bzz.errors.ConfigurationError: if an event of the application has a name that is reserved for a model
            with routes.
        :raises bzz.errors.EventCycle: if the event has more than :attr:`max_depth` causes behind it.
        :raises Exception: what a listener raises, for events that may be refused (``User.creating``). What listeners of
            other events raise is logged.
        """
        self.loops.here()
        made = _as_event(event, payload)
        if self._reserved:
            self._check_name(made)
        mark(made, origin, self.max_depth)
        if not is_silent(made):
            await self._send(made)
        return made

    async def _send(self, event: Event) -> None:
        taps, listeners = self._listeners.audience(Subject(event.name, type(event), getattr(event, "model", None)))
        for tap in taps:
            tap.function(event)
        began = time.perf_counter()
        with self._watched(event, None), sending(event):
            count = await self._deliver(event, listeners)
        _log(event, count, time.perf_counter() - began)

    async def _deliver(self, event: Event, listeners: tuple[Listener, ...]) -> int:
        done: set[Any] = set()
        cycle: EventCycle | None = None
        for listener in listeners:
            if listener.identity not in done and accepts(listener, event) and self._claim(listener):
                done.add(listener.identity)
                try:
                    await self._dispatch(event, listener)
                except EventCycle as error:
                    if not event.isolated:
                        raise
                    cycle = cycle or error  # told to the sender, when the others have run
        if cycle is not None:
            raise cycle
        return len(done)

    async def _dispatch(self, event: Event, listener: Listener) -> None:
        if listener.background:
            work, name = functools.partial(self._run_later, event, listener), f"{event.name} -> {listener.name}"
            response = response_of(getattr(event, "handler", None) or current_handler())
            self.loops.here().start(work, name, response, event.request_id)
        elif event.isolated:
            await isolated(functools.partial(self._run, event, listener), event, listener)
        else:
            await self._run(event, listener)

    async def _run_later(self, event: Event, listener: Listener) -> None:
        """Run a background listener in a delivery of its own, since that of the event has ended."""
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

        :param loop: the loop. It is needed only if several loops use the bus, or none has used it yet.
        :returns: a future; ``result(timeout)`` waits for the event as the listeners left it.
        :raises bzz.errors.ConfigurationError: if it is not clear which loop is meant, or the caller's own thread runs
            it (``await`` :meth:`emit` there).
        """
        where = loop or self.loops.only()
        if where is None:
            raise ConfigurationError("no loop, or more than one, has sent events so far: name it, loop=...")
        if where is running_loop():
            raise ConfigurationError("this thread runs the loop itself: use 'await bzz.emit(...)'")
        made = _as_event(event, payload)
        return asyncio.run_coroutine_threadsafe(self.emit(made, origin=origin), where)

    async def drain(self, deadline: float = 10.0) -> list[str]:
        """Wait for the background listeners of this loop, as a server does when it stops.

        :param deadline: how long to wait, in seconds. What still runs then is logged and left running.
        :returns: the names of those that still run, ``'User.created -> app.audit'``; empty if all are done.
        """
        return await self.loops.here().drain(deadline)

    def watch(self, hook: Hook) -> Hook:
        """Call ``hook`` around each event and each listener, for timing and tracing. It must not raise.

        :param hook: called with the event and a listener's name, or None for the event as a whole. The context
            manager that it returns surrounds the work, and sees what a listener raises.
        :returns: the hook, so that this can be used as a decorator.
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

    def wants(self, kinds: tuple[type[ModelEvent[Any]], ...], model: Any) -> bool:
        """Return whether there is a listener for model events of one of these classes, for any field.

        Signals ask this on each request while there are listeners, so that the bus knows their loop.
        """
        loop = running_loop()
        if loop is not None and loop not in self.loops:
            self.loops.here()
        return isinstance(model, type) and self._listeners.wants(kinds, model)


def _as_event(event: Event | str, payload: dict[str, Any]) -> Event:
    if isinstance(event, str):
        return AdHocEvent(event, payload)
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
