"""What an event inherits from where it is sent: its cause, the request, and whether anything is sent at all."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from bzz.errors import EventCycle
from bzz.events.record import Event, stamp
from bzz.request import current_id, no_request, request_context

__all__ = ["MAX_DEPTH", "fresh", "is_silent", "mark", "sending", "silent"]

logger = logging.getLogger("bzz.events")

MAX_DEPTH = 8
"""How many causes an event may have behind it, unless the bus is told otherwise."""

_current: ContextVar[sending | None] = ContextVar("bzz_event", default=None)
_silence: ContextVar[Counter[str] | None] = ContextVar("bzz_silence", default=None)


def mark(event: Event, origin: Any, max_depth: int) -> None:
    """Say of ``event`` where it is sent from, which event's listener sends it, and for which request.

    :raises bzz.errors.EventCycle: where it has more than ``max_depth`` causes behind it.
    """
    if origin is not None:
        stamp(event, origin=origin)
    delivery = _current.get()
    if delivery is not None and not delivery.is_over:
        cause = delivery.event
        if cause.depth >= max_depth:
            raise EventCycle([*_chain(cause, max_depth), event.name])
        stamp(event, cause=cause, depth=cause.depth + 1, request_id=event.request_id or cause.request_id)
    if event.request_id is None and (request_id := current_id()) is not None:
        stamp(event, request_id=request_id)


def _chain(event: Event, max_depth: int) -> list[str]:
    names: list[str] = []
    link: Event | None = event
    while link is not None and len(names) <= max_depth:  # an event that is sent again by its own listener is its cause
        names.append(link.name)
        link = link.cause
    return names[::-1]


class sending:  # noqa: N801  # reads as a function; a generator would cost more than a listener
    """Meanwhile ``event`` is the cause of what is sent, in this task and in what it starts, until the block ends."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.is_over = False
        known = event.request_id is None or event.request_id == current_id()
        self._request = None if known else request_context(getattr(event, "handler", None), event.request_id)

    def __enter__(self) -> None:
        if self._request is not None:
            self._request.__enter__()
        self._token = _current.set(self)

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        _current.reset(self._token)
        if self._request is not None:
            self._request.__exit__()


@contextlib.contextmanager
def fresh() -> Iterator[None]:
    """Start a new chain: what is sent meanwhile, in this task and those that it starts, has no cause and no request."""
    token = _current.set(None)
    try:
        with no_request():
            yield
    finally:
        _current.reset(token)


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
