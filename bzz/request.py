"""The current request, and its id: in headers, in the context of a task, and in each log line.

Each log line that bzz writes for a request ends with ``[request <id>]``, and its record has a ``request_id``. Only the
id of a handler is known here, nothing of its verbs.
"""

from __future__ import annotations

import logging
import os
import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

__all__ = [
    "HEADER",
    "LOGGERS",
    "current_handler",
    "current_id",
    "id_from",
    "id_of",
    "method_of",
    "no_request",
    "request_context",
]

HEADER = "X-Request-Id"

LOGGERS = (
    "auth",
    "database",
    "delivery",
    "events",
    "explorer",
    "live",
    "mock",
    "model",
    "problem",
    "providers.mongoengine",
    "rate_limits",
    "relay",
    "serving",
    "signals",
)
"""The loggers of bzz, without ``bzz.`` in front; the lines of ``bzz.access`` have the id already."""

_ID = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)


@dataclass(eq=False)
class request_context:  # noqa: N801  # reads as a function; a generator would cost more
    """Make a request the current one until the block ends, in this task and in the tasks that it starts.

    :param handler: the Tornado handler; None if it has answered already.
    :param request_id: left out of the log unless :func:`id_from` would accept it.
    """

    handler: Any
    request_id: str | None
    is_over: bool = False

    def __enter__(self) -> None:
        self._token = _current.set(self)

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        _current.reset(self._token)


_current: ContextVar[request_context | None] = ContextVar("bzz_request", default=None)


class no_request:  # noqa: N801  # as above
    """Have no current request until the block ends, in this task and in the tasks that it starts."""

    def __enter__(self) -> None:
        self._token = _current.set(None)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def _running() -> request_context | None:
    found = _current.get()
    return None if found is None or found.is_over else found


def current_id() -> str | None:
    """Return the id of the current request, or None."""
    found = _running()
    return None if found is None else found.request_id


def current_handler() -> Any:
    """Return the handler of the current request, or None."""
    found = _running()
    return None if found is None else found.handler


def id_from(given: str | None) -> str:
    """Return the id that a client gave its request, or a random one.

    An id of more than 128 characters, or with others than letters, digits and ``.:/+=@-_``, is ignored.

    >>> id_from("abc-123"), len(id_from("two words"))
    ('abc-123', 32)
    """
    return given if given and _ID.fullmatch(given) else os.urandom(16).hex()


def id_of(handler: Any) -> str | None:
    """Return the id of a handler's request, kept on the handler as ``request_id``; None if it has no request."""
    request = getattr(handler, "request", None)
    if request is None:
        return None
    if not hasattr(handler, "request_id"):
        handler.request_id = id_from(request.headers.get(HEADER))
    return str(handler.request_id)


def method_of(handler: Any) -> str:
    """Return the method that a client sent, which logs and metrics tell.

    A handler may take a request for one of another method, and keep what was sent as ``sent_method``.
    """
    return getattr(handler, "sent_method", None) or str(handler.request.method)


def path_of(handler: Any) -> str:
    """Return the path that a client asked for, which logs tell; a handler may keep it as ``sent_path`` likewise."""
    return getattr(handler, "sent_path", None) or str(handler.request.path)


def _tag(record: logging.LogRecord) -> bool:
    """Add the id of the current request to a log record. A filter of loggers, which drops none."""
    found = current_id()
    record.request_id = found
    if found is not None and _ID.fullmatch(found) and f"request {found}" not in record.getMessage():
        record.msg = f"{record.msg} [request {found}]"
    return True


for _name in LOGGERS:
    logging.getLogger(f"bzz.{_name}").addFilter(_tag)
