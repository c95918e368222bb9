"""The base of every handler: request ids, errors as ``application/problem+json`` (RFC 9457), bodies up to a limit.

:class:`ProblemHandler` may be the base of an application's own handlers. :class:`BodyHandler` adds a limit that holds
before a body is read. :func:`answer` writes a problem from a handler that derives from neither. No model is known here.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import http.client
import logging
import sys
import time
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar

import tornado
from tornado.httputil import HTTPHeaders, HTTPServerRequest, format_timestamp
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from bzz import lingering
from bzz.calling import call
from bzz.codec import dumps_anyway
from bzz.errors import PayloadTooLarge, RequestError
from bzz.lingering import LingeringConnection
from bzz.origins import ORIGINS, OriginPolicy
from bzz.request import HEADER, id_from, id_of, method_of, request_context
from bzz.routing import methods_of

__all__ = ["AROUND", "GUARD", "MEDIA_TYPE", "RATE_LIMITS", "BodyHandler", "ProblemHandler", "answer"]

logger = logging.getLogger("bzz.problem")

GUARD = "bzz_guard"
"""The application setting that holds the guard: ``await guard(handler)`` raises if the request may not go on."""

RATE_LIMITS = "bzz_rate_limits"
"""The application setting that holds its :class:`bzz.RateLimits`, which ask the guard before they count a request."""

AROUND = "bzz_around"
"""The application setting that holds what surrounds each request: ``around(handler)`` returns a context manager."""

MEDIA_TYPE = "application/problem+json"

_NOTHING = contextlib.nullcontext()
_SERVER = f"TornadoServer/{tornado.version}"
_date = functools.lru_cache(maxsize=1)(format_timestamp)


class ProblemHandler(RequestHandler):
    """A Tornado handler whose errors are problems, and that answers OPTIONS.

    A :class:`bzz.errors.RequestError` shows what it says about itself, a :class:`tornado.web.HTTPError` its status and
    ``reason`` (its ``log_message`` is for the log, as in Tornado), any other exception is a bare 500: the log has more.
    """

    sent_method: str | None = None
    """The method that the client sent, if the request is taken for one of another."""

    request_id: str
    """The id of the request: its ``X-Request-Id`` header (:func:`bzz.request.id_from`), or a random one."""

    _kept: Mapping[str, str] = MappingProxyType({})

    def __init__(self, application: Application, request: HTTPServerRequest, **kwargs: Any) -> None:
        self.request_id = id_from(request.headers.get(HEADER))  # for clear(), which Tornado calls at once
        super().__init__(application, request, **kwargs)

    def clear(self) -> None:
        """Start the answer anew, as Tornado does but for the date, which is written once a second and takes 6 µs.

        It has the id of the request as ``X-Request-Id``, and the headers that are kept.
        """
        self._headers = HTTPHeaders()
        self._headers["Server"] = _SERVER
        self._headers["Content-Type"] = "text/html; charset=UTF-8"
        self._headers["Date"] = _date(int(time.time()))
        self.set_default_headers()
        self._write_buffer: list[bytes] = []
        self._status_code, self._reason = 200, http.client.responses[200]
        self.set_header(HEADER, self.request_id)
        for name, value in self._kept.items():
            self.set_header(name, value)

    def keep_header(self, name: str, value: str) -> None:
        """Set a header that stays whatever is answered, an error too."""
        self._kept = {**self._kept, name: value}
        self.set_header(name, value)

    async def admit(self, limits: Any = None, scope: str = "") -> None:
        """Ask the guard, and the rate limits of the application, whether the request may go on; they raise if not.

        :param limits: a :class:`bzz.RateLimits` in place of the application's, for what is called ``scope``.
        """
        guard = self.settings.get(GUARD)
        if limits is None:
            limits, scope = self.settings.get(RATE_LIMITS), ""
        if limits is not None:
            await limits.admit(self, guard, scope)
        elif guard is not None:
            await call(guard, self)

    def _request_summary(self) -> str:  # what Tornado writes of a request in its own log lines
        request, method = self.request, self.sent_method or self.request.method
        return f"{method} {request.uri} ({request.remote_ip}) [request {self.request_id}]"

    async def _execute(self, *args: Any, **kwargs: Any) -> None:  # what Tornado runs as the task of the request
        around = self.settings.get(AROUND)
        with request_context(self, self.request_id), _NOTHING if around is None else around(self):
            await super()._execute(*args, **kwargs)

    def options(self, *args: Any, **kwargs: Any) -> None:
        """Answer 204 with the methods that this handler takes in ``Allow``."""
        self.set_status(204)
        self.set_header("Allow", ", ".join(methods_of(self)))

    def check_trusted_origin(self, origin: str) -> bool:
        """Return whether an unsafe request from another ``origin`` may go on (see ``cross_origin_protection``).

        One of the application's ``trusted_origins`` may, one that ``bzz.cors`` lets come, and one whose credential no
        browser adds by itself, if the guard says that it looks at nothing else (``guard.has_own_credential(handler)``).
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
            self._write_problem(self._problem_of(error), error.headers)
            return
        if status_code == 405:
            self.set_header("Allow", ", ".join(methods_of(self)))
        self._write_problem(_problem(status_code, error), {})

    def _write_problem(self, problem: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        _begin(self, problem, headers)
        if problem["status"] in (204, 304):  # which have no body
            self.finish()
        else:
            self._finish_problem(problem)

    def _finish_problem(self, problem: Mapping[str, Any]) -> None:
        """Finish with a problem; the status and the other headers are set."""
        _finish(self, problem)

    def problem_of(self, error: Exception) -> dict[str, Any]:
        """Return the problem that answers ``error``, whatever it is."""
        if isinstance(error, RequestError):
            return self._problem_of(error)
        return _problem(error.status_code if isinstance(error, HTTPError) else 500, error)

    def _problem_of(self, error: RequestError) -> dict[str, Any]:
        """Return the members of the problem that answers ``error``."""
        return error.problem()

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log a refusal in one line without the query string; any other exception as Tornado does."""
        if not isinstance(value, RequestError):
            super().log_exception(typ, value, tb)
            return
        level = logging.WARNING if value.status >= 500 else logging.INFO
        logger.log(level, "%d %s %s: %s", value.status, method_of(self), self.request.path, value)


@stream_request_body
class BodyHandler(ProblemHandler):
    """A handler that knows its limit before it reads.

    Subclasses refuse requests in :meth:`check_request`; their verbs get the body by :meth:`body`. An answer that is
    given before the body was read goes out at once; what still comes is dropped (:mod:`bzz.lingering`).

    :cvar max_body_bytes: the longest body, unless the server's own limit is lower.
    """

    max_body_bytes: ClassVar[int] = 1024 * 1024

    _limit = 0
    _received = 0
    _chunks: list[bytes]

    async def prepare(self) -> None:
        """Called by Tornado before the body is read."""
        await self.check_request()
        length = _body_length(self.request.headers)
        if length != 0:
            self._chunks = []
            self._limit = min(self.max_body_bytes, _take_limit(self.request.connection))
            if length is not None and length > self._limit:
                raise self._too_large()

    async def check_request(self) -> None:
        """Raise if the request may not go on. Called before its body is read."""

    def data_received(self, chunk: bytes) -> None:
        """Collect a piece of the body, or drop it if it is beyond the limit. Called by Tornado."""
        before, connection = self._received, self.request.connection
        self._received = before + len(chunk)
        if isinstance(connection, LingeringConnection):
            connection.dropped(self._received)
        elif self._received <= self._limit:
            self._chunks.append(chunk)
        elif before <= self._limit:
            self._chunks.clear()
            asyncio.get_running_loop().call_later(lingering.DROP_SECONDS, self._give_up)
        elif self._received > lingering.DROP_BYTES:
            self._give_up()

    def body(self) -> bytes:
        """Return all of the body.

        :raises bzz.errors.PayloadTooLarge: if there is more than the limit.
        """
        if self._received > self._limit:
            raise self._too_large()
        return b"".join(self._chunks) if self._received else b""

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"A body may be {self._limit} bytes long.")

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> asyncio.Future[None]:
        """Answer. While the body is not read yet, say that the connection closes, and close it when enough is read."""
        if not self.request._body_future.done():
            self.set_header("Connection", "close")
            length = _body_length(self.request.headers)
            if length != 0:
                self._linger(lingering.DROP_BYTES if length is None else min(length, lingering.DROP_BYTES))
        return super().finish(chunk)

    def _linger(self, length: int) -> None:
        """Have the connection closed when so many bytes of the body are read."""
        request, connection = self.request, self.request.connection
        assert connection is not None
        request.headers.pop("Expect", None)  # or else Tornado would ask for the body now
        _take_limit(connection)
        request.connection = LingeringConnection(connection, length, request._body_future)

    def _give_up(self) -> None:
        """Answer although the body has no end yet."""
        if not (self._finished or self.request._body_future.done()):
            self.on_connection_close()  # which ends Tornado's waiting for the body
            error = self._too_large()
            self.set_header("Connection", "close")
            self.send_error(error.status, exc_info=(type(error), error, None))


def answer(handler: RequestHandler, error: RequestError) -> None:
    """Finish the request of any Tornado handler with ``error`` as a problem; what was written before is dropped."""
    handler.clear()
    handler.set_header(HEADER, str(id_of(handler)))
    problem = error.problem()
    _begin(handler, problem, error.headers)
    _finish(handler, problem)


def _begin(handler: RequestHandler, problem: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    handler.set_status(problem["status"])
    for name, value in headers.items():
        handler.set_header(name, value)


def _finish(handler: RequestHandler, problem: Mapping[str, Any]) -> None:
    handler.set_header("Content-Type", MEDIA_TYPE)
    handler.finish(dumps_anyway(problem))


def _problem(status: int, error: BaseException | None) -> dict[str, Any]:
    title = error.reason if isinstance(error, HTTPError) else None
    return {"type": "about:blank", "title": title or http.client.responses.get(status, "Unknown"), "status": status}


def _body_length(headers: HTTPHeaders) -> int | None:
    """Return how long a body a request declares: 0 if it has none, None if it does not say."""
    text = headers.get("Content-Length", "0")
    if "Transfer-Encoding" in headers or not (text.isascii() and text.isdigit()):
        return None
    return int(text) if len(text) < 20 else sys.maxsize  # int() itself refuses thousands of digits


def _take_limit(connection: Any) -> int:
    """Return how long a body the server takes, and lift that limit: beyond it the server would send a bare 400.

    :param connection: of Tornado's own server, or of an engine behind ASGI or RSGI.
    """
    params = getattr(connection, "params", None)
    own = getattr(connection, "max_body_size", None) if params is None else params.max_body_size
    lift = getattr(connection, "set_max_body_size", None)
    if lift is not None:
        lift(sys.maxsize)
    return sys.maxsize if own is None else int(own)
