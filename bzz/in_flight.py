"""The cap on requests in flight, and what stands between Tornado's server and an application for it.

An application sees nothing of it but the address of its client. What is wrapped has Tornado's public interfaces for
servers, :mod:`tornado.httputil`, and the methods that its ``HTTP1Connection`` has besides. The engines behind ASGI and
RSGI count by :class:`InFlight` themselves.
"""

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

from bzz.addresses import Proxies, client_of
from bzz.codec import dumps
from bzz.errors import Unavailable
from bzz.limits import Limits
from bzz.lingering import DROP_BYTES, LingeringConnection
from bzz.problem import MEDIA_TYPE
from bzz.target import to_origin_form

__all__ = ["REFUSAL_SECONDS", "CappedApplication", "InFlight", "release"]

REFUSAL_SECONDS = 0.03
"""How long a refusal waits: clients that ask again at once would else take more time than those who are answered."""

_BUSY = Unavailable("The server is busy; nothing was done.")
_BODY = dumps(_BUSY.problem())


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
        self._sending = 0
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
        if not (self._count or self._sending):
            self._idle.set()

    def begin_sending(self) -> None:
        """Note that the rest of an answer waits for its client to read. It takes no place, but a stop waits for it."""
        self._sending += 1
        self._idle.clear()

    def end_sending(self) -> None:
        """Note that such a rest is sent, or never will be."""
        self._sending -= 1
        if not (self._count or self._sending):
            self._idle.set()

    async def wait_until_quiet(self, seconds: float) -> None:
        """Wait until no request is in flight, all answers are sent, and none has come for so long."""
        seen = -1
        while seen != self._seen or not self._idle.is_set():
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
    _lingering: LingeringConnection | None = None
    _received = 0

    def __init__(self, capped: CappedApplication, server_conn: object, connection: HTTPConnection) -> None:
        self._capped = capped
        self._server_conn = server_conn
        self._connection = connection

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        capped = self._capped
        if not capped.in_flight.begin():
            self._read = asyncio.Future[None]()
            self._waiting = asyncio.get_running_loop().call_later(REFUSAL_SECONDS, self._refuse)
            if headers.pop("Expect", None):  # Tornado would ask for the body
                self._waiting.cancel()
                self._refuse(closes=True)
            return None
        self._counted = _CountedConnection(capped, self._connection, headers)
        self._inner = capped.application.start_request(self._server_conn, self._counted)
        if isinstance(start_line, RequestStartLine) and not start_line.path.startswith("/"):
            start_line = to_origin_form(start_line, headers)
        prepared = self._inner.headers_received(start_line, headers)
        if "Content-Length" in headers or "Transfer-Encoding" in headers:
            self._counted.expect_body(prepared)
        return prepared

    def data_received(self, chunk: bytes) -> Any:
        if self._inner is not None:
            return self._inner.data_received(chunk)
        self._received += len(chunk)
        if self._lingering is not None:
            self._lingering.dropped(self._received)
        return None

    def finish(self) -> None:
        if self._inner is None:
            self._read.set_result(None)
        else:
            self._counted.stop_expecting()
            self._inner.finish()

    def on_connection_close(self) -> None:
        if self._inner is not None:
            self._counted.stop_expecting()
            self._counted.end()
            self._inner.on_connection_close()
        else:
            self._waiting.cancel()
            self._read.cancel()

    def _refuse(self, *, closes: bool = False) -> None:
        """Answer with a 503 problem that says when to come back. What still comes of the body is dropped."""
        headers = HTTPHeaders({"Content-Type": MEDIA_TYPE, "Content-Length": str(len(_BODY)), **_BUSY.headers})
        if closes:
            headers["Connection"] = "close"
        self._connection.write_headers(ResponseStartLine("HTTP/1.1", 503, _BUSY.title), headers, _BODY)
        if closes or self._read.done():
            self._connection.finish()
        else:
            self._lingering = LingeringConnection(self._connection, DROP_BYTES, self._read)
            self._lingering.finish()


class _CountedConnection(HTTPConnection):
    """The connection as the application sees it: counted out at the end, with its own client, and times for body and
    writes. Tornado's own ``body_timeout`` would do for bodies, but takes a task for each, and 15 µs."""

    _is_reading = True
    _is_finished = False
    _expecting: asyncio.TimerHandle | None = None
    _late: asyncio.TimerHandle | None = None

    def __init__(self, capped: CappedApplication, connection: HTTPConnection, headers: HTTPHeaders) -> None:
        self._flight = capped.in_flight
        self._is_counted = True
        self._limits = capped.limits
        self._body_seconds: float | None = capped.limits.body_seconds
        self._connection = connection
        self.context = context = connection.context  # type: ignore[attr-defined]  # HTTP1Connection has it
        if capped.proxies is not None:
            peer = context.remote_ip if isinstance(context.address, tuple) else None  # a Unix socket has no address
            self.context = client_of(capped.proxies, peer, context.protocol, headers)

    def set_body_timeout(self, timeout: float | None) -> None:
        """Called by a handler that gives its clients another time, before the body is read."""
        self._body_seconds = timeout

    def expect_body(self, prepared: object) -> None:
        """Close the connection of a client that does not send its body in time, counted from when it is read.

        :param prepared: what Tornado waits for before it reads on.
        """
        if isinstance(prepared, asyncio.Future) and not prepared.done():
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
    ) -> asyncio.Future[None]:
        written = self._connection.write_headers(start_line, headers, chunk)
        return written if written.done() else self._follow(written, len(chunk or b""))

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        written = self._connection.write(chunk)
        return written if written.done() else self._follow(written, len(chunk))

    def _follow(self, written: asyncio.Future[None], size: int) -> asyncio.Future[None]:
        """Close the connection of a client that does not read in time, counted from when it began to be late.

        Tornado resolves only one of several writes that wait, and not always when that is sent.
        """
        loop, stream = asyncio.get_running_loop(), self._connection.stream  # type: ignore[attr-defined]  # as above
        if stream.closed():
            return written
        if self._late is None:
            self._late_since, self._unsent = loop.time(), 0
        else:
            self._late.cancel()
        self._unsent += size
        self._late = loop.call_at(self._late_since + self._limits.time_to_write(self._unsent), stream.close)
        self._sent = stream.write(b"")  # done when all before it is sent
        self._sent.add_done_callback(self._note_sent)
        return written

    def _note_sent(self, sent: asyncio.Future[None]) -> None:
        """Called when what waited is sent, or the connection is closed."""
        if not sent.cancelled():
            sent.exception()  # so that asyncio does not report it
        if sent is self._sent and self._late is not None:
            self._late.cancel()
            self._late = None
            if self._is_finished:
                self._flight.end_sending()

    def finish(self) -> None:
        """Called by Tornado at the end of the answer. It closes the connection where the body is not read yet."""
        self.stop_expecting()
        if self._late is not None and not self._is_finished:
            self._is_finished = True
            self._flight.begin_sending()
        self._connection.finish()
        self.end()

    def detach(self) -> Any:
        """Called by Tornado's handler if another protocol, such as WebSocket, goes on from here."""
        self.end()
        return self._connection.detach()  # type: ignore[attr-defined]  # HTTP1Connection has it

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Called by Tornado's handler, which wants to know when its client leaves; then it is counted out, too."""

        def closed() -> None:
            self.end()
            if callback is not None:
                callback()

        self._connection.set_close_callback(closed)  # type: ignore[attr-defined]  # HTTP1Connection has it

    def end(self) -> None:
        """Count the request out, once."""
        if self._is_counted:
            self._is_counted = False
            self._flight.end()

    release = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
