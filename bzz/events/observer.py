"""Listeners that belong together, as methods of one object."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self, TypeVar

from bzz.errors import ConfigurationError
from bzz.events.bus import Bus, bus
from bzz.events.event import Event
from bzz.events.model_events import VERBS

__all__ = ["Observer"]

F = TypeVar("F", bound=Callable[..., Any])
Registration = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

_MARK = "_bzz_listens"


class Observer:
    """An object whose methods listen.

    ``observes`` is one or several of: a model class, subclasses included, whose events go to the methods named after
    them (``creating``, ``created``, ``updating`` ...); a class of events, a name, a glob or a compiled expression,
    whose events go to ``handle``. Any other method listens by :meth:`on`.

    >>> class Audit(Observer):
    ...     observes = "report.*"
    ...     def handle(self, event):
    ...         print(event.name)
    ...     @Observer.on("Post.updated.status", when=("draft", "published"))
    ...     async def published(self, event): ...
    >>> audit = Audit().connect()
    >>> audit.disconnect()
    """

    observes: ClassVar[Any] = ()
    bus: ClassVar[Bus] = bus

    @staticmethod
    def on(*target: Any, **options: Any) -> Callable[[F], F]:
        """Have a method listen, once its object is connected; the arguments are those of ``bzz.on``."""

        def mark(method: F) -> F:
            setattr(method, _MARK, [*getattr(method, _MARK, ()), (target, options)])
            return method

        return mark

    def connect(self) -> Self:
        """Start listening. Doing it twice is doing it once.

        :returns: the observer.
        :raises bzz.errors.ConfigurationError: if it has no method for something that it observes.
        """
        for method, target, options in list(self._registrations()):
            self.bus.on(*target, **options)(method)
        return self

    def disconnect(self) -> None:
        """Stop listening."""
        for method, _, _ in self._registrations():
            self.bus.off(method)

    def _registrations(self) -> Iterator[Registration]:
        observed = self.observes if isinstance(self.observes, (list, tuple, set)) else [self.observes]
        for each in observed:
            yield from self._handled(each) if _is_event(each) else self._verbs(each)
        for name in dir(type(self)):
            for target, options in getattr(getattr(type(self), name), _MARK, ()):
                yield getattr(self, name), target, options

    def _handled(self, target: Any) -> Iterator[Registration]:
        yield self._method("handle", target), (target,), {}

    def _verbs(self, model: type) -> Iterator[Registration]:
        verbs = [verb for verb in VERBS if hasattr(self, verb)]
        for verb in verbs or [self._method(" or ".join(VERBS), model)]:
            yield getattr(self, verb), (VERBS[verb], model), {}

    def _method(self, name: str, target: Any) -> Any:
        method = getattr(self, name, None)
        if method is None:
            raise ConfigurationError(f"{type(self).__name__} observes {target!r} and has no method {name}")
        return method


def _is_event(target: Any) -> bool:
    origin = getattr(target, "__origin__", target)
    return isinstance(target, (str, re.Pattern)) or (isinstance(origin, type) and issubclass(origin, Event))
