"""What a listener listens for: a name, a glob, a regular expression, or a type of event and a model."""

from __future__ import annotations

import difflib
import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, NamedTuple

from bzz.errors import ConfigurationError
from bzz.events.base import ModelEvent
from bzz.events.event import Event, checked_name
from bzz.events.model_events import VERBS, FieldUpdated, FieldUpdating

__all__ = ["EventClass", "Exact", "Glob", "Regex", "Subject", "Target", "check_reserved", "parse"]


class Subject(NamedTuple):
    """The name, class and model of an event: enough to match it before it is made."""

    name: str
    kind: type
    model: type | None = None


class Target(ABC):
    """What a listener listens for; events match it or do not."""

    @abstractmethod
    def matches(self, subject: Subject) -> bool:
        """Return whether an event of this name, class and model matches."""

    @abstractmethod
    def matches_some_field(self, model: type) -> bool:
        """Return whether ``<Model>.updated.<field>`` may match, for any field."""

    def asks_for_updating(self, model: type, first: str = "") -> bool:
        """Return whether ``<Model>.updating.<field>`` is asked for. It costs a read, so ``*`` alone does not match it.

        :param first: the first part of the field's name; empty for any field.
        """
        return False


@dataclass(frozen=True)
class Exact(Target):
    """One name."""

    name: str

    def matches(self, subject: Subject) -> bool:
        return subject.name == self.name

    def matches_some_field(self, model: type) -> bool:
        return self.name.startswith(f"{model.__name__}.updated.")

    def asks_for_updating(self, model: type, first: str = "") -> bool:
        return f"{self.name}.".startswith(f"{model.__name__}.updating.{first and first + '.'}")

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Glob(Target):
    """``*``, ``?`` and ``[...]``, as :mod:`fnmatch` reads them, within one part of a dotted name.

    A last part that is ``*`` stands for all that follows, one part or more.

    >>> Glob("*.deleted").matches(Subject("User.deleted", Event))
    True
    >>> Glob("*.deleted").matches(Subject("User.updated.deleted", Event))  # a field that has this name
    False
    >>> Glob("User.*").matches(Subject("User.updated.address.city", Event))
    True
    """

    pattern: str

    def matches(self, subject: Subject) -> bool:
        parts, wanted = subject.name.split("."), self.pattern.split(".")
        fits = len(parts) == len(wanted) or (wanted[-1] == "*" and len(parts) > len(wanted))
        return fits and all(fnmatchcase(part, glob) for part, glob in zip(parts, wanted, strict=False))

    def matches_some_field(self, model: type) -> bool:
        wanted = self.pattern.split(".")
        known = (model.__name__, "updated")
        deep_enough = len(wanted) > len(known) or wanted[-1] == "*"
        return deep_enough and all(fnmatchcase(part, glob) for part, glob in zip(known, wanted, strict=False))

    def asks_for_updating(self, model: type, first: str = "") -> bool:
        name, verb, *fields = [*self.pattern.split("."), ""][:3]
        spelt_out = verb == FieldUpdating.verb and fields != [""]
        return spelt_out and fnmatchcase(model.__name__, name) and (not first or fnmatchcase(first, fields[0]))

    def __str__(self) -> str:
        return self.pattern


@dataclass(frozen=True)
class Regex(Target):
    """A compiled regular expression that must match the whole name."""

    pattern: re.Pattern[str]

    def matches(self, subject: Subject) -> bool:
        return self.pattern.fullmatch(subject.name) is not None

    def matches_some_field(self, model: type) -> bool:
        """Return false where the text that the expression begins with says so; more cannot be known from outside."""
        begin = f"{model.__name__}.updated."
        return begin.startswith(self._beginning) or self._beginning.startswith(begin)

    @cached_property
    def _beginning(self) -> str:
        """The text that every match begins with, as far as it is written out."""
        text = self.pattern.pattern
        outside = re.sub(r"\\.|\[\^?]?[^]]*]", "", text, flags=re.DOTALL)
        while outside != (outside := re.sub(r"\([^()]*\)", "", outside)):
            pass
        if "|" in outside or self.pattern.flags & (re.IGNORECASE | re.VERBOSE):
            return ""
        written = re.compile(r"(?:(?:\w|\\\.)(?![*?{]))*").match(text)
        assert written is not None  # it matches no text, too
        return written[0].replace("\\", "")

    def asks_for_updating(self, model: type, first: str = "") -> bool:
        return FieldUpdating.verb in self.pattern.pattern

    def __str__(self) -> str:
        return self.pattern.pattern


