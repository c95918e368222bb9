"""The causes of events: which event's listener sent an event, and for which request."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from bzz.errors import EventCycle
from bzz.events.event import Event, stamp
from bzz.request import current_id, no_request, request_context

__all__ = ["MAX_DEPTH", "fresh", "mark", "sending"]

MAX_DEPTH = 8
"""How many causes an event may have behind it, unless ``set_max_depth`` was called."""

_current: ContextVar[sending | None] = ContextVar("bzz_event", default=None)


def mark(event: Event, origin: Any, max_depth: int) -> None:
    """Set the origin of ``event``, its cause (the event whose listener sends it) and the id of the request.

    :raises bzz.errors.EventCycle: if it has more than ``max_depth`` causes.
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
    """Make ``event`` the cause of what is sent within the block, by this task and those that it starts."""

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
    """Start a new chain: events sent within the block, by this task and those it starts, have no cause or request."""
    token = _current.set(None)
    try:
        with no_request():
            yield
    finally:
        _current.reset(token)
