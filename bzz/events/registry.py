"""The listeners of a bus: registered, replaced and taken away, from any thread."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar, overload

from bzz.errors import ConfigurationError
from bzz.events.base import ModelEvent
from bzz.events.event import Event
from bzz.events.listeners import Listener, Listeners, identity
from bzz.events.targets import Subject, Target, check_reserved, has_transition, parse

__all__ = ["ListenerRegistry"]

E = TypeVar("E", bound=Event)
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


class Typed(Protocol[E]):
    """A decorator for functions of one ``E``. It returns them unchanged."""

    def __call__(self, function: Callable[[E], R], /) -> Callable[[E], R]: ...


class Untyped(Protocol):
    """A decorator for functions of one event. It returns them unchanged."""

    def __call__(self, function: F, /) -> F: ...


class ListenerRegistry:
    """Registered listeners. Each change makes a new :class:`Listeners`, so that reading them needs no lock."""

    def __init__(self) -> None:
        self._listeners = Listeners()
        self._followers: tuple[Callable[[bool], None], ...] = ()
        self._lock = threading.Lock()
        self._reserved: frozenset[str] = frozenset()

    def reserve(self, model: str) -> None:
        """Reserve the names that begin with a model's name for its events, when its routes are made.

        :raises bzz.errors.ConfigurationError: if a listener was registered for such a name that no model event has.
        """
        for listener in self._listeners.listeners:
            check_reserved(listener.target, (model,))
        self._reserved |= {model}

    def check(self, target: Target) -> None:
        """Check that a listener may be registered for ``target``.

        :raises bzz.errors.ConfigurationError: if it begins with the name of a model with routes, and none of the
            model's events can match it.
        """
        check_reserved(target, self._reserved)

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
        """Register the decorated function, plain or coroutine, as a listener for each event that matches.

        Listeners are awaited one after the other, in the order in which they were registered. A function that is
        registered more than once runs once for an event.

        :param target: a name (``'User.created'``), a glob (``'*.deleted'``, see :class:`bzz.events.targets.Glob`), a
            compiled regular expression that matches the whole name, or a class of events (``Updated[User]``).
        :param model: a model class, its subclasses included: ``on(Updated, User)`` is ``on(Updated[User])``.
        :param background: whether to run after the response, which does not wait for it; see ``bzz.drain``.
        :param origin: listen only to events of this origin.
        :param when: ``(old, new)``: listen only to this transition of a field. Each is a value, a set of values, a
            predicate, or ``...`` for any value.
        :param once: whether to stop listening after the first event.
        :param key: a name for this registration. A later one with the same key replaces it, so that a module which is
            loaded again has its listeners once.
        :returns: the decorator, which returns the function unchanged.
        :raises bzz.errors.ConfigurationError: if nothing can match the target, such as ``'User.updatd'`` once a model
            ``User`` has routes.
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
        """Call ``function`` with each event that matches, after all other listeners. :mod:`bzz.relay` sends by this.

        It is not called with an event that a listener refused.
        """
        self._add(Listener(function, target, last=True))

    def off(self, function: Callable[..., Any]) -> None:
        """Remove every registration of ``function``, if there is any."""
        gone = identity(function)
        with self._lock:
            self._set_listeners(tuple(each for each in self._listeners.listeners if each.identity != gone))

    def _add(self, listener: Listener) -> None:
        with self._lock:
            now = self._listeners.listeners
            if listener.key is not None and any(each.key == listener.key for each in now):
                self._set_listeners(tuple(listener if each.key == listener.key else each for each in now))
            elif listener.key is not None or not any(each.same_as(listener) for each in now):
                self._set_listeners((*now, listener))

    def _claim(self, listener: Listener) -> bool:
        """Return whether a listener may have one more event. One that listens once is removed by this."""
        if not listener.once:
            return True
        with self._lock:
            now = self._listeners.listeners
            self._set_listeners(tuple(each for each in now if each is not listener))
            return listener in now

    def _set_listeners(self, listeners: tuple[Listener, ...]) -> None:
        self._set(Listeners(listeners, self._listeners.taps, self._listeners.silences))

    def _set(self, listeners: Listeners) -> None:
        self._listeners = listeners
        for follower in self._followers:
            follower(listeners.has_any)

    def follow(self, follower: Callable[[bool], None]) -> None:
        """Call ``follower`` with whether there are any listeners, now and after each change. It must not raise."""
        with self._lock:
            self._followers = (*self._followers, follower)
            follower(self._listeners.has_any)

    @contextlib.contextmanager
    def tap(self, target: Any, model: type | None, record: Callable[[Event], None], silence: bool) -> Iterator[None]:
        """Call ``record`` with each event that matches, before its listeners. :mod:`bzz.testing` records by this.

        :param silence: whether to call no listeners until the end of the block, on any loop.
        """
        tap = Listener(record, parse(target, model))
        with self._lock:
            now = self._listeners
            self._set(Listeners(now.listeners, (*now.taps, tap), now.silences + silence))
        try:
            yield
        finally:
            with self._lock:
                now = self._listeners
                taps = tuple(each for each in now.taps if each is not tap)
                self._set(Listeners(now.listeners, taps, now.silences - silence))

    def listeners_of(self, model: type) -> list[Listener]:
        """Return the listeners that events of a model reach, in the order of their calls."""
        return self._listeners.of_model(model)

    def asks_for_updating(self, model: type, first: str) -> bool:
        """Return whether a listener asks for ``<Model>.updating.<field>``, by the first part of the field's name."""
        return self._listeners.asks_for_updating(model, first)

    @property
    def current(self) -> Listeners:
        """The listeners of now: a later change makes another object."""
        return self._listeners

    def has_listeners(self, subject: Subject) -> bool:
        """Return whether there are listeners for such an event, whatever their ``origin`` and ``when`` accept."""
        return any(self._listeners.audience(subject))
