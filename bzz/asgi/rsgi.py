"""``bzz.rsgi_app``: a Tornado application for granian, by RSGI 1.6 (docs/spec/RSGI.md in granian's repository).

What RSGI leaves out is made up for here where it can be: paths come decoded, so they are encoded again; headers that
are not ASCII are left out, so such a request is refused; a body that breaks off is no error there, so its length is
checked; and a stream is taken as fast as it is written, so it is given as a file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import Any
from urllib.parse import quote

from tornado.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPOutputError,
    HTTPServerConnectionDelegate,
    RequestStartLine,
)

from bzz.addresses import Client, Proxies, client_of
from bzz.asgi.application import PATH
from bzz.asgi.engine import Disconnected, Engine, NotOffered
from bzz.asgi.exchange import Exchange
from bzz.asgi.fifo import Fifo, Fifos
from bzz.asgi.lifespan import attached
from bzz.asgi.outbox import Outbox
from bzz.codec import dumps
from bzz.errors import BadRequest, RequestError
from bzz.events import drain
from bzz.limits import InFlight, Limits
from bzz.problem import MEDIA_TYPE

__all__ = ["RSGIApplication", "rsgi_app"]

_AT_ONCE = 65536
"""A body of at most so many bytes is read in one piece."""

_VERSIONS = {"1": "HTTP/1.0", "1.1": "HTTP/1.1", "2": "HTTP/2", "3": "HTTP/3"}


def rsgi_app(
    app: HTTPServerConnectionDelegate, *, limits: Limits = Limits(), trusted_proxies: Iterable[str] = ()
) -> RSGIApplication:
    """Return a Tornado application as an RSGI application, for granian: the faster of its two interfaces.

    Headers are ASCII there, and ``%2F`` in a path is no other than ``/``. An answer that streams takes a thread of
    granian's while it does.

    :param app: a :class:`tornado.web.Application`.
    :param limits: of these, ``body_bytes``, ``body_seconds``, ``in_flight`` and ``grace_seconds`` count here.
    :param trusted_proxies: the addresses and networks from which ``X-Forwarded-For`` and ``-Proto`` are believed.
    :raises bzz.errors.ConfigurationError: for a proxy that is no address and no network.
    """
    return RSGIApplication(app, limits, Proxies(trusted_proxies))


class RSGIApplication:
    """What :func:`rsgi_app` returns."""

    def __init__(self, app: HTTPServerConnectionDelegate, limits: Limits, proxies: Proxies) -> None:
        self._app = app
        self._limits = limits
        self._proxies = proxies

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by granian before the first request, with a loop that does not run yet."""
        loop.run_until_complete(self._start())

    async def _start(self) -> None:
        self._engine = Engine(self._app, self._limits, InFlight(self._limits.in_flight), self._proxies)
        self._fifos = Fifos()
        self._stop = asyncio.Event()
        started = asyncio.get_running_loop().create_future()
        self._living = asyncio.create_task(self._live(started), name="lifespan")
        await asyncio.wait([started, self._living], return_when=asyncio.FIRST_COMPLETED)
        if self._living.done():
            self._living.result()

    async def _live(self, started: asyncio.Future[None]) -> None:
        """Enter and leave in one task, as some context managers ask for."""
        async with attached(self._app):
            started.set_result(None)
            await self._stop.wait()
            await drain(self._limits.grace_seconds)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by granian after the last request, with a loop that does not run any more."""
        self._stop.set()
        loop.run_until_complete(self._living)
        self._fifos.close()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Called by granian for each request."""
        if scope.proto != "http":
            protocol.close(NotOffered.status)
            return
        try:
            headers = _headers(scope)
        except HTTPInputError as error:
            _answer_at_once(protocol, BadRequest(f"The request cannot be read: {error}"))
            return
        exchange = _RSGIExchange(self._engine, _start_line(scope), headers, self._client(scope, headers))
        exchange.protocol, exchange.fifos = protocol, self._fifos
        await exchange.serve()

    def _client(self, scope: Any, headers: HTTPHeaders) -> Client:
        peer = scope.client.rpartition(":")[0].strip("[]")
        return client_of(self._proxies, peer or None, scope.scheme, headers)


