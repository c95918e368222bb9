"""A connection whose request is answered before its body was read, kept open until the client can read the answer.

Most clients write all of their request before they read. If a server closes a connection of which it has not read
everything, TCP resets it, and such a client never sees the answer. So an answer that is given before the body was read
goes out at once, and what still comes is read and dropped for a while (RFC 9112, section 9.6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tornado.httputil import HTTPConnection, HTTPHeaders, RequestStartLine, ResponseStartLine

__all__ = ["DROP_BYTES", "DROP_SECONDS", "LingeringConnection"]

DROP_BYTES = 128 * 1024 * 1024
"""How much of an unread body is read and dropped."""

DROP_SECONDS = 10.0
"""How long that may take."""


class LingeringConnection(HTTPConnection):
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
        """Note that so many bytes of the body were read until now."""
        if received >= self._length:
            self._close()

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._closing.cancel()
            self._connection.finish()
