"""``bzz.rsgi_app``: a Tornado application for granian, by RSGI 1.6 (docs/spec/RSGI.md in granian's repository).

What RSGI leaves out is made up for here where it can be: paths come decoded, so they are encoded again; headers that
are not ASCII are left out, so such a request is refused; a body that breaks off is no error there, so its length is
checked; and a stream is taken as fast as it is written, so it is given as a file.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

from tornado.httputil import HTTPInputError, HTTPServerConnectionDelegate, RequestStartLine

from bzz.addresses import Proxies
from bzz.asgi.application import PATH
from bzz.asgi.engine import Engine
from bzz.asgi.exchange import Exchange, Fields, NotOffered
from bzz.asgi.fifo import Fifo
from bzz.asgi.lifespan import attached
from bzz.asgi.reading import serve
from bzz.errors import BadRequest, LengthRequired
from bzz.events import drain
from bzz.limits import Limits

__all__ = ["RSGIApplication", "rsgi_app"]

_AT_ONCE = 65536
"""A body of at most so many bytes is read in one piece."""

_VERSIONS = {"1": "HTTP/1.0", "1.1": "HTTP/1.1", "2": "HTTP/2", "3": "HTTP/3"}


def rsgi_app(
    app: HTTPServerConnectionDelegate, *, limits: Limits = Limits(), trusted_proxies: Iterable[str] = ()
) -> RSGIApplication:
    """Return a Tornado application as an RSGI application, for granian: the faster of its two interfaces.

    Headers are ASCII there, and ``%2F`` in a path is no other than ``/``. An answer that streams takes a thread of
    granian's while it does. The parameters are those of :func:`bzz.asgi_app`.
    """
    return RSGIApplication(app, limits, Proxies(trusted_proxies))


class RSGIApplication(Engine):
    """What :func:`rsgi_app` returns."""

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by granian before the first request, with a loop that does not run yet."""
        loop.run_until_complete(self._start())

    async def _start(self) -> None:
        self._stop = asyncio.Event()
        started = asyncio.get_running_loop().create_future()
        self._living = asyncio.create_task(self._live(started), name="lifespan")
        await asyncio.wait([started, self._living], return_when=asyncio.FIRST_COMPLETED)
        if self._living.done():
            self._living.result()

    async def _live(self, started: asyncio.Future[None]) -> None:
        """Enter and leave in one task, as some context managers ask for."""
        async with attached(self.application):
            started.set_result(None)
            await self._stop.wait()
            await drain(self.limits.grace_seconds)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by granian after the last request, with a loop that does not run any more."""
        self._stop.set()
        loop.run_until_complete(self._living)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Called by granian for each request."""
        if scope.proto != "http":
            protocol.close(NotOffered.status)
        else:
            await serve(_RSGIExchange(self, scope, protocol))


class _RSGIExchange(Exchange):
    """Gives granian a whole answer at once, and a stream as a file."""

    unfit = re.compile(r"[^\x20-\x7e]")
    _fifo: Fifo | None = None

    def __init__(self, engine: Engine, scope: Any, protocol: Any) -> None:
        peer = scope.client.rpartition(":")[0].strip("[]")
        super().__init__(engine, _start_line(scope), _fields(scope), peer or None, scope.scheme)
        self._protocol = protocol

    def body(self) -> AsyncIterator[bytes]:
        length = self.headers.get("Content-Length")
        if length is None:
            return self._unsized()
        return self._sized(int(length))

    async def _sized(self, left: int) -> AsyncIterator[bytes]:
        if left <= _AT_ONCE:
            try:
                yield await self._protocol()
            except Exception:
                raise BadRequest("The body breaks off.") from None
            return
        async for chunk in self._protocol:
            left -= len(chunk)
            if chunk:
                yield chunk
            if not left:
                return
        raise BadRequest("The body breaks off.")

    async def _unsized(self) -> AsyncIterator[bytes]:
        """Yield a body in chunks. Its end is an empty piece; if it breaks off there are two."""
        ends = 0
        async for chunk in self._protocol:
            if not chunk:
                ends += 1
            elif self.start_line.version == "HTTP/1.1":
                yield chunk
            else:
                raise LengthRequired("A body needs Content-Length: a stream that breaks off is not told from its end.")
        if ends > 1:
            raise BadRequest("The body breaks off, or is followed by trailers, which are not taken.")

    async def wait_until_left(self) -> None:
        await self._protocol.client_disconnect()

    def _answer(self, status: int, fields: Fields, body: bytes) -> asyncio.Future[None]:
        self._protocol.response_bytes(status, fields, body)
        self.end()
        return self.taken()

    def _start(self, status: int, fields: Fields) -> None:
        self._fifo = Fifo()
        self._protocol.response_file(status, fields, str(self._fifo.path))

    def _send(self, chunk: bytes, more: bool) -> Awaitable[None]:
        assert self._fifo is not None
        return self._fifo.write(chunk) if more else self._fifo.end()

    def end(self) -> None:
        if self._fifo is not None:
            self._fifo.abort()
        super().end()


def _fields(scope: Any) -> Iterator[tuple[str, str]]:
    """Yield the headers; raise HTTPInputError if there was one that RSGI does not show."""
    headers, authority = scope.headers, scope.authority
    fields = headers.items()
    if len({name for name, _ in fields}) != len(headers):
        raise HTTPInputError("headers must be ASCII")
    if authority:  # of HTTP/2, or of a target in absolute form (RFC 9112, section 3.2.2)
        fields = [(name, value) for name, value in fields if name != "host"]
        yield "Host", authority
    yield from fields


def _start_line(scope: Any) -> RequestStartLine:
    path, query = quote(scope.path, safe=PATH), scope.query_string
    return RequestStartLine(scope.method, f"{path}?{query}" if query else path, _VERSIONS[scope.http_version])
