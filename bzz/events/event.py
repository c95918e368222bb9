"""Events: :class:`Event`, the base of the application's own, and :class:`AdHocEvent`, which has a name only."""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
import uuid
import weakref
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

import typeguard
from typing_extensions import dataclass_transform

from bzz.errors import ConfigurationError

__all__ = [
    "AdHocEvent",
    "Event",
    "Remote",
    "checked_name",
    "class_named",
    "qualified_name",
    "restored",
    "stamp",
    "unchecked",
]

E = TypeVar("E", bound="Event")

RESERVED = frozenset({"cause", "depth", "id", "name", "occurred_at", "origin", "remote", "request_id"})
_NAME = re.compile(r"[^\s.*?\[\]]+(\.[^\s.*?\[\]]+)*")


def checked_name(name: str) -> str:
    """Return ``name``, having checked that it is words joined by dots, without spaces and wildcards.

    :raises bzz.errors.ConfigurationError: if it is not.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} cannot name an event: use words joined by dots, as in 'report.ready'")
    return name


class Remote(NamedTuple):
    """The origin of an event that was sent in another process."""

    name: str
    """The name of the relay that sent it."""
    process: str
    """The random id of that process, which its relay chose when it started."""
    number: int
    """The number of the event among those of that process, from 1."""
    traceparent: str | None = None
    """The span that sent it, as W3C Trace Context writes it, where that process makes spans; not checked."""


_classes: weakref.WeakValueDictionary[str, type[Event]] = weakref.WeakValueDictionary()


def qualified_name(kind: type) -> str:
    """Return the name of a class with its module, ``module:qualified name``."""
    return f"{kind.__module__}:{kind.__qualname__}"


def class_named(name: str) -> type[Event] | None:
    """Return the class of events whose :func:`qualified_name` is ``name``, the last one made, or None."""
    return _classes.get(name)


@dataclass_transform(kw_only_default=True, field_specifiers=(dataclasses.field,))
class Event:
    """Something that happens. A subclass is a keyword-only dataclass; its annotations are what it carries.

    Listeners may change the fields of an event, and the sender gets it back as they left it. Events of a class made
    with ``frozen=True`` cannot be changed. Events of one class with equal fields are equal, whenever and wherever they
    were sent; as with any dataclass, only frozen ones have a hash.

    :param name: class keyword: the name of these events, the class's own name if not given.
    :param frozen: class keyword: whether the fields are read-only; by default as in the base class.
    :raises TypeError: if an argument is positional, missing, not annotated, or not of the annotated type; and
        when a class is made, if a field has a name that every event has already.

    >>> class ReportReady(Event):
    ...     path: str
    >>> ReportReady(path="/tmp/june.pdf")
    <ReportReady path='/tmp/june.pdf'>
    >>> ReportReady(path=6)
    Traceback (most recent call last):
    ...
    TypeError: ReportReady: path: int is not an instance of str
    """

    isolated: ClassVar[bool] = True
    """Whether a listener that raises is logged and the others still run; False lets a listener refuse by raising."""

    _name: str = "Event"
    _fields: ClassVar[tuple[dataclasses.Field[Any], ...]] = ()
    _checks: ClassVar[Mapping[str, Any] | None] = None

    id: str
    """A random UUID (RFC 9562, version 4) as 32 hexadecimal digits."""
    occurred_at: datetime
    """When the event was made, in UTC."""
    origin: Any
    """What its sender gave as origin; for model events the model."""
    request_id: str | None
    """The id of the HTTP request that it belongs to, or None."""
    cause: Event | None
    """The event whose listener sent this one, or None."""
    depth: int
    """The number of causes in the chain behind this event."""
    remote: Remote | None
    """The other process, if a relay received this event from one; else None."""

    def __init_subclass__(cls, *, name: str | None = None, frozen: bool | None = None, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        taken = sorted(RESERVED.intersection(inspect.get_annotations(cls)))
        if taken:
            raise TypeError(f"{cls.__name__}: every event has {', '.join(taken)} already; choose another name")
        cls._name = checked_name(name or cls.__name__)
        cls._checks = None
        above = getattr(cls, "__dataclass_params__", None)
        frozen = bool(above and above.frozen) if frozen is None else frozen
        dataclasses.dataclass(kw_only=True, repr=False, frozen=frozen)(cls)
        _classes[qualified_name(cls)] = cls
        cls._fields = dataclasses.fields(cls)  # type: ignore[arg-type]  # mypy sees the base, which is no dataclass

    def __new__(cls, *positional: Any, **values: Any) -> Self:
        self = super().__new__(cls)
        if values:
            cls._check(values)
        now = datetime.now(UTC)
        stamp(
            self, id=uuid.uuid4().hex, occurred_at=now, origin=None, request_id=None, cause=None, depth=0, remote=None
        )
        return self

    @classmethod
    def _check(cls, values: Mapping[str, Any]) -> None:
        if cls._checks is None:
            cls._checks = _resolve(cls)
        for name, value in values.items():
            if name in cls._checks:
                try:
                    typeguard.check_type(value, cls._checks[name])
                except typeguard.TypeCheckError as error:
                    raise TypeError(f"{cls.__name__}: {name}: {error}") from None

    @property
    def name(self) -> str:
        """The name, by which listeners are found."""
        return self._name

    def __repr__(self) -> str:
        shown = [f"{each.name}={getattr(self, each.name, '...')!r}" for each in self._fields if each.repr]
        return f"<{' '.join([self.name, *shown])}>"


class AdHocEvent(Event):
    """An event with a name and a payload and no class of its own, as ``bzz.emit('report.ready', path=...)`` makes it.

    The payload can be read and set as attributes (``event.path``). A key that every event has already, such as ``id``,
    is found only in :attr:`payload`.

    >>> event = AdHocEvent("report.ready", {"path": "/tmp/june.pdf"})
    >>> event, event.path
    (<report.ready path='/tmp/june.pdf'>, '/tmp/june.pdf')
    """

    def __init__(self, name: str, payload: Mapping[str, Any] = MappingProxyType({})) -> None:
        self._name = checked_name(name)
        self.__dict__["payload"] = dict(payload)

    payload: dict[str, Any]
    """The attributes of the event, by name."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AdHocEvent):
            return NotImplemented
        return (self.name, self.payload) == (other.name, other.payload)

    def __getattr__(self, name: str) -> Any:
        payload = self.__dict__.get("payload", {})
        try:
            return payload[name]
        except KeyError:
            carries = ", ".join(payload) or "nothing"
            raise AttributeError(f"{self._name} carries no {name}; it carries {carries}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("payload", ()):
            self.payload[name] = value
        else:
            super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"<{' '.join([self.name, *(f'{key}={value!r}' for key, value in self.payload.items())])}>"


def stamp(event: Event, **marks: Any) -> None:
    """Set attributes that belong to the sender, such as ``id`` and ``cause``, on frozen events too."""
    event.__dict__.update(marks)


def unchecked(kind: type[E], **values: Any) -> E:
    """Return an event without checking the types of its values, which bzz has put together itself."""
    event = kind.__new__(kind)
    event.__init__(**values)  # type: ignore[misc]  # of this very class
    return event


def restored(kind: type[E], values: Mapping[str, Any], marks: Mapping[str, Any]) -> E:
    """Return an event that was made in another process, checked as if it were made here.

    :param values: the arguments of ``kind``, by name.
    :param marks: ``id``, ``occurred_at`` and the other attributes that every event has.
    :raises TypeError: as if it were made here.
    """
    if kind is not AdHocEvent:  # which may carry anything
        kind._check(values)
    event = object.__new__(kind)
    stamp(event, **marks)
    event.__init__(**values)  # type: ignore[misc]  # of this very class
    return event


def _resolve(cls: type[Event]) -> dict[str, Any]:
    """Return the types that can be checked: not names that only a type checker can see, nor local classes."""
    fields = {field.name for field in cls._fields}
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        for name, annotation in inspect.get_annotations(base).items():
            if name in fields:
                found.pop(name, None)
                hint = _evaluate(annotation, base)
                if hint is not Any and not isinstance(hint, typing.TypeVar):
                    found[name] = hint
    return found


def _evaluate(annotation: Any, owner: type) -> Any:
    holder = type(owner.__name__, (), {"__annotations__": {"it": annotation}, "__module__": owner.__module__})
    try:
        return typing.get_type_hints(holder)["it"]
    except (NameError, AttributeError):
        return Any
