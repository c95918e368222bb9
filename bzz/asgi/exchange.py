"""The connection that a Tornado handler answers on, whatever engine is behind it.

Tornado's side of it is that of :class:`tornado.httputil.HTTPConnection`. An interface of engines needs four operations
for it: a piece of the body comes, the head of the answer goes, a piece of its body goes, the client leaves.
"""

from __future__ import annotations

import asyncio
from abc import ABCMeta, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import partial
from re import Pattern
from typing import ClassVar, NoReturn

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPInputError,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from bzz.addresses import client_of
from bzz.asgi.engine import Engine
from bzz.asgi.outbox import Outbox, closed_future
from bzz.codec import dumps
from bzz.errors import RequestError
from bzz.problem import MEDIA_TYPE

__all__ = ["Exchange", "Fields", "NotOffered"]

Fields = list[tuple[str, str]]
"""The names and values of headers."""


class NotOffered(RequestError):
    """The request asks for a protocol that no engine behind ASGI or RSGI lets an application speak."""

    status = 501
    title = "Not Implemented"

    def __init__(self) -> None:
        super().__init__("WebSockets and other protocols need Tornado's own server: bzz serve, without --server.")


class Exchange(HTTPConnection, metaclass=ABCMeta):
    """One request, and the connection on which a Tornado handler answers it.

    :param peer: the address of who connected; None on a Unix socket.
    :param protocol: ``'http'`` or ``'https'``.
    :cvar unfit: what the headers of an answer cannot hold.
    :ivar malformed: what is wrong with the headers of the request.
    :ivar is_counted: whether it is one of the requests in flight.
    :ivar is_unread: whether there may be something to read still.
    :ivar done: done when everything that was written was taken, or the client has left; its error is the engine's.
    """

    unfit: ClassVar[Pattern[str]]

    def __init__(
        self,
        engine: Engine,
        start_line: RequestStartLine,
        fields: Iterable[tuple[str, str]],
        peer: str | None,
        protocol: str,
    ) -> None:
        self.engine = engine
        self.start_line = start_line
        self.headers = headers = HTTPHeaders()
        self.malformed: HTTPInputError | None = None
        try:
            for name, value in fields:
                headers.add(name, value)
        except HTTPInputError as error:
            self.malformed = error
        self.context = client_of(engine.proxies, peer, protocol, headers)
        self.max_body_size = engine.limits.body_bytes
        self.body_timeout = engine.limits.body_seconds
        self.is_http_2 = start_line.version == "HTTP/2"
        self.is_unread = (  # RFC 9112, section 6.3; in HTTP/2 the frames say it
            headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers or self.is_http_2
        )
        self.is_finished = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_counted = False
        self._is_begun = False
        self._is_whole = False
        self._is_left = False
        self._close_callback: Callable[[], None] | None = None
        self._outbox: Outbox | None = None

    # What a handler does.

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Take what to call when the client leaves before it is answered."""
        self._close_callback = callback

    def set_max_body_size(self, max_body_size: int) -> None:
        """Take how many bytes the body of this request may have."""
        self.max_body_size = max_body_size

    def set_body_timeout(self, timeout: float) -> None:
        """Take how many seconds the body of this request may take."""
        self.body_timeout = timeout

    def release(self) -> None:
        """Count the request out, once: see :func:`bzz.in_flight.release`."""
        if self.is_counted:
            self.is_counted = False
            self.engine.flight.end()

    def detach(self) -> NoReturn:
        """Refuse: an engine keeps its sockets to itself.

        :raises tornado.web.HTTPError: 501, which the client has been answered by now.
        """
        refusal = NotOffered()
        if not self._is_begun:
            self.refuse(refusal)
        raise HTTPError(refusal.status, str(refusal))

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> asyncio.Future[None]:
        """Send the head of the answer, and the first piece of its body.

        :returns: a future that is done when the engine has taken it.
        :raises ValueError: for characters that cannot be in a header.
        """
        assert isinstance(start_line, ResponseStartLine)
        status = start_line.code
        if status == 101:
            self.refuse(NotOffered())
            return self.taken()
        if self._is_begun or not 200 <= status <= 999:
            raise HTTPOutputError(f"An answer cannot begin with {status}, or twice")
        fields = list(headers.get_all())
        self._check(fields)
        if self._is_left:
            return closed_future(self.done.get_loop())
        size = headers.get("Content-Length")
        if size is not None and not (size.isascii() and size.isdigit()):
            raise HTTPOutputError(f"Content-Length is no number: {size!r}")
        self._is_begun = True
        if self.is_unread and not self.is_http_2 and "Connection" not in headers:
            fields.append(("Connection", "close"))  # or else the engine would read the rest, however long it is
        if self.start_line.method == "HEAD" or status in (204, 304):
            chunk, size = b"", "0"
        chunk = chunk or b""
        self._is_whole = size == str(len(chunk))
        if self._is_whole:
            return self._answer(status, fields, chunk)
        self._start(status, fields)
        return self._put(chunk)

    def _check(self, fields: Fields) -> None:
        if self.unfit.search("".join([name + value for name, value in fields])):
            illegal = [name for name, value in fields if self.unfit.search(name + value)]
            raise ValueError(f"Illegal characters in headers: {illegal!r}")

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Send a further piece of the body; return what ``write_headers`` does."""
        if self._is_left:
            return closed_future(self.done.get_loop())
        if not chunk or not self._is_begun:
            return self.taken()
        if self._is_whole:
            raise HTTPOutputError("Tried to write more data than Content-Length")
        return self._put(chunk)

    async def send(self, chunk: bytes) -> None:
        """Send a further piece of the body as :meth:`write` does, and wait for it, in the task of who calls.

        There is no task of its own for it. That counts for answers without an end, of which there are many: on uvicorn
        10,000 feeds were told of a change within 0.27 s this way, and within 1.05 s the other.

        :raises tornado.iostream.StreamClosedError: if the client has left, or does not read in time.
        """
        if self._is_left or not self._is_begun or (self._outbox is not None and self._outbox.is_busy):
            await self.write(chunk)
            return
        try:
            async with asyncio.timeout(self.engine.limits.time_to_write(len(chunk))):
                await self._send(chunk, True)
        except OSError:  # as the outbox has it; a TimeoutError is one, too
            self.lose()
        except Exception as error:
            self._fail(error)
        if self._is_left:
            raise StreamClosedError

    def finish(self) -> None:
        """End the answer; one without a head is a 500, for its handler failed to write one."""
        if self.is_finished:
            return
        if not self._is_begun and not self._is_left:
            self.refuse(RequestError())
            return
        self.is_finished = True
        if self._is_left:
            self.end()
        elif not self._is_whole:
            self._put(b"", more=False).add_done_callback(lambda _: self.end())

    def _put(self, chunk: bytes, *, more: bool = True) -> asyncio.Future[None]:
        """Send a piece after those before, as fast as the client takes them."""
        return self.queue(partial(self._send, chunk, more), self.engine.limits.time_to_write(len(chunk)))

    # What the interface to the engine does.

    def queue(self, send: Callable[[], Awaitable[None]], seconds: float | None = None) -> asyncio.Future[None]:
        """Have something sent after what was queued before; return a future that is done when it is.

        :param seconds: how long that may take.
        """
        if self._outbox is None:
            self._outbox = Outbox(self.lose, self._fail)
        return self._outbox.put(send, seconds)

    def taken(self) -> asyncio.Future[None]:
        """Return a future that is done."""
        future: asyncio.Future[None] = self.done.get_loop().create_future()
        future.set_result(None)
        return future

    def refuse(self, error: RequestError) -> None:
        """Answer instead of the application, unless it has begun to."""
        if self._is_begun:
            self.lose()
            return
        body = dumps(error.problem())
        headers = HTTPHeaders({"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **error.headers})
        if error.status in (400, 408) and not self.is_http_2:
            headers["Connection"] = "close"  # for what comes next may be another part of the same request
        self.write_headers(ResponseStartLine("", error.status, error.title), headers, body)
        self.finish()

    def lose(self) -> None:
        """Tell the handler that its client has left."""
        self._is_left = True
        if self._outbox is not None:
            self._outbox.drop()
        callback, self._close_callback = self._close_callback, None
        if callback is not None and not self.is_finished:
            callback()
        self.end()

    def end(self) -> None:
        """Let the engine go on: there is nothing more to send."""
        if not self.done.done():
            self.done.set_result(None)

    def _fail(self, error: Exception) -> None:
        """Let the engine know that it did not take what it was given."""
        self._is_left = True
        if not self.done.done():
            self.done.set_exception(error)

    def _answer(self, status: int, fields: Fields, body: bytes) -> asyncio.Future[None]:
        """Send an answer that is known as a whole."""
        self._start(status, fields)
        sent = self.queue(partial(self._send, body, more=False))
        sent.add_done_callback(lambda _: self.end())
        return sent

    # What ASGI and RSGI do in ways of their own.

    @abstractmethod
    def body(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces; raise :class:`bzz.errors.BadRequest` if it ends early."""

    @abstractmethod
    async def wait_until_left(self) -> None:
        """Return when the client has left."""

    @abstractmethod
    def _start(self, status: int, fields: Fields) -> None:
        """Queue the head of an answer whose body follows in pieces."""

    @abstractmethod
    def _send(self, chunk: bytes, more: bool) -> Awaitable[None]:
        """Send a piece of the body; ``more`` says whether others follow."""