def _headers(scope: Any) -> HTTPHeaders:
    """Return the headers; raise HTTPInputError if there was one that RSGI does not show."""
    headers, given = HTTPHeaders(), scope.headers
    for name, value in given.items():
        headers.add(name, value)
    if len(headers) != len(given):
        raise HTTPInputError("headers must be ASCII")
    if authority := scope.authority:  # of HTTP/2, or of a target in absolute form (RFC 9112, section 3.2.2)
        headers["Host"] = authority
    return headers


def _start_line(scope: Any) -> RequestStartLine:
    path, query = quote(scope.path, safe=PATH), scope.query_string
    return RequestStartLine(scope.method, f"{path}?{query}" if query else path, _VERSIONS[scope.http_version])


def _answer_at_once(protocol: Any, error: RequestError) -> None:
    headers = [("content-type", MEDIA_TYPE), ("connection", "close")]  # granian leaves that out in HTTP/2
    protocol.response_bytes(error.status, headers, dumps(error.problem()))


class _RSGIExchange(Exchange):
    """Gives granian a whole answer at once, and a stream as a file."""

    protocol: Any
    fifos: Fifos
    _fifo: Fifo | None = None

    def _body(self) -> AsyncIterator[bytes]:
        length = self.headers.get("Content-Length")
        if length is None:
            return self._unsized()
        return self._sized(int(length))

    async def _sized(self, left: int) -> AsyncIterator[bytes]:
        if left <= _AT_ONCE:
            try:
                yield await self.protocol()
            except Exception:
                raise Disconnected from None
            return
        async for chunk in self.protocol:
            left -= len(chunk)
            if chunk:
                yield chunk
            if not left:
                return
        raise Disconnected

    async def _unsized(self) -> AsyncIterator[bytes]:
        """Yield a body in chunks. Its end is an empty piece; where it breaks off there are two."""
        ends = 0
        async for chunk in self.protocol:
            if not chunk:
                ends += 1
            elif self.start_line.version == "HTTP/1.1":
                yield chunk
            else:
                raise LengthRequired("A body needs Content-Length: a stream that breaks off is not told from its end.")
        if ends > 1:
            raise BadRequest("The body breaks off, or is followed by trailers, which are not taken.")

    async def _until_left(self) -> None:
        await self.protocol.client_disconnect()

    def _can_send(self, text: str) -> bool:
        return text.isascii() and text.isprintable()

    def _begin(self, status: int, headers: list[tuple[str, str]], chunk: bytes, whole: bool) -> asyncio.Future[None]:
        if whole:
            self.protocol.response_bytes(status, headers, chunk)
            self._end()
            return self._taken()
        self._fifo = self.fifos.make()
        self._outbox = Outbox(self._lose, self._fail)
        self.protocol.response_file(status, headers, str(self._fifo.path))
        return self._send(chunk) if chunk else self._taken()

    def _send(self, chunk: bytes) -> asyncio.Future[None]:
        if self._fifo is None:
            raise HTTPOutputError("Tried to write more data than Content-Length")
        return self._outbox.put(partial(self._fifo.write, chunk), self._engine.limits.time_to_write(len(chunk)))

    def _complete(self) -> None:
        if self._fifo is not None:
            seconds = self._engine.limits.write_seconds
            self._outbox.put(self._fifo.end, seconds).add_done_callback(lambda _: self._end())

    def _end(self) -> None:
        if self._fifo is not None:
            self._outbox.drop()
            self._fifo.abort()
        super()._end()


class LengthRequired(RequestError):
    """A body must say its length."""

    status = 411
    title = "Length Required"
