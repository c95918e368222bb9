"""The request that is being answered, and the id by which all that is told of it can be found.

Each log line that bzz writes for a request ends with ``[request <id>]``, and its record has a ``request_id``.
"""

from __future__ import annotations

import logging
import os
import re
from contextvars import ContextVar
from typing import Any

__all__ = ["HEADER", "LOGGERS", "answering", "current_handler", "current_id", "id_from", "id_of", "nobody"]

HEADER = "X-Request-Id"

LOGGERS = (
    "asgi",
    "auth",
    "database",
    "events",
    "mock",
    "model",
    "problem",
    "providers.mongoengine",
    "relay",
    "serving",
    "signals",
)
"""The loggers of bzz, without ``bzz.`` in front."""

_ID = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)


class answering:  # noqa: N801  # reads as a function; a generator would cost more
    """Meanwhile a request is the one that is answered: in this task, and in what it starts, until the block ends.

    :param handler: the Tornado handler; None where it has answered already.
    :param request_id: left out of the log where it is no id such as :func:`id_from` takes.
    """

    def __init__(self, handler: Any, request_id: str | None) -> None:
        self.handler = handler
        self.request_id = request_id
        self.is_over = False

    def __enter__(self) -> None:
        self._token = _current.set(self)

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        _current.reset(self._token)


_current: ContextVar[answering | None] = ContextVar("bzz_request", default=None)


class nobody:  # noqa: N801  # as above
    """Meanwhile no request is being answered, in this task and what it starts."""

    def __enter__(self) -> None:
        self._token = _current.set(None)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def _running() -> answering | None:
    found = _current.get()
    return None if found is None or found.is_over else found


def current_id() -> str | None:
    """The id of the request that is being answered here, or None."""
    found = _running()
    return None if found is None else found.request_id


def current_handler() -> Any:
    """The handler of the request that is being answered here, or None."""
    found = _running()
    return None if found is None else found.handler


def id_from(given: str | None) -> str:
    """The id that a client gave its request, or a random one.

    One that holds other than letters, digits and ``.:/+=@-_``, or more than 128 of them, is not taken up.

    >>> id_from("abc-123"), len(id_from("two words"))
    ('abc-123', 32)
    """
    return given if given and _ID.fullmatch(given) else os.urandom(16).hex()


def id_of(handler: Any) -> str | None:
    """The id of a handler's request, kept on the handler as ``request_id``; None where it has no request."""
    request = getattr(handler, "request", None)
    if request is None:
        return None
    if not hasattr(handler, "request_id"):
        handler.request_id = id_from(request.headers.get(HEADER))
    return str(handler.request_id)


def _tag(record: logging.LogRecord) -> bool:
    """Put the id of the request into a line; a filter, which lets all pass."""
    found = current_id()
    record.request_id = found
    if found is not None and _ID.fullmatch(found) and f"request {found}" not in record.getMessage():
        record.msg = f"{record.msg} [request {found}]"
    return True


for _name in LOGGERS:
    logging.getLogger(f"bzz.{_name}").addFilter(_tag)
