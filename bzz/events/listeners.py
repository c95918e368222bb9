"""An immutable list of listeners, which caches the listeners of each event name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from bzz.events.base import ModelEvent
from bzz.events.event import Event
from bzz.events.model_events import VERBS, FieldUpdated, FieldUpdating
from bzz.events.targets import Subject, Target

__all__ = ["CACHED_NAMES", "Call", "Listener", "Listeners", "name_of"]

CACHED_NAMES = 4096
"""How many names are cached."""

Call = Callable[[Any], Any]
When = tuple[Any, Any]


@dataclass(frozen=True, eq=False)
class Listener:
    """One registration of one function."""

    function: Call
    target: Target
    background: bool = False
    origin: Any = None
    when: When | None = None
    once: bool = False
    key: str | None = None
    last: bool = False
    name: str = field(default="", init=False)
    identity: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", name_of(self.function))
        object.__setattr__(self, "identity", identity(self.function))

    def accepts(self, event: Event) -> bool:
        """Return whether the event passes the filters ``origin`` and ``when``."""
        return self.is_from(event.origin) and (self.when is None or _is_transition(self.when, event))

    def is_from(self, origin: Any) -> bool:
        """Return whether events of this origin pass."""
        return self.origin is None or self.origin is origin or bool(self.origin == origin)

    def same_as(self, other: Listener) -> bool:
        """Return whether ``other`` is the same registration."""
        return (self.identity, self.target, self.background) == (other.identity, other.target, other.background) and (
            (self.once, self.origin, self.when, self.key) == (other.once, other.origin, other.when, other.key)
        )


class Listeners:
    """Listeners in the order of their registration, and *taps*, which record events (:mod:`bzz.testing`).

    A change makes a new object, so an event that is being sent keeps the listeners that it began with.
    """

    def __init__(
        self, listeners: tuple[Listener, ...] = (), taps: tuple[Listener, ...] = (), silences: int = 0
    ) -> None:
        self.listeners = listeners
        self.taps = taps
        self.silences = silences
        self.has_any = bool(listeners or taps)
        self.audience = lru_cache(CACHED_NAMES)(self._audience)
        self.wants: Callable[[tuple[type, ...], type], bool] = lru_cache(CACHED_NAMES)(self._wants)
        self.asks_for_updating: Callable[[type, str], bool] = lru_cache(CACHED_NAMES)(self._asks_for_updating)

    def _audience(self, subject: Subject) -> tuple[tuple[Listener, ...], tuple[Listener, ...]]:
        """Return the taps and the listeners whose target matches; :meth:`audience` caches this."""
        taps = tuple(each for each in self.taps if _is_meant(each.target, subject))
        listeners = () if self.silences else self.listeners
        meant = (each for each in listeners if _is_meant(each.target, subject))
        return taps, tuple(sorted(meant, key=lambda each: each.last))

    def _wants(self, kinds: tuple[type[ModelEvent[Any]], ...], model: type) -> bool:
        """Return whether there is a listener for events of these classes and ``model``, for any field."""
        return any(_means(target, kind, model) for kind in kinds for target in self._heard_from(model))

    def of_model(self, model: type) -> list[Listener]:
        """Return the listeners for all events of a model, in their order."""
        return self.hearing((*VERBS.values(), FieldUpdated, FieldUpdating), model)

    def hearing(self, kinds: tuple[type[ModelEvent[Any]], ...], model: type) -> list[Listener]:
        """Return the listeners for model events of these classes and ``model``, for any field, in their order."""
        heard = [each for each in self.listeners if any(_means(each.target, kind, model) for kind in kinds)]
        return sorted(heard, key=lambda each: each.last)

    def _asks_for_updating(self, model: type, first: str) -> bool:
        """Return whether a listener asks for ``<Model>.updating.<field>`` of fields that begin with ``first``."""
        return any(target.asks_for_updating(model, first) for target in self._heard_from(model))

    def _heard_from(self, model: type) -> list[Target]:
        return [each.target for each in (*self.taps, *self.listeners) if _may_be_from(each, model)]


def _may_be_from(listener: Listener, origin: Any) -> bool:
    """Return as :meth:`Listener.is_from` does; an origin whose comparison fails is reported at the delivery."""
    try:
        return listener.is_from(origin)
    except Exception:
        return True


def _is_meant(target: Target, subject: Subject) -> bool:
    if subject.kind is FieldUpdating and not (subject.model and target.asks_for_updating(subject.model)):
        return False
    return target.matches(subject)


def _means(target: Target, kind: type[ModelEvent[Any]], model: type) -> bool:
    if kind is FieldUpdated:
        return target.matches_some_field(model)
    if kind is FieldUpdating:
        return target.asks_for_updating(model)
    return target.matches(Subject(f"{model.__name__}.{kind.verb}", kind, model))


def identity(function: Call) -> Any:
    """Return what identifies a function: a bound method is a new object at each access."""
    owner = getattr(function, "__self__", None)
    if owner is None:
        return id(function)
    return id(owner), getattr(function, "__func__", None) or function.__name__  # those of C have a name only


def name_of(function: Call) -> str:
    """Return the name of a function and its module, for people."""
    module = getattr(function, "__module__", None) or type(function).__module__
    return f"{module}.{getattr(function, '__qualname__', None) or type(function).__qualname__}"


def _is_transition(when: When, event: Event) -> bool:
    try:
        values = (event.old, event.new)  # type: ignore[attr-defined]  # those of field events, and any event that has both
    except AttributeError:
        return False
    return all(_fits(wanted, value) for wanted, value in zip(when, values, strict=True))


def _fits(wanted: Any, value: Any) -> bool:
    if wanted is ...:
        return True
    if isinstance(wanted, (set, frozenset)):
        return any(_equals(each, value) for each in wanted)  # a list has no hash
    return bool(wanted(value) if callable(wanted) else _equals(wanted, value))


def _equals(wanted: Any, value: Any) -> bool:
    """Return whether a value equals the wanted one; a member of an enum equals its value too."""
    return bool(wanted == value or (isinstance(value, Enum) and wanted == value.value))
