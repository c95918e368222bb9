"""The body of a request: received up to a limit, and refused beyond it so that the client can read the refusal.

Most clients write all of their request before they read. Where a server closes a connection of which it has not read
everything, TCP resets it, and such a client never sees the answer. So an answer that is given before the body was read
goes out at once, and what still comes is read and dropped for a while (RFC 9112, section 9.6).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from tornado.httputil import HTTPConnection, HTTPHeaders, RequestStartLine, ResponseStartLine
from tornado.web import stream_request_body

from bzz.errors import PayloadTooLarge
from bzz.problem import ProblemHandler

__all__ = ["ReceivingHandler"]

DROP_BYTES = 128 * 1024 * 1024
"""How much of a body that nobody wants is read and dropped."""

DROP_SECONDS = 10.0
"""How long that may take."""


@stream_request_body
class ReceivingHandler(ProblemHandler):
    """A handler that knows its limit before it reads.

    Subclasses refuse requests in :meth:`check_request`; their verbs get the body by :meth:`body`.

    :cvar max_body_bytes: the longest body, unless the server's own limit is lower.
    """

    max_body_bytes: ClassVar[int] = 1024 * 1024

    _limit = 0
    _received = 0
    _chunks: list[bytes]

    async def prepare(self) -> None:
        """Called by Tornado before the body is read."""
        await self.check_request()
        if self._has_body():
            self._chunks = []
            self._limit = min(self.max_body_bytes, _limit_of(self.request.connection))
            self._refuse_beyond(_declared_length(self.request.headers))
            _lift_limit(self.request.connection)

    async def check_request(self) -> None:
        """Raise where the request may not go on. Called before its body is read."""

    def data_received(self, chunk: bytes) -> None:
        """Called by Tornado with each piece of the body: collect it; drop what is beyond the limit."""
        before, connection = self._received, self.request.connection
        self._received = before + len(chunk)
        if isinstance(connection, _Lingering):
            connection.dropped(self._received)
        elif self._received <= self._limit:
            self._chunks.append(chunk)
        elif before <= self._limit:
            self._chunks.clear()
            asyncio.get_running_loop().call_later(DROP_SECONDS, self._give_up)
        elif self._received > DROP_BYTES:
            self._give_up()

    def body(self) -> bytes:
        """All of the body.

        :raises bzz.errors.PayloadTooLarge: there is more than the limit.
        """
        self._refuse_beyond(self._received)
        return b"".join(self._chunks) if self._received else b""

    def _refuse_beyond(self, length: int) -> None:
        if length > self._limit:
            raise PayloadTooLarge(f"A body may be {self._limit} bytes long.")

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> asyncio.Future[None]:
        """Answer. Where the body is not read yet, the connection is closed when enough of it is, and says so."""
        if not self.request._body_future.done():
            self.set_header("Connection", "close")
            if self._has_body():
                self._linger()
        return super().finish(chunk)

    def _linger(self) -> None:
        headers, connection = self.request.headers, self.request.connection
        assert connection is not None
        length = _declared_length(headers) if "Content-Length" in headers else DROP_BYTES
        headers.pop("Expect", None)  # or else Tornado would ask for the body now
        _lift_limit(connection)
        self.request.connection = _Lingering(connection, min(length, DROP_BYTES), self.request._body_future)

    def _give_up(self) -> None:
        """Answer although the body has no end yet."""
        if self._finished or self.request._body_future.done():
            return
        self.on_connection_close()  # which ends Tornado's waiting for the body
        error = PayloadTooLarge(f"A body may be {self._limit} bytes long.")
        self.set_header("Connection", "close")
        self.send_error(error.status, exc_info=(type(error), error, None))

    def _has_body(self) -> bool:
        headers = self.request.headers
        return "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0"


class _Lingering(HTTPConnection):
    """A connection whose answer is sent, and that stays open until what the client still sends is read.

    :param length: how much of it, in bytes, at the most.
    :param body: is done when all of it is read.
    """

    def __init__(self, connection: HTTPConnection, length: int, body: asyncio.Future[None]) -> None:
        self._connection = connection
        self._length = length
        self._body = body
        self._is_closed = False

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> asyncio.Future[None]:
        return self._connection.write_headers(start_line, headers, chunk)

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        return self._connection.write(chunk)

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        self._connection.set_close_callback(callback)  # type: ignore[attr-defined]  # every server's connection has it

    def finish(self) -> None:
        self._closing = asyncio.get_running_loop().call_later(DROP_SECONDS, self._close)
        self._body.add_done_callback(lambda _: self._close())

    def dropped(self, received: int) -> None:
        """So many bytes of the body were read until now."""
        if received >= self._length:
            self._close()

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._closing.cancel()
            self._connection.finish()


def _declared_length(headers: HTTPHeaders) -> int:
    text = headers.get("Content-Length", "")
    if not (text.isascii() and text.isdigit()):
        return 0
    return int(text) if len(text) < 20 else sys.maxsize  # int() itself refuses thousands of digits


def _limit_of(connection: Any) -> int:
    """The longest body that the server takes: of Tornado's own, or of bzz.serve."""
    params = getattr(connection, "params", None)
    own = getattr(connection, "max_body_size", None) if params is None else params.max_body_size
    return sys.maxsize if own is None else int(own)


def _lift_limit(connection: Any) -> None:
    """Have the server read on beyond its own limit, where it would answer a bare 400 and close."""
    lift = getattr(connection, "set_max_body_size", None)
    if lift is not None:
        lift(sys.maxsize)
