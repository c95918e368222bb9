"""Durable listeners, as an application declares them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeVar

from bzz.change import Position
from bzz.errors import ConfigurationError
from bzz.events.listeners import Listener
from bzz.events.model_events import Created, Deleted, FieldUpdated, Updated
from bzz.events.targets import EventClass, Exact, Glob, Subject, Target, has_transition, parse
from bzz.providers.base import Provider

__all__ = ["DurableListener", "RetryLater", "Start", "SwitchOff", "declared", "durable", "forget"]

F = TypeVar("F", bound=Callable[..., Any])

Start = Literal["now", "beginning"] | Position
"""Where a new listener begins: ``"now"`` is with the next change, ``"beginning"`` is with a ``created`` event for each
document in the database, and a position is with the change that follows it."""

SCHEDULE = (0.5, 2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0)
"""The seconds between attempts; the last one again and again."""

MAX_ATTEMPTS = 12
"""With :data:`SCHEDULE` it takes about twelve hours until a change is dead."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_KINDS = (Created, Updated, FieldUpdated, Deleted)


class RetryLater(Exception):
    """Raised by a listener: this attempt has failed; try again, and not before some seconds have passed.

    :raises TypeError: if they are no number.
    """

    def __init__(self, seconds: float, reason: str) -> None:
        if not isinstance(seconds, (int, float, Decimal)):
            raise TypeError(f"RetryLater takes a number of seconds, and not {type(seconds).__name__}")
        super().__init__(reason)
        self.seconds = float(seconds)


