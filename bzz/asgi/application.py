"""``bzz.asgi_app``: a Tornado application as an ASGI 3 application (https://asgi.readthedocs.io)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
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

from bzz.addresses import Proxies, client_of
from bzz.asgi.engine import NO_WEBSOCKETS, Disconnected, Engine, NotOffered
from bzz.asgi.exchange import Exchange
from bzz.asgi.lifespan import attached
from bzz.asgi.outbox import Outbox
from bzz.codec import dumps
from bzz.errors import BadRequest, RequestError
from bzz.events import drain
from bzz.limits import InFlight, Limits
from bzz.problem import MEDIA_TYPE

__all__ = ["ASGIApplication", "asgi_app"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PATH = "/!$&'()*+,;=:@~"
"""What ``quote`` leaves as it is in a path (RFC 3986, section 3.3)."""

_UNFIT = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
"""What a header cannot hold: control characters, and what is not Latin-1 (RFC 9110, section 5.5)."""

_ENGINES = ("Date", "Server")  # every engine writes its own


def asgi_app(
    app: HTTPServerConnectionDelegate, *, limits: Limits = Limits(), trusted_proxies: Iterable[str] = ()
) -> ASGIApplication:
    """Return a Tornado application as an ASGI application, for uvicorn, hypercorn or any other server.

    Streamed bodies, streamed answers, ``flush`` and closed connections are as Tornado documents them. WebSockets are
    refused with a 501: they need Tornado's own server.

    :param app: a :class:`tornado.web.Application`.
    :param limits: of these, ``body_bytes``, ``body_seconds``, ``in_flight`` and ``grace_seconds`` count here.
    :param trusted_proxies: the addresses and networks from which ``X-Forwarded-For`` and ``-Proto`` are believed.
    :raises bzz.errors.ConfigurationError: for a proxy that is no address and no network.
    """
    return ASGIApplication(app, limits, Proxies(trusted_proxies))


class ASGIApplication:
    """What :func:`asgi_app` returns."""

    def __init__(self, app: HTTPServerConnectionDelegate, limits: Limits, proxies: Proxies) -> None:
        self._app = app
        self._limits = limits
        self._proxies = proxies
        self._engine: Engine | None = None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Called by an engine for each request, and once for the lifespan."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await _refuse_websocket(scope, receive, send)
        else:
            raise ValueError(f"the ASGI protocol {scope['type']!r} is not known here")

    async def _answer(self, scope: Any, receive: Receive, send: Send) -> None:
        if self._engine is None:  # made here, for its counter belongs to the running loop
            self._engine = Engine(self._app, self._limits, InFlight(self._limits.in_flight), self._proxies)
        headers = HTTPHeaders()
        try:
            for name, value in scope["headers"]:
                if value or name != b"host":  # granian adds an empty one where there was none
                    headers.add(name.decode("latin1"), value.decode("latin1"))
        except HTTPInputError as error:
            await _answer_at_once(send, BadRequest(f"The request cannot be read: {error}"), *_closing(scope))
            return
        peer = scope.get("client")
        client = client_of(self._proxies, peer[0] if peer and peer[0] else None, scope.get("scheme", "http"), headers)
        exchange = _ASGIExchange(self._engine, _start_line(scope), headers, client)
        exchange.receive, exchange.send = receive, send
        await exchange.serve()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        step = "startup"
        try:
            async with attached(self._app):
                await send({"type": "lifespan.startup.complete"})
                step = "shutdown"
                await receive()
                await drain(self._limits.grace_seconds)
        except Exception as error:
            await send({"type": f"lifespan.{step}.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def _start_line(scope: Any) -> RequestStartLine:
    """Return the request line, with its path as the client wrote it, below the place where the engine mounts this."""
    raw = scope.get("raw_path")
    path = quote(scope["path"], safe=PATH) if raw is None else raw.decode("latin1")
    root = scope.get("root_path") or ""
    if root and path.startswith(root):
        path = path[len(root) :] or "/"
    query = scope.get("query_string", b"").decode("latin1")
    version = scope.get("http_version", "1.1")
    return RequestStartLine(
        scope["method"], f"{path}?{query}" if query else path, "HTTP/1.0" if version == "1" else "HTTP/" + version
    )


def _closing(scope: Any) -> list[tuple[bytes, bytes]]:
    """Return the header that ends a connection whose next bytes nobody can be sure of."""
    return [(b"connection", b"close")] if scope.get("http_version", "1.1").startswith("1") else []


async def _answer_at_once(send: Send, error: RequestError, *more: tuple[bytes, bytes], kind: str = "http") -> None:
    body = dumps(error.problem())
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": f"{kind}.response.start", "status": error.status, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": body})


class _ASGIExchange(Exchange):
    """Sends messages to the engine, which waits with the next where the client does not read."""

    __slots__ = ("_outbox", "_whole", "receive", "send")

    receive: Receive
    send: Send
    _outbox: Outbox
    _whole: bool

    async def _body(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            if body := message.get("body"):
                yield body
            more = message.get("more_body", False)

    async def _until_left(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def _can_send(self, text: str) -> bool:
        return _UNFIT.search(text) is None

    def _begin(self, status: int, headers: list[tuple[str, str]], chunk: bytes, whole: bool) -> asyncio.Future[None]:
        self._outbox = Outbox(self._lose, self._fail)
        self._whole = whole
        sent = [
            (name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers if name not in _ENGINES
        ]
        self._outbox.put(partial(self.send, {"type": "http.response.start", "status": status, "headers": sent}))
        return self._end_with(chunk) if whole else self._send(chunk)

    def _send(self, chunk: bytes) -> asyncio.Future[None]:
        if self._whole:
            raise HTTPOutputError("Tried to write more data than Content-Length")
        seconds = self._engine.limits.time_to_write(len(chunk))
        return self._outbox.put(partial(self.send, _body_message(chunk, more=True)), seconds)

    def _complete(self) -> None:
        if not self._whole:
            self._end_with(b"")

    def _end_with(self, chunk: bytes) -> asyncio.Future[None]:
        sent = self._outbox.put(partial(self.send, _body_message(chunk, more=False)))
        sent.add_done_callback(lambda _: self._end())
        return sent

    def _lose(self) -> None:
        if self._begun:
            self._outbox.drop()
        super()._lose()


def _body_message(chunk: bytes, more: bool) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


async def _refuse_websocket(scope: Any, receive: Receive, send: Send) -> None:
    await receive()
    if "websocket.http.response" in (scope.get("extensions") or {}):
        await _answer_at_once(send, NotOffered(NO_WEBSOCKETS), kind="websocket.http")
    else:  # the engine says 403, for it knows no more
        await send({"type": "websocket.close"})
