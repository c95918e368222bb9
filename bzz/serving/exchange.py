"""One request and its answer, as ``tornado.web`` writes it: the part of Tornado's HTTP/1.1 that makes bytes.

What the bytes are follows ``tornado.http1connection``: which answers are chunked, when a connection is kept, what an
application may not write. RFC 9112 is what both follow.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from typing import TYPE_CHECKING

from tornado.http1connection import parse_int
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream

if TYPE_CHECKING:
    from bzz.serving.connection import Connection

__all__ = ["Exchange"]


class Exchange(HTTPConnection):
    """A request that was read up to its headers, and what its application uses to answer it.

    :param keep_alive: whether the client leaves the connection open for another request (RFC 9112, 9.3).
    """

    def __init__(
        self, connection: Connection, start_line: RequestStartLine, headers: HTTPHeaders, keep_alive: bool
    ) -> None:
        self.context = connection.context
        self.start_line = start_line
        self.headers = headers
        self.keep_alive = keep_alive
        self.delegate: HTTPMessageDelegate | None = None
        self.close_callback: Callable[[], None] | None = None
        self.max_body_size = connection.limits.body_bytes
        self.body_timeout = connection.limits.body_seconds
        self.body_size = 0
        self.counted = False
        """Whether it is among the requests in flight."""
        self.read = False
        """Whether the whole request was read."""
        self.begun = False
        """Whether the head of the answer was written."""
        self.finished = False
        self._connection = connection
        self._chunked = False
        self._remaining: int | None = None

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Called by a handler that wants to know when its client leaves before it is answered."""
        self.close_callback = callback

    def set_max_body_size(self, max_body_size: int) -> None:
        """Called by a handler that streams its body: how many bytes this one may have."""
        self.max_body_size = max_body_size

    def set_body_timeout(self, timeout: float) -> None:
        """Called by a handler that streams its body: how many seconds this one may take."""
        self.body_timeout = timeout

    def detach(self) -> IOStream:
        """Called by a handler that goes on in another protocol, on the stream that this returns."""
        return self._connection.detach(self)

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> Future[None]:
        """Called by the application, once for each answer.

        :param chunk: the first piece of the body.
        :returns: a future that is done when the client has taken what was written.
        :raises ValueError: for a CR or LF within a header.
        """
        assert isinstance(start_line, ResponseStartLine)
        _, code, reason = start_line
        self._frame(code, headers)
        lines = [f"HTTP/1.1 {code} {reason}"]
        lines += [name + ": " + value for name, value in headers.get_all()]
        head = "\r\n".join(lines)
        if head.count("\n") >= len(lines) or head.count("\r") >= len(lines):
            raise ValueError(f"Illegal characters (CR or LF) in header: {head!r}")
        data = head.encode("latin1") + b"\r\n\r\n"
        self.begun = True
        return self._connection.write(data + self._body(chunk) if chunk else data)

    def _frame(self, code: int, headers: HTTPHeaders) -> None:
        """Settle how a client knows where the answer ends (RFC 9112, 6.3), and say whether another may follow."""
        bodiless = self.start_line.method == "HEAD" or code in (204, 304) or 100 <= code < 200
        modern = self.start_line.version == "HTTP/1.1"
        sized = "Content-Length" in headers
        if self._connection.params.no_keep_alive or not (bodiless or sized or modern):
            self.keep_alive = False
        if modern and not self.keep_alive:
            headers["Connection"] = "close"
        elif self.keep_alive and not modern:
            headers["Connection"] = "Keep-Alive"
        self._chunked = modern and not bodiless and not sized
        if self._chunked:
            headers["Transfer-Encoding"] = "chunked"
        if self.start_line.method == "HEAD" or code == 304:
            self._remaining = 0
        elif sized:
            self._remaining = parse_int(headers["Content-Length"])

    def _body(self, chunk: bytes) -> bytes:
        if self._remaining is not None:
            self._remaining -= len(chunk)
            if self._remaining < 0:
                self._connection.abort()
                raise HTTPOutputError("Tried to write more data than Content-Length")
        if self._chunked and chunk:  # an empty chunk would be the last one
            return b"%x\r\n%b\r\n" % (len(chunk), chunk)
        return chunk

    def write(self, chunk: bytes) -> Future[None]:
        """Called by the application for each further piece of the body; returns what ``write_headers`` returns."""
        return self._connection.write(self._body(chunk))

    def finish(self) -> None:
        """Called by the application at the end of the answer.

        :raises tornado.httputil.HTTPOutputError: where less was written than ``Content-Length`` says.
        """
        if self._remaining and not self._connection.transport.is_closing():
            self._connection.abort()
            raise HTTPOutputError(f"Tried to write {self._remaining} bytes less than Content-Length")
        if self._chunked:
            self._connection.write(b"0\r\n\r\n")
        self.finished = True
        self.close_callback = None
        self.delegate = None  # it knows the application's handler, which knows this
        self._connection.answered(self)

    def lost(self) -> None:
        """Called by the connection when the client has left before the answer was finished."""
        delegate, callback = self.delegate, self.close_callback
        self.delegate = self.close_callback = None
        if not self.read:
            if delegate is not None:
                delegate.on_connection_close()
        elif callback is not None:
            callback()
