"""What stands between Tornado's HTTP server and an application: the cap on requests in flight, and who the client is.

By Tornado's public interfaces for servers, :mod:`tornado.httputil`, and the methods that its ``HTTP1Connection`` has
besides.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
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

from bzz.addresses import Proxies
from bzz.asgi.engine import client_of
from bzz.codec import dumps
from bzz.errors import Unavailable
from bzz.limits import REST_SECONDS, InFlight, Limits
from bzz.problem import MEDIA_TYPE

__all__ = ["Guarded"]

_BUSY = Unavailable("The server is busy; nothing was done.")
_BODY = dumps(_BUSY.problem())


class Guarded(HTTPServerConnectionDelegate):
    """Passes requests to an application, as many at a time as there may be.

    :param application: what answers them.
    :param limits: ``write_seconds`` counts here.
    :param flight: counts them.
    :param proxies: whom to believe about their clients.
    """

    def __init__(
        self, application: HTTPServerConnectionDelegate, limits: Limits, flight: InFlight, proxies: Proxies
    ) -> None:
        self.application = application
        self.limits = limits
        self.flight = flight
        self.proxies = proxies

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called by Tornado before it reads a request."""
        return _Request(self, server_conn, request_conn)


class _Request(HTTPMessageDelegate):
    """One request: refused, or passed on and counted until its answer is written."""

    _inner: HTTPMessageDelegate | None = None

    def __init__(self, guarded: Guarded, server_conn: object, connection: HTTPConnection) -> None:
        self._guarded = guarded
        self._server_conn = server_conn
        self._connection = connection

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        guarded = self._guarded
        if guarded.flight.is_full():
            if "Content-Length" in headers or "Transfer-Encoding" in headers:
                self._refuse()  # at once, and Tornado closes: a body may take its time
            return None
        self._answering = _Answering(guarded, self._connection, headers)
        self._inner = guarded.application.start_request(self._server_conn, self._answering)
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        return None if self._inner is None else self._inner.data_received(chunk)

    def finish(self) -> None:
        if self._inner is None:
            asyncio.get_running_loop().call_later(REST_SECONDS, self._refuse)  # all was read: the connection is kept
        else:
            self._inner.finish()

    def on_connection_close(self) -> None:
        if self._inner is not None:
            self._answering.done()
            self._inner.on_connection_close()

    def _refuse(self) -> None:
        """Answer with a 503 problem that says when to come back."""
        headers = HTTPHeaders({"Content-Type": MEDIA_TYPE, "Content-Length": str(len(_BODY)), **_BUSY.headers})
        self._connection.write_headers(ResponseStartLine("HTTP/1.1", 503, _BUSY.title), headers, _BODY)
        self._connection.finish()


class _Answering(HTTPConnection):
    """The connection as the application sees it: with its own client, and a time for what is written."""

    def __init__(self, guarded: Guarded, connection: HTTPConnection, headers: HTTPHeaders) -> None:
        guarded.flight.begin()
        self._flight: InFlight | None = guarded.flight
        self._limits = guarded.limits
        self._connection = connection
        if guarded.proxies:
            self.context = _client(guarded.proxies, connection, headers)

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> Future[None]:
        return self._in_time(self._connection.write_headers(start_line, headers, chunk), len(chunk or b""))

    def write(self, chunk: bytes) -> Future[None]:
        return self._in_time(self._connection.write(chunk), len(chunk))

    def _in_time(self, written: Future[None], size: int) -> Future[None]:
        """Close the connection of a client that does not read."""
        if not written.done():
            close = self._connection.stream.close  # type: ignore[attr-defined]  # HTTP1Connection has it
            timer = asyncio.get_running_loop().call_later(self._limits.time_to_write(size), close)
            written.add_done_callback(lambda _: timer.cancel())
        return written

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

    release = done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def _client(proxies: Proxies, connection: Any, headers: HTTPHeaders) -> Any:
    """Return who asks, in place of Tornado's own context."""
    context = connection.context
    peer = context.remote_ip if isinstance(context.address, tuple) else None  # a Unix socket has no address
    return client_of(proxies, peer, context.protocol, headers)
