"""The limits of one process, and the cap on requests in flight that stands between Tornado's server and an application.

An application sees nothing of it but the address of its client; models and handlers are not known here. What is wrapped
has Tornado's public interfaces for servers, :mod:`tornado.httputil`, and the methods that its ``HTTP1Connection`` has
besides. The engines behind ASGI and RSGI count by :class:`InFlight` themselves.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from bzz.addresses import Proxies, client_of
from bzz.codec import dumps
from bzz.errors import ConfigurationError, Unavailable
from bzz.problem import MEDIA_TYPE

__all__ = ["REFUSAL_SECONDS", "CappedApplication", "InFlight", "Limits", "release"]

REFUSAL_SECONDS = 0.03
"""How long a refusal waits. A client that asks again at once would else take more of the
processor by being refused than those who are answered."""

_BUSY = Unavailable("The server is busy; nothing was done.")
_BODY = dumps(_BUSY.problem())


@dataclass(frozen=True)
class Limits:
    """What one connection and one process may take. Tornado's own defaults wait an hour for a header, without end for a
    body and for a client that does not read, and take 100 MB.

    :param header_seconds: how long a client may take to send its headers, and a kept connection may idle.
    :param body_seconds: how long it may take to send a body.
    :param body_bytes: the longest body of any handler; models take 1 MiB at the most.
    :param write_seconds: how long it may take to read what is written at a time, and a second more for each 64 KiB.
    :param in_flight: how many requests one process answers at a time; further ones get a 503 in a moment.
    :param grace_seconds: how long a stop waits for the requests that are being answered, and for the background
        listeners of events.
    :raises bzz.errors.ConfigurationError: for what is no number, or less than nothing.
    """

    header_seconds: float = 30.0
    body_seconds: float = 60.0
    body_bytes: int = 10 * 1024 * 1024
    write_seconds: float = 60.0
    in_flight: int = 256
    grace_seconds: float = 30.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
                raise ConfigurationError(f"{name}: {value!r} must be a number, and not below 0")

    def time_to_write(self, size: int) -> float:
        """Return how many seconds a client has to read ``size`` bytes.

        >>> Limits().time_to_write(128 * 1024)
        62.0
        """
        return self.write_seconds + size / 65536


def release(connection: object) -> None:
    """Count a request out of those in flight although its answer has no end: it waits, and does not work.

    :param connection: ``handler.request.connection``.
    """
    counted_out = getattr(connection, "release", None)
    if counted_out is not None:
        counted_out()


class InFlight:
    """The requests that one process is answering.

    :param limit: how many there may be.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._seen = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def begin(self) -> bool:
        """Count a request in and return true, or return false if there are as many as there may be."""
        if self._count >= self._limit:
            return False
        self._count += 1
        self._seen += 1
        self._idle.clear()
        return True

    def end(self) -> None:
        """Count a request out: it is answered, its client has left, or it speaks another protocol from here on."""
        self._count -= 1
        if not self._count:
            self._idle.set()

    async def wait_until_quiet(self, seconds: float) -> None:
        """Wait until no request is in flight, and none has come for so long."""
        seen = -1
        while seen != self._seen or self._count:
            await self._idle.wait()
            seen = self._seen
            await asyncio.sleep(seconds)


class CappedApplication(HTTPServerConnectionDelegate):
    """Passes requests to an application, as many at a time as there may be.

    :param application: what answers them.
    :param limits: ``body_seconds`` and ``write_seconds`` count here.
    :param in_flight: counts them.
    :param proxies: whom to believe about their clients.
    """

    def __init__(
        self, application: HTTPServerConnectionDelegate, limits: Limits, in_flight: InFlight, proxies: Proxies
    ) -> None:
        self.application = application
        self.limits = limits
        self.in_flight = in_flight
        self.proxies = proxies if proxies else None

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called by Tornado before it reads a request."""
        return _CappedRequest(self, server_conn, request_conn)


class _CappedRequest(HTTPMessageDelegate):
    """One request as Tornado's server reads it: refused, or passed on and counted until its answer is written."""

    _inner: HTTPMessageDelegate | None = None

    def __init__(self, capped: CappedApplication, server_conn: object, connection: HTTPConnection) -> None:
        self._capped = capped
        self._server_conn = server_conn
        self._connection = connection

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        capped = self._capped
        if not capped.in_flight.begin():
            if "Content-Length" in headers or "Transfer-Encoding" in headers:
                self._refuse()  # at once, and Tornado closes: a body may take its time
            return None
        self._counted = _CountedConnection(capped, self._connection, headers)
        self._inner = capped.application.start_request(self._server_conn, self._counted)
        prepared = self._inner.headers_received(start_line, headers)
        if "Content-Length" in headers or "Transfer-Encoding" in headers:
            self._counted.expect_body(prepared)
        return prepared

    def data_received(self, chunk: bytes) -> Any:
        return None if self._inner is None else self._inner.data_received(chunk)

    def finish(self) -> None:
        if self._inner is None:
            asyncio.get_running_loop().call_later(REFUSAL_SECONDS, self._refuse)  # all was read: the connection is kept
        else:
            self._counted.stop_expecting()
            self._inner.finish()

    def on_connection_close(self) -> None:
        if self._inner is not None:
            self._counted.stop_expecting()
            self._counted.end()
            self._inner.on_connection_close()

    def _refuse(self) -> None:
        """Answer with a 503 problem that says when to come back."""
        headers = HTTPHeaders({"Content-Type": MEDIA_TYPE, "Content-Length": str(len(_BODY)), **_BUSY.headers})
        self._connection.write_headers(ResponseStartLine("HTTP/1.1", 503, _BUSY.title), headers, _BODY)
        self._connection.finish()