@dataclass(frozen=True)
class EventClass(Target):
    """A class of events and its subclasses; if a model is given, those of the model and its subclasses."""

    kind: type
    model: type | None = None

    def matches(self, subject: Subject) -> bool:
        return issubclass(subject.kind, self.kind) and self._is_of(subject.model)

    def matches_some_field(self, model: type) -> bool:
        return issubclass(FieldUpdated, self.kind) and self._is_of(model)

    def asks_for_updating(self, model: type, first: str = "") -> bool:
        return self.kind is FieldUpdating and self._is_of(model)

    def _is_of(self, model: type | None) -> bool:
        return self.model is None or (model is not None and issubclass(model, self.model))

    def __str__(self) -> str:
        return self.kind.__name__ if self.model is None else f"{self.kind.__name__}[{self.model.__name__}]"


def parse(target: Any, model: type | None = None) -> Target:
    """Return the :class:`Target` for an argument of ``bzz.on``.

    :param target: a name, a glob, a compiled expression, a class of events, or such a class with a model in brackets.
    :param model: a model class, if ``target`` is a class of model events.
    :raises bzz.errors.ConfigurationError: if ``target`` is none of these.

    >>> str(parse("User.created")), str(parse("*.created"))
    ('User.created', '*.created')
    """
    if isinstance(target, Target):
        return target
    if model is None and typing.get_origin(target) is not None:
        target, model = _subscript(target)
    if model is not None and not (_is_class(target, ModelEvent) and isinstance(model, type)):
        raise ConfigurationError(f"{target!r} is no model event, or {model!r} no model: try bzz.events.Updated, User")
    if _is_class(target, Event) or _is_class(target, ModelEvent):
        return EventClass(target, model)
    if isinstance(target, re.Pattern):
        return Regex(target)
    if isinstance(target, str):
        return Glob(target) if re.search(r"[*?\[]", target) else Exact(checked_name(target))
    raise ConfigurationError(f"{target!r} is no event name, glob, compiled expression or class of events")


def check_reserved(target: Target, models: Collection[str]) -> None:
    """Check that a name or glob that begins with the name of one of these models can match an event of it.

    :raises bzz.errors.ConfigurationError: if it cannot.
    """
    model, _, rest = str(target).partition(".")
    if not rest or model not in models or not isinstance(target, (Exact, Glob)):
        return
    verb, *field = rest.split(".")
    verbs = [each for each in VERBS if fnmatchcase(each, verb)]
    with_fields = {FieldUpdated.verb, FieldUpdating.verb}
    if not verbs or (field and field != ["*"] and not with_fields.intersection(verbs)):
        near = difflib.get_close_matches(verb, VERBS, 1) or [", ".join(VERBS)]
        raise ConfigurationError(
            f"{target}: {model} is a model with routes, and this is none of its events; did you mean {near[0]}?"
        )


def has_transition(target: Target) -> bool:
    """Return whether matching events may have ``old`` and ``new``, which ``when`` needs."""
    if isinstance(target, EventClass):
        return issubclass(FieldUpdated, target.kind) or {"old", "new"} <= set(
            getattr(target.kind, "__dataclass_fields__", ())
        )
    *above, last = str(target).split(".")
    return last not in VERBS or above[1:2] in ([FieldUpdated.verb], [FieldUpdating.verb])  # fields may be called so


def _subscript(target: Any) -> tuple[Any, type | None]:
    (model,) = typing.get_args(target)[:1]
    free = model is Any or isinstance(model, typing.TypeVar)
    return typing.get_origin(target), None if free else model


def _is_class(target: Any, base: type) -> bool:
    return isinstance(target, type) and issubclass(target, base)
