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

__all__ = ["Capped", "InFlight", "refuse"]

_BUSY = Unavailable("The server is busy; nothing was done.")
_BODY = dumps(_BUSY.problem())


class InFlight:
    """Counts the requests that one process is answering.

    :param limit: how many may be in flight.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._seen = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def is_full(self) -> bool:
        """Whether the next request is to be refused."""
        return self._count >= self._limit

    def begin(self) -> None:
        """Count a request in."""
        self._count += 1
        self._seen += 1
        self._idle.clear()

    def end(self) -> None:
        """Count a request out: it is answered, its client has left, or it speaks another protocol from here on."""
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


def refuse(connection: HTTPConnection, *, closing: bool = False) -> None:
    """Answer a request with a 503 problem that says when to come back.

    :param closing: whether to say that the connection closes; :class:`~bzz.serving.exchange.Exchange` knows by itself.
    """
    headers = HTTPHeaders({"Content-Type": "application/problem+json", "Content-Length": str(len(_BODY))})
    headers.update(_BUSY.headers)
    if closing:
        headers["Connection"] = "close"
    connection.write_headers(ResponseStartLine("HTTP/1.1", 503, _BUSY.title), headers, _BODY)
    connection.finish()


class Capped(HTTPServerConnectionDelegate):
    """Stands between Tornado's HTTP server and an application, and refuses what goes beyond the cap.

    :param application: what answers the others.
    """

    def __init__(self, application: HTTPServerConnectionDelegate, flight: InFlight) -> None:
        self._application = application
        self._flight = flight

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called by Tornado before it reads a request."""
        return _Request(self._application, self._flight, server_conn, request_conn)


class _Request(HTTPMessageDelegate):
    """One request: refused when its headers are there, or passed on and counted until its answer is written."""

    def __init__(
        self,
        application: HTTPServerConnectionDelegate,
        flight: InFlight,
        server_conn: object,
        connection: HTTPConnection,
    ) -> None:
        self._application = application
        self._flight = flight
        self._server_conn = server_conn
        self._connection = connection
        self._inner: HTTPMessageDelegate | None = None

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        if self._flight.is_full():
            refuse(self._connection, closing=True)  # as Tornado does where a body was not read
            return None
        self._answering = _Answering(self._flight, self._connection)
        self._inner = self._application.start_request(self._server_conn, self._answering)
        return self._inner.headers_received(start_line, headers)

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
        flight.begin()
        self._flight: InFlight | None = flight
        self._connection = connection
        self.write_headers = connection.write_headers  # type: ignore[method-assign]  # no call of ours in between
        self.write = connection.write  # type: ignore[method-assign]

    def finish(self) -> None:
        """Called by Tornado at the end of the answer."""
        self._connection.finish()
        self.done()

    def detach(self) -> Any:
        """Called by Tornado's handler where another protocol, such as WebSocket, goes on from here."""
        self.done()
        return self._connection.detach()  # type: ignore[attr-defined]  # HTTP1Connection has it

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