class SwitchOff(Exception):
    """Raised by a listener: this attempt has failed, and I am not to be called before somebody switches me on again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, eq=False)
class DurableListener:
    """One listener; see :func:`durable`.

    :param registration: the function, its target and its ``when``, as for ``bzz.on``.
    """

    name: str
    registration: Listener
    timeout: float
    concurrency: int
    max_attempts: int
    schedule: Sequence[float]
    start: Start
    orm: str | type[Provider]


_declared: dict[str, DurableListener] = {}


def durable(
    target: Any,
    model: type | None = None,
    /,
    *,
    name: str,
    when: tuple[Any, Any] | None = None,
    timeout: float = 30.0,
    concurrency: int = 16,
    max_attempts: int = MAX_ATTEMPTS,
    schedule: Sequence[float] = SCHEDULE,
    start: Start = "now",
    orm: str | type[Provider] = "mongoengine",
) -> Callable[[F], F]:
    """Have the decorated function called with every stored change that matches, at least once, whatever dies.

    ::

        @bzz.durable("User.*", name="search-index")
        async def index(event):
            await search.put(event.instance.pk, event.instance.to_json())

    The function gets events as ``bzz.on`` gives them, of documents that are stored: ``created``, ``updated``,
    ``updated.<field>`` and ``deleted``. They have no handler; ``event.id`` is the same at each attempt.

    :param target: a name, a glob, a compiled expression, or a class of events.
    :param model: as for ``bzz.on``.
    :param name: under which its progress is stored. Whoever uses the name goes on where the last one was.
    :param when: ``(old, new)``, as for ``bzz.on``.
    :param timeout: how long a call may take, in seconds. One that takes longer has failed. A plain function cannot be
        interrupted, and is judged when it returns; while it runs, nothing else of the event loop does.
    :param concurrency: how many documents' changes are handled at a time, in each process.
    :param max_attempts: after so many a change is dead, and so is what comes behind it of the same document, until
        somebody retries or skips it.
    :param schedule: the seconds between attempts, to which chance adds up to a fifth; the last one holds for all
        further ones.
    :param start: where it begins when its name is first used.
    :param orm: of the models, as :meth:`bzz.ModelHive.routes_for` takes it.
    :returns: the decorator, which returns the function unchanged.
    :raises bzz.errors.ConfigurationError: for a name that is taken or cannot be one, a number that is none, or a target
        that no stored change can match.
    """
    found = parse(target, model)
    _check_name(name)
    _check_numbers(timeout, concurrency, max_attempts, schedule)
    _check_target(found, when)
    if start not in ("now", "beginning") and not isinstance(start, Position):
        raise ConfigurationError(f"start: {start!r} must be 'now', 'beginning' or a bzz.Position")

    def register(function: F) -> F:
        if not callable(function):
            raise ConfigurationError(f"{function!r} can't listen: it is no function")
        known = _declared.get(name)
        registration = Listener(function, found, when=when)
        if known is not None and not _is_declared_anew(registration, known.registration):
            one = f"{known.registration.name} for {known.registration.target}"
            raise ConfigurationError(f"two durable listeners are named {name!r}, {one} is one: give each its own name")
        made = DurableListener(name, registration, timeout, concurrency, max_attempts, tuple(schedule), start, orm)
        _declared[name] = made  # a module that is loaded again declares it anew
        return function

    return register


def _is_declared_anew(registration: Listener, known: Listener) -> bool:
    """Return whether a registration takes the place of a known one: it is the same, or of a module loaded again."""
    if registration.name != known.name:
        return False
    own, others = _parts_of(registration.function), _parts_of(known.function)
    codes = [getattr(function, "__code__", None) for _, function in (own, others)]
    if own[0] is None and codes[0] is not codes[1]:
        return True  # the same lines, executed again
    return (own, registration.target, registration.when) == (others, known.target, known.when)


def _parts_of(function: Any) -> tuple[Any, Any]:
    """Return what a method belongs to, None for a function, and the function itself, without its decorators."""
    return getattr(function, "__self__", None), inspect.unwrap(getattr(function, "__func__", function))


def declared() -> list[DurableListener]:
    """Return the listeners that this process has declared."""
    return list(_declared.values())


def forget(name: str) -> None:
    """Declare a listener no more; what is stored of it stays."""
    _declared.pop(name, None)


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(f"name: {name!r} must be up to 100 letters, digits, '-', '_' and '.'")


def _check_numbers(timeout: Any, concurrency: Any, max_attempts: Any, schedule: Any) -> None:
    for what, given in (("concurrency", concurrency), ("max_attempts", max_attempts)):
        if type(given) is not int or given < 1:
            raise ConfigurationError(f"{what}: {given!r} must be a whole number of at least 1")
    if not _is_time(timeout) or timeout == 0:
        raise ConfigurationError(f"timeout: {timeout!r} must be a number of seconds")
    if not schedule or not all(_is_time(each) for each in schedule):
        raise ConfigurationError(f"schedule: {schedule!r} must be one number of seconds or more")


def _is_time(given: Any) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given < float("inf")


def _check_target(target: Target, when: Any) -> None:
    if not _can_match(target):
        raise ConfigurationError(
            f"{target} is nothing that is stored: a durable listener is told of created, updated, updated.<field> and"
            " deleted"
        )
    if when is not None and not (isinstance(when, tuple) and len(when) == 2):
        raise ConfigurationError(f"when={when!r}: give the transition as a pair, (old, new)")
    if when is not None and not has_transition(target):
        raise ConfigurationError(f"when= is for field events such as 'User.updated.email', not for {target}")


def _can_match(target: Target) -> bool:
    if isinstance(target, EventClass):
        return any(issubclass(kind, target.kind) for kind in _KINDS)
    if not isinstance(target, Exact | Glob):
        return True  # which names an expression would match cannot be known from outside
    _, _, rest = str(target).partition(".")
    if not rest:
        return isinstance(target, Glob)
    probe = Glob(f"{_Any.__name__}.{rest}")
    named = (Subject(f"{_Any.__name__}.{kind.verb}", kind) for kind in _KINDS)
    return any(map(probe.matches, named)) or probe.matches_some_field(_Any)


class _Any:
    """Stands for any model."""
