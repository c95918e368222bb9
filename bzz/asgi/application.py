"""``bzz.asgi_app``: a Tornado application as an ASGI 3 application (https://asgi.readthedocs.io)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, MutableMapping
from functools import partial
from typing import Any
from urllib.parse import quote

from tornado.httputil import HTTPServerConnectionDelegate, RequestStartLine

from bzz.addresses import Proxies
from bzz.asgi.engine import Engine
from bzz.asgi.exchange import Exchange, Fields, NotOffered
from bzz.asgi.lifespan import attached
from bzz.asgi.reading import serve
from bzz.errors import BadRequest
from bzz.events import drain
from bzz.limits import Limits

__all__ = ["PATH", "ASGIApplication", "asgi_app"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PATH = "/!$&'()*+,;=:@~"
"""What ``quote`` leaves as it is in a path (RFC 3986, section 3.3)."""


def asgi_app(
    app: HTTPServerConnectionDelegate, *, limits: Limits = Limits(), trusted_proxies: Iterable[str] = ()
) -> ASGIApplication:
    """Return a Tornado application as an ASGI application, for uvicorn, hypercorn or any other server.

    Streamed bodies, streamed answers, ``flush`` and closed connections are as Tornado documents them. WebSockets are
    refused with a 501: they need Tornado's own server.

    :param app: a :class:`tornado.web.Application`.
    :param limits: of these, ``body_bytes``, ``body_seconds``, ``write_seconds``, ``in_flight`` and ``grace_seconds``
        count here.
    :param trusted_proxies: the addresses and networks from which ``X-Forwarded-For`` and ``-Proto`` are believed.
    :raises bzz.errors.ConfigurationError: for a proxy that is no address and no network.
    """
    return ASGIApplication(app, limits, Proxies(trusted_proxies))


class ASGIApplication(Engine):
    """What :func:`asgi_app` returns."""

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Called by an engine for each request, and once for the lifespan."""
        if scope["type"] == "http":
            await serve(_ASGIExchange(self, scope, receive, send))
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await self._refuse_websocket(scope, receive, send)
        else:
            raise ValueError(f"the ASGI protocol {scope['type']!r} is not known here")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        step = "startup"
        try:
            async with attached(self.application):
                await send({"type": "lifespan.startup.complete"})
                step = "shutdown"
                await receive()
                await drain(self.limits.grace_seconds)
        except Exception as error:
            await send({"type": f"lifespan.{step}.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    async def _refuse_websocket(self, scope: Any, receive: Receive, send: Send) -> None:
        async def send_denial(message: Message) -> None:
            await send({**message, "type": f"websocket.{message['type']}"})

        await receive()
        if "websocket.http.response" in (scope.get("extensions") or {}):
            exchange = _ASGIExchange(self, {**scope, "method": "GET"}, receive, send_denial)
            exchange.refuse(NotOffered())
            await exchange.done
        else:  # the engine says 403, for it knows no more
            await send({"type": "websocket.close"})


class _ASGIExchange(Exchange):
    """Sends messages to the engine, which waits with the next if the client does not read."""

    unfit = re.compile(
        r"[^\t\x20-\x7e\x80-\xff]"
    )  # control characters, and what is not Latin-1 (RFC 9110, section 5.5)

    def __init__(self, engine: Engine, scope: Any, receive: Receive, send: Send) -> None:
        peer = scope.get("client")
        super().__init__(
            engine,
            _start_line(scope),
            _fields(scope),
            peer[0] if peer and peer[0] else None,
            scope.get("scheme", "http"),
        )
        self._receive = receive
        self._send_message = send

    async def body(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("The body breaks off.")  # for a client that only ended its half
            if chunk := message.get("body"):
                yield chunk
            more = message.get("more_body", False)

    async def wait_until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _start(self, status: int, fields: Fields) -> None:
        headers = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in fields if _is_ours(name)]
        self.queue(partial(self._send_message, {"type": "http.response.start", "status": status, "headers": headers}))

    def _send(self, chunk: bytes, more: bool) -> Awaitable[None]:
        return self._send_message({"type": "http.response.body", "body": chunk, "more_body": more})


def _is_ours(name: str) -> bool:
    return name not in ("Date", "Server")  # every engine writes its own


def _fields(scope: Any) -> Iterator[tuple[str, str]]:
    for name, value in scope["headers"]:
        if value or name != b"host":  # granian adds an empty one if there was none
            yield name.decode("latin1"), value.decode("latin1")


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
