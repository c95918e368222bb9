"""A cap on the requests in flight: beyond it, 503 at once, so that those within it stay fast."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from bzz.codec import dumps
from bzz.errors import Unavailable

__all__ = ["InFlight"]

_BUSY = Unavailable("The server is busy; nothing was done.")
_BODY = dumps(_BUSY.problem())


class InFlight(HTTPServerConnectionDelegate):
    """Stands between Tornado's HTTP server and an application, and counts the requests that are being answered.

    :param application: what answers them.
    :param limit: how many may be in flight; further ones get a 503 problem with ``Retry-After``.
    """

    def __init__(self, application: HTTPServerConnectionDelegate, limit: int) -> None:
        self._application = application
        self._limit = limit
        self._count = 0
        self._seen = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called by Tornado before it reads a request."""
        return _Request(self, server_conn, request_conn)

    def is_full(self) -> bool:
        """Whether the next request is refused."""
        return self._count >= self._limit

    def begin(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Count a request in, and let the application answer."""
        self._count += 1
        self._seen += 1
        self._idle.clear()
        return self._application.start_request(server_conn, request_conn)

    def end(self) -> None:
        """Count a request out."""
        self._count -= 1
        if not self._count:
            self._idle.set()

    async def quiet(self, seconds: float) -> None:
        """Wait until no request is in flight, and none has come for so long."""
        seen = -1
        while seen != self._seen or self._count:
            await self._idle.wait()
            seen = self._seen
            await asyncio.sleep(seconds)


class _Request(HTTPMessageDelegate):
    """One request: refused when its headers are there, or passed on and counted until its answer is written."""

    def __init__(self, flight: InFlight, server_conn: object, connection: HTTPConnection) -> None:
        self._flight = flight
        self._server_conn = server_conn
        self._connection = connection
        self._inner: HTTPMessageDelegate | None = None

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        if self._flight.is_full():
            self._refuse()
            return None
        self._answering = _Answering(self._flight, self._connection)
        self._inner = self._flight.begin(self._server_conn, self._answering)
        return self._inner.headers_received(start_line, headers)

    def _refuse(self) -> None:
        headers = HTTPHeaders({"Content-Type": "application/problem+json", "Content-Length": str(len(_BODY))})
        for name, value in _BUSY.headers.items():
            headers[name] = value
        self._connection.write_headers(ResponseStartLine("HTTP/1.1", 503, _BUSY.title), headers, _BODY)
        self._connection.finish()

    def data_received(self, chunk: bytes) -> Any:
        return None if self._inner is None else self._inner.data_received(chunk)

    def finish(self) -> None:
        if self._inner is not None:
            self._inner.finish()

    def on_connection_close(self) -> None:
        if self._inner is not None:
            self._answering.done()
            self._inner.on_connection_close()


class _Answering(HTTPConnection):
    """The connection as the application sees it; it tells when the answer is finished."""

    def __init__(self, flight: InFlight, connection: HTTPConnection) -> None:
        self._flight: InFlight | None = flight
        self._connection = connection
        self.write_headers = connection.write_headers  # type: ignore[method-assign]  # no call of ours in between
        self.write = connection.write  # type: ignore[method-assign]

    def finish(self) -> None:
        """Called by Tornado at the end of the answer."""
        self._connection.finish()
        self.done()

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Called by Tornado's handler, which wants to know when its client leaves; the count does, too."""

        def closed() -> None:
            self.done()
            if callback is not None:
                callback()

        self._connection.set_close_callback(closed)  # type: ignore[attr-defined]  # HTTP1Connection has it

    def done(self) -> None:
        """Count the request out, once."""
        if self._flight is not None:
            self._flight.end()
            self._flight = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
