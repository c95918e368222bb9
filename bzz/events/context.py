"""What an event inherits from where it is sent: its cause, the request, and whether anything is sent at all."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from bzz.errors import EventLoop
from bzz.events.record import Event, stamp

__all__ = ["MAX_DEPTH", "is_silent", "mark", "sending", "silent"]

logger = logging.getLogger("bzz.events")

MAX_DEPTH = 8
"""How many causes an event may have behind it."""

_current: ContextVar[Event | None] = ContextVar("bzz_event", default=None)
_silence: ContextVar[Counter[str] | None] = ContextVar("bzz_silence", default=None)


def mark(event: Event, origin: Any) -> None:
    """Say of ``event`` where it is sent from, and which event's listener sends it.

    :raises bzz.errors.EventLoop: where it has more than :data:`MAX_DEPTH` causes behind it.
    """
    cause = _current.get()
    if origin is not None:
        stamp(event, origin=origin)
    if cause is None:
        return
    if cause.depth >= MAX_DEPTH:
        raise EventLoop([*_chain(cause), event.name])
    stamp(event, cause=cause, depth=cause.depth + 1, request_id=event.request_id or cause.request_id)


def _chain(event: Event) -> list[str]:
    names: list[str] = []
    link: Event | None = event
    while link is not None and len(names) <= MAX_DEPTH:  # an event that is sent again by its own listener is its cause
        names.append(link.name)
        link = link.cause
    return names[::-1]


class sending:  # noqa: N801  # reads as a function; a generator would cost more than a listener
    """Meanwhile ``event`` is the cause of what is sent."""

    def __init__(self, event: Event) -> None:
        self._event = event

    def __enter__(self) -> None:
        self._token = _current.set(self._event)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def is_silent(event: Event) -> bool:
    """Whether ``event`` must not be sent, by :func:`silent`; it is counted then."""
    unsent = _silence.get()
    if unsent is None:
        return False
    unsent[event.name] += 1
    logger.debug("%s is not sent: silent", event.name)
    return True


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Send no events meanwhile, from this task and those that it starts; other tasks are not affected.

    The log says how many were not sent, and each one's name at DEBUG. Signals are sent as ever.
    """
    unsent: Counter[str] = Counter()
    token = _silence.set(unsent)
    try:
        yield
    finally:
        _silence.reset(token)
        names = ", ".join(f"{name} x{count}" for name, count in unsent.most_common())
        logger.info("silent: %d events were not sent%s", unsent.total(), names and f": {names}")
