"""Bytes to requests, by llhttp: the parser of Node.js, which the package httptools brings to Python."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from tornado.httputil import HTTPHeaders, HTTPInputError, RequestStartLine
from tornado.log import gen_log

from bzz.serving.exchange import Exchange

if TYPE_CHECKING:
    from bzz.serving.connection import Connection

__all__ = ["Parser", "Steps"]

Steps = deque[tuple[Callable[[Any], None], Any]]
"""What a connection has to do: methods of it, and what each is given."""

_TOO_LARGE = "431 Request Header Fields Too Large"


class Parser:
    """Reads what one client sends, and adds to the steps of its connection.

    The methods ``on_...`` are called by httptools while it is fed. They call nothing of the application: that happens
    when the parser has returned, step by step.
    """

    def __init__(self, connection: Connection, steps: Steps) -> None:
        self._connection = connection
        self._steps = steps
        self._llhttp: HttpRequestParser | None = HttpRequestParser(self)
        self._limit = connection.params.max_header_size
        self._head = b""  # what was read and made no step yet
        self._aligned = True  # whether a message begins where _head does
        self._begun = False
        self._url = b""
        self._headers: HTTPHeaders | None = None
        self._body: list[bytes] = []
        self._upgrade: Exchange | None = None

    def feed(self, data: bytes) -> None:
        """Called by the connection with what the client sent."""
        if self._llhttp is None:
            return
        self._head += data
        try:
            self._llhttp.feed_data(data)
        except HttpParserUpgrade as upgrade:
            assert self._upgrade is not None
            rest = data[upgrade.args[0] :]
            self._steps.append((self._connection.hand_over, _bytes_of(self._upgrade) + rest))
        except HttpParserError as error:
            self._give_up(error)
        if self._body:
            self._flush_body()
        if self._steps:
            self._head = b""
            self._aligned = not self._begun
        elif len(self._head) > self._limit:
            self._steps.append((self._connection.refuse, _TOO_LARGE))

    def close(self) -> None:
        """Called by the connection when it reads no more."""
        self._llhttp = None  # it holds the methods of this object

    def _give_up(self, error: HttpParserError) -> None:
        """Leave it to Tornado, which takes more: other methods, bytes beyond ASCII in paths, and bare line feeds.

        That needs the bytes from the beginning of the message, and httptools does not tell where in a packet that is.
        """
        self._llhttp = None
        if self._steps or not self._aligned:
            gen_log.info("Malformed HTTP message from %s: %s", self._connection.context, error)
            self._steps.append((self._connection.refuse, "400 Bad Request"))
        else:
            self._steps.append((self._connection.hand_over, self._head))

    def on_message_begin(self) -> None:
        """Called at the first byte of a request."""
        self._begun = True
        self._url = b""
        self._headers = HTTPHeaders()

    def on_url(self, url: bytes) -> None:
        """Called with each piece of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called with each header, whose characters llhttp has checked."""
        headers = self._headers
        if headers is None:
            raise HTTPInputError("trailers are not supported")  # Tornado refuses them, too
        field, line = name.decode("latin1"), value.decode("latin1").strip(" \t")
        if field in headers:
            headers.add(field, line)
        else:
            headers[field] = line  # without the checks of add()

    def on_headers_complete(self) -> None:
        """Called at the end of the head."""
        llhttp, headers = self._llhttp, self._headers
        assert llhttp is not None
        assert headers is not None
        version = llhttp.get_http_version()
        if version not in ("1.1", "1.0"):
            raise HTTPInputError(f"Unexpected HTTP version {version}")
        start_line = RequestStartLine(llhttp.get_method().decode(), self._url.decode("latin1"), "HTTP/" + version)
        exchange = Exchange(self._connection, start_line, headers, llhttp.should_keep_alive())
        self._headers = None
        if len(self._head) > self._limit and len(_bytes_of(exchange)) > self._limit:
            self._steps.append((self._connection.refuse, _TOO_LARGE))
            raise HTTPInputError("the head is too large")
        if llhttp.should_upgrade():
            self._upgrade = exchange
        else:
            self._steps.append((self._connection.begin, exchange))

    def on_body(self, body: bytes) -> None:
        """Called with each piece of a body. Small chunks make one step, not many."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Called at the end of a request."""
        self._begun = False
        if self._body:
            self._flush_body()
        if self._upgrade is None:
            self._steps.append((self._connection.end, None))

    def _flush_body(self) -> None:
        self._steps.append((self._connection.receive, b"".join(self._body)))
        self._body.clear()


def _bytes_of(exchange: Exchange) -> bytes:
    """The head of a request, as a client might have sent it."""
    lines = [" ".join(exchange.start_line), *(f"{name}: {value}" for name, value in exchange.headers.get_all())]
    return "\r\n".join([*lines, "", ""]).encode("latin1")