class _CountedConnection(HTTPConnection):
    """The connection as the application sees it: counted out at the end, with its own client, and times for body and
    writes. Tornado's own ``body_timeout`` would do for bodies, but takes a task for each, and 15 µs."""

    _is_reading = True
    _expecting: asyncio.TimerHandle | None = None

    def __init__(self, capped: CappedApplication, connection: HTTPConnection, headers: HTTPHeaders) -> None:
        self._in_flight: InFlight | None = capped.in_flight
        self._limits = capped.limits
        self._body_seconds: float | None = capped.limits.body_seconds
        self._connection = connection
        proxies, context = capped.proxies, connection.context  # type: ignore[attr-defined]  # HTTP1Connection has it
        self.context = context if proxies is None else _client(proxies, context, headers)

    def set_body_timeout(self, timeout: float | None) -> None:
        """Called by a handler that gives its clients another time, before the body is read."""
        self._body_seconds = timeout

    def expect_body(self, prepared: object) -> None:
        """Close the connection of a client that does not send its body in time, counted from when it is read.

        :param prepared: what Tornado waits for before it reads on.
        """
        if isinstance(prepared, Future) and not prepared.done():
            prepared.add_done_callback(self.expect_body)
        elif self._body_seconds is not None and self._is_reading:
            close = self._connection.stream.close  # type: ignore[attr-defined]  # HTTP1Connection has it
            self._expecting = asyncio.get_running_loop().call_later(self._body_seconds, close)

    def stop_expecting(self) -> None:
        """Note that the body is read, or will not be."""
        self._is_reading = False
        if self._expecting is not None:
            self._expecting.cancel()

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> Future[None]:
        written = self._connection.write_headers(start_line, headers, chunk)
        return written if written.done() else self._close_late(written, len(chunk or b""))

    def write(self, chunk: bytes) -> Future[None]:
        written = self._connection.write(chunk)
        return written if written.done() else self._close_late(written, len(chunk))

    def _close_late(self, written: Future[None], size: int) -> Future[None]:
        """Close the connection of a client that does not read in time."""
        close = self._connection.stream.close  # type: ignore[attr-defined]  # HTTP1Connection has it
        timer = asyncio.get_running_loop().call_later(self._limits.time_to_write(size), close)
        written.add_done_callback(lambda _: timer.cancel())
        return written

    def finish(self) -> None:
        """Called by Tornado at the end of the answer. It closes the connection where the body is not read yet."""
        self.stop_expecting()
        self._connection.finish()
        self.end()

    def detach(self) -> Any:
        """Called by Tornado's handler if another protocol, such as WebSocket, goes on from here."""
        self.end()
        return self._connection.detach()  # type: ignore[attr-defined]  # HTTP1Connection has it

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Called by Tornado's handler, which wants to know when its client leaves; the count does, too."""

        def closed() -> None:
            self.end()
            if callback is not None:
                callback()

        self._connection.set_close_callback(closed)  # type: ignore[attr-defined]  # HTTP1Connection has it

    def end(self) -> None:
        """Count the request out, once."""
        if self._in_flight is not None:
            self._in_flight.end()
            self._in_flight = None

    release = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def _client(proxies: Proxies, context: Any, headers: HTTPHeaders) -> Any:
    """Return who asks, in place of Tornado's own ``context``."""
    peer = context.remote_ip if isinstance(context.address, tuple) else None  # a Unix socket has no address
    return client_of(proxies, peer, context.protocol, headers)
