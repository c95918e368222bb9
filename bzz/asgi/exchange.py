"""One request and its answer, between an engine and a Tornado application: what ASGI and RSGI share.

The engine frames the messages; here are the rules of :class:`tornado.httputil.HTTPConnection`: who is told what, in
which order, and what becomes of a client that leaves.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABCMeta, abstractmethod
from collections.abc import AsyncIterator, Callable
from typing import NoReturn

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.web import HTTPError

from bzz.addresses import Client
from bzz.asgi.engine import NO_WEBSOCKETS, Disconnected, Engine, NotOffered, RequestTimeout, problem_headers
from bzz.asgi.outbox import closed_future
from bzz.codec import dumps
from bzz.errors import BadRequest, PayloadTooLarge, RequestError, Unavailable
from bzz.limits import REFUSAL_SECONDS

__all__ = ["Exchange"]

logger = logging.getLogger("bzz.asgi")

WATCH_SECONDS = 0.05
"""How long an answer may take before its client is watched: most take less, and a watch costs as much as they do."""

_BUSY = Unavailable("The server is busy; nothing was done.")


class Exchange(HTTPConnection, metaclass=ABCMeta):
    """One request, and the connection on which a Tornado handler answers it.

    Slots, for an answer may last for hours, and there may be ten thousand: a feed.
    """

    __slots__ = (
        "_begun",
        "_body_timeout",
        "_close_callback",
        "_done",
        "_engine",
        "_finished",
        "_is_counted",
        "_left",
        "_loop",
        "_unread",
        "context",
        "headers",
        "max_body_size",
        "start_line",
    )

    def __init__(self, engine: Engine, start_line: RequestStartLine, headers: HTTPHeaders, context: Client) -> None:
        self.context = context
        self.start_line = start_line
        self.headers = headers
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self.max_body_size = engine.limits.body_bytes
        self._body_timeout = engine.limits.body_seconds
        self._close_callback: Callable[[], None] | None = None
        self._unread = False
        self._begun = False
        self._finished = False
        self._left = False

    # What an engine does.

    async def serve(self) -> None:
        """Have the application answer; return when it has, or when the client has left."""
        self._unread = self._may_have_body()
        flight = self._engine.flight
        if not flight.begin():
            if not self._unread:
                await asyncio.sleep(REFUSAL_SECONDS)
            self.refuse(_BUSY)
            return await self._done
        self._is_counted = True
        try:
            await self._pass_on(self._engine.application.start_request(self, self))
            await self._answered()
        finally:
            flight.end()
            self._close_callback = None
        return None

    async def _pass_on(self, delegate: HTTPMessageDelegate) -> None:
        """Pass the request on, and say so if it ends before its end."""
        try:
            await self._read(delegate)
        except BaseException as error:
            delegate.on_connection_close()
            self._close_callback = None  # the handler knows it by the delegate
            if isinstance(error, Disconnected):
                self.refuse(BadRequest("The body breaks off."))  # for a client that only ended its half
            elif isinstance(error, HTTPInputError):
                self.refuse(BadRequest(f"The request cannot be read: {error}"))
            elif isinstance(error, RequestError):
                self.refuse(error)
            else:
                raise

    async def _read(self, delegate: HTTPMessageDelegate) -> None:
        self._check_framing()
        waiting = delegate.headers_received(self.start_line, self.headers)
        if waiting is not None:
            await waiting
        if self._unread and not self._finished:
            await self._read_body(delegate)
            self._unread = False
        if not self._finished:
            delegate.finish()

    def _check_framing(self) -> None:
        """Refuse a body whose end a proxy may see elsewhere (RFC 9112, sections 6.1 and 11.2), as Tornado does."""
        encoding = self.headers.get("Transfer-Encoding")
        if encoding is not None and (encoding.lower() != "chunked" or "Content-Length" in self.headers):
            raise HTTPInputError("Transfer-Encoding must be chunked, and stand without Content-Length")

    def _may_have_body(self) -> bool:
        """Return whether there may be something to read (RFC 9112, section 6.3; in HTTP/2 the frames say it)."""
        headers = self.headers
        return headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers or self._is_http_2()

    def _is_http_2(self) -> bool:
        return self.start_line.version == "HTTP/2"

    async def _read_body(self, delegate: HTTPMessageDelegate) -> None:
        task = asyncio.current_task()
        assert task is not None
        expired: list[bool] = []
        timer = self._loop.call_later(self._body_timeout, lambda: expired.append(task.cancel()))
        try:
            await self._pass_body_on(delegate)
        except asyncio.CancelledError:
            if not expired:
                raise
            raise RequestTimeout("The body did not come in time.") from None
        finally:
            timer.cancel()

    async def _pass_body_on(self, delegate: HTTPMessageDelegate) -> None:
        size = int(self.headers.get("Content-Length", "0"))
        self._check_size(size)
        size = 0
        async for chunk in self._body():
            size += len(chunk)
            self._check_size(size)
            if self._finished:
                return  # answered early
            waiting = delegate.data_received(chunk)
            if waiting is not None:
                await waiting

    def _check_size(self, size: int) -> None:
        if size > self.max_body_size:
            raise PayloadTooLarge(f"The body is longer than {self.max_body_size} bytes.")

    async def _answered(self) -> None:
        """Wait for the answer; if it takes a while, watch whether its client stays."""
        if self._done.done():
            return self._done.result()
        watch: list[asyncio.Task[None]] = []
        timer = self._loop.call_later(WATCH_SECONDS, lambda: watch.append(self._loop.create_task(self._watch())))
        try:
            await self._done
        finally:
            timer.cancel()
            for each in watch:
                each.cancel()
        return None

    async def _watch(self) -> None:
        await self._until_left()
        self._lose()

    def _lose(self) -> None:
        """Tell the handler that its client has left."""
        self._left = True
        callback, self._close_callback = self._close_callback, None
        if callback is not None and not self._finished:
            callback()
        self._end()

    def _end(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _fail(self, error: Exception) -> None:
        """Let the engine know that it did not take what it was given."""
        self._left = True
        if not self._done.done():
            self._done.set_exception(error)

    def refuse(self, error: RequestError) -> None:
        """Answer instead of the application, unless it has begun to."""
        if self._begun:
            self._lose()
            return
        body = dumps(error.problem())
        headers = problem_headers(error, body, closing=error.status in (400, 408) and not self._is_http_2())
        self.write_headers(ResponseStartLine("", error.status, error.title), headers, body)
        self.finish()

    # What a handler does.

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Take what to call when the client leaves before it is answered."""
        self._close_callback = callback

    def set_max_body_size(self, max_body_size: int) -> None:
        """Take how many bytes the body of this request may have."""
        self.max_body_size = max_body_size

    def set_body_timeout(self, timeout: float) -> None:
        """Take how many seconds the body of this request may take."""
        self._body_timeout = timeout

    def detach(self) -> NoReturn:
        """Refuse: an engine keeps its sockets to itself.

        :raises tornado.web.HTTPError: 501, which the client has been answered by now.
        """
        if not self._begun:
            self.refuse(NotOffered(NO_WEBSOCKETS))
        raise HTTPError(501, NO_WEBSOCKETS)

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> asyncio.Future[None]:
        """Send the head of the answer, and the first piece of its body.

        :returns: a future that is done when the engine has taken it.
        :raises ValueError: for characters that cannot be in a header.
        """
        assert isinstance(start_line, ResponseStartLine)
        if start_line.code == 101:
            self.refuse(NotOffered(NO_WEBSOCKETS))
            return self._taken()
        if self._begun or not 200 <= start_line.code <= 999:
            raise HTTPOutputError(f"An answer cannot begin with {start_line.code}, or twice")
        pairs = list(headers.get_all())
        if not self._can_send("".join([name + value for name, value in pairs])):
            illegal = [name for name, value in pairs if not self._can_send(name + value)]
            raise ValueError(f"Illegal characters in headers: {illegal!r}")
        if self._left:
            return closed_future(self._loop)
        size = headers.get("Content-Length")
        if size is not None and not (size.isascii() and size.isdigit()):
            raise HTTPOutputError(f"Content-Length is no number: {size!r}")
        self._begun = True
        if self._unread and not self._is_http_2() and "Connection" not in headers:
            pairs.append(("Connection", "close"))  # else the engine would read the rest, however long it is
        bodiless = self.start_line.method == "HEAD" or start_line.code in (204, 304)
        whole = bodiless or (size is not None and size == str(len(chunk or b"")))
        return self._begin(start_line.code, pairs, chunk or b"", whole)

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Send a further piece of the body; return what ``write_headers`` does."""
        if self._left:
            return closed_future(self._loop)
        return self._send(chunk) if chunk and self._begun else self._taken()

    def finish(self) -> None:
        """End the answer; one without a head is a 500, for its handler failed to write one."""
        if self._finished:
            return
        self._finished = True
        if self._left:
            self._end()
        elif self._begun:
            self._complete()
        else:
            self._finished = False
            self.refuse(RequestError())

    def _taken(self) -> asyncio.Future[None]:
        future = self._loop.create_future()
        future.set_result(None)
        return future

    # What ASGI and RSGI do in ways of their own.

    @abstractmethod
    def _body(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces; raise :class:`Disconnected` if it ends early."""

    @abstractmethod
    async def _until_left(self) -> None:
        """Return when the client has left."""

    @abstractmethod
    def _can_send(self, text: str) -> bool:
        """Return whether ``text``, the names and values of headers, is free of what cannot be sent."""

    @abstractmethod
    def _begin(self, status: int, headers: list[tuple[str, str]], chunk: bytes, whole: bool) -> asyncio.Future[None]:
        """Send the head and a piece of the body; ``whole`` says that this is all."""

    @abstractmethod
    def _send(self, chunk: bytes) -> asyncio.Future[None]:
        """Send a piece of the body."""

    @abstractmethod
    def _complete(self) -> None:
        """End the body, and see to it that ``_end`` is called when everything was taken."""
