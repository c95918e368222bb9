"""The one shape of an error: ``application/problem+json`` (RFC 9457).

:class:`ProblemHandler` is the base of every handler of bzz, and may be the base of an application's own.
:func:`answer` writes a problem from a handler that is none.
"""

from __future__ import annotations

import functools
import http.client
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from tornado.web import HTTPError, RequestHandler

from bzz.codec import dumps
from bzz.errors import RequestError
from bzz.origins import ORIGINS, OriginPolicy
from bzz.request import HEADER, answering, id_from, id_of

__all__ = ["GUARD", "MEDIA_TYPE", "ProblemHandler", "answer"]

logger = logging.getLogger("bzz.problem")

GUARD = "bzz_guard"
"""The application setting that holds the guard: ``await guard(handler)`` raises where the request may not go on."""

MEDIA_TYPE = "application/problem+json"


class ProblemHandler(RequestHandler):
    """A Tornado handler whose errors are problems, and that answers OPTIONS.

    A :class:`bzz.errors.RequestError` shows what it says about itself, a :class:`tornado.web.HTTPError` its status and
    ``reason`` (its ``log_message`` is for the log, as in Tornado), any other exception is a bare 500: what went wrong
    is in the log, with its traceback, and not in the answer.
    """

    @functools.cached_property
    def request_id(self) -> str:
        """The id of the request: its ``X-Request-Id`` header (:func:`bzz.request.id_from`), or a random one."""
        return id_from(self.request.headers.get(HEADER))

    def clear(self) -> None:
        """Start the answer anew; it carries the id of the request as ``X-Request-Id`` in any case."""
        super().clear()
        self.set_header(HEADER, self.request_id)

    def _request_summary(self) -> str:  # what Tornado writes of a request in its own log lines
        return f"{super()._request_summary()} [request {self.request_id}]"

    async def _execute(self, *args: Any, **kwargs: Any) -> None:  # what Tornado runs as the task of the request
        with answering(self, self.request_id):
            await super()._execute(*args, **kwargs)

    def options(self, *args: Any, **kwargs: Any) -> None:
        """Answer 204 with the methods that this handler takes in ``Allow``."""
        self.set_status(204)
        self.set_header("Allow", ", ".join(_methods_of(self)))

    def check_trusted_origin(self, origin: str) -> bool:
        """Whether an unsafe request from another ``origin`` may go on, under Tornado's ``cross_origin_protection``.

        One of the application's ``trusted_origins`` may, and so may a request with a credential that no browser adds
        by itself, where the guard says that it looks at nothing else (``guard.has_own_credential(handler)``), and one
        that ``bzz.cors`` lets come from there.
        """
        own = getattr(self.settings.get(GUARD), "has_own_credential", None)
        policy: OriginPolicy | None = self.settings.get(ORIGINS)
        return (
            super().check_trusted_origin(origin)
            or (own is not None and bool(own(self)))
            or (policy is not None and policy.trusts(self.request))
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the exception in ``kwargs['exc_info']`` as a problem."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, RequestError):
            _write(self, error.status, self._problem_of(error), error.headers)
            return
        if status_code == 405:
            self.set_header("Allow", ", ".join(_methods_of(self)))
        title = getattr(error, "reason", None) if isinstance(error, HTTPError) else None
        _write(self, status_code, _problem(status_code, title), {})

    def _problem_of(self, error: RequestError) -> dict[str, Any]:
        """The members of the problem that answers ``error``."""
        return error.problem()

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log a refusal in one line without the query string; anything that nobody expected as Tornado does."""
        if not isinstance(value, RequestError):
            super().log_exception(typ, value, tb)
            return
        level = logging.WARNING if value.status >= 500 else logging.INFO
        logger.log(level, "%d %s %s: %s", value.status, self.request.method, self.request.path, value)


def answer(handler: RequestHandler, error: RequestError) -> None:
    """Finish the request of any Tornado handler with ``error`` as a problem; what was written before is dropped."""
    handler.clear()
    handler.set_header(HEADER, str(id_of(handler)))
    _write(handler, error.status, error.problem(), error.headers)


def _write(handler: RequestHandler, status: int, problem: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    handler.set_status(status)
    for name, value in headers.items():
        handler.set_header(name, value)
    handler.set_header("Content-Type", MEDIA_TYPE)
    handler.finish(dumps(problem))


def _problem(status: int, title: str | None) -> dict[str, Any]:
    return {"type": "about:blank", "title": title or http.client.responses.get(status, "Unknown"), "status": status}


def _methods_of(handler: RequestHandler) -> list[str]:
    """The HTTP methods that the handler's class, or a class between it and Tornado's own, defines."""

    def defined(method: str) -> bool:
        return getattr(type(handler), method.lower(), None) is not getattr(RequestHandler, method.lower(), None)

    return [method for method in handler.SUPPORTED_METHODS if defined(method)]
