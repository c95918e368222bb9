"""HTTP/1.1 connections whose requests llhttp parses, in place of Tornado in Python.

Everything above is Tornado: a connection calls the application as ``tornado.httputil`` documents it for servers
(``HTTPServerConnectionDelegate``), and gives it an ``HTTPConnection`` to answer on. What llhttp does not take as HTTP,
and what leaves HTTP by ``Upgrade`` or ``CONNECT``, goes to Tornado's own connection, with the bytes that were received.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from tornado.http1connection import is_transfer_encoding_chunked
from tornado.httputil import HTTPInputError
from tornado.iostream import IOStream, StreamClosedError
from tornado.log import app_log, gen_log

from bzz.serving.exchange import Exchange
from bzz.serving.overload import refuse
from bzz.serving.parsing import Parser, Steps
from bzz.serving.stream import leave

if TYPE_CHECKING:
    from bzz.serving.listener import Listener

__all__ = ["Connection", "Context"]

REST_SECONDS = 0.25
"""How long a connection that was refused for want of room is not heard; ``Retry-After`` asks for a second."""


class Context(NamedTuple):
    """Who is at the other end, as ``tornado.web`` asks for it."""

    address: Any
    remote_ip: str
    protocol: str = "http"

    def __str__(self) -> str:
        return self.remote_ip


class Connection(asyncio.Protocol):
    """Has the application answer the requests of one client, one at a time.

    What the parser finds is kept as steps, which are taken when the application is ready for them: the next request
    after the answer to the one before, the next piece of a body after the one before was received. While steps wait,
    nothing is read.
    """

    transport: asyncio.Transport

    def __init__(self, server: Listener, context: Context) -> None:
        self.context = context
        self.params = server.conn_params
        self.limits = server.limits
        self.deadline = inf
        """When the client will have taken too long, by the clock of the loop."""
        self._server = server
        self._loop = server.loop
        self._steps: Steps = deque()
        self._parser = Parser(self, self._steps)
        self._exchange: Exchange | None = None
        self._blocked = False  # until the application is ready
        self._reading = True
        self._writes: list[asyncio.Future[None]] | None = None  # those that wait, while the client takes nothing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop, before anything else."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self.transport.set_write_buffer_limits(0)  # a write waits until the kernel took all, as Tornado's does
        self.deadline = self._loop.time() + self.limits.header_seconds
        self._server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Called by the loop with what the client sent."""
        self._parser.feed(data)
        if self._steps:
            self._go_on()

    def _go_on(self) -> None:
        """Take the steps that may be taken now; read on when none is left."""
        steps = self._steps
        try:
            while steps and not self._blocked:
                step, argument = steps.popleft()
                step(argument)
        except HTTPInputError as error:
            gen_log.info("Malformed HTTP message from %s: %s", self.context, error)
            self.refuse("400 Bad Request")
        except (Exception, asyncio.CancelledError):
            app_log.error("Uncaught exception", exc_info=True)
            self.abort()
        if steps and self._reading:
            self._reading = False
            self.transport.pause_reading()
        elif not steps and not self._reading and not self.transport.is_closing():
            self._reading = True
            self.transport.resume_reading()

    # The steps.

    def begin(self, exchange: Exchange) -> None:
        """The head of a request is there."""
        self._exchange = exchange
        self.deadline = inf
        server = self._server
        if server.flight.is_full():
            self._put_off(exchange)
            return
        server.flight.begin()
        exchange.counted = True
        exchange.delegate = server.application.start_request(self, exchange)
        self._steps.appendleft((self._expect_body, exchange))
        self._wait_for(exchange.delegate.headers_received(exchange.start_line, exchange.headers))

    def _put_off(self, exchange: Exchange) -> None:
        """Refuse a request. Where all of it was read, the connection stays open, and rests.

        A client that asks again at once, in spite of ``Retry-After``, would else take the processor from the requests
        within the cap: a hundred of them leave a tenth of it.
        """
        exchange.read = self._drop_body()
        exchange.keep_alive = exchange.keep_alive and exchange.read
        refuse(exchange)
        if exchange.keep_alive:
            self._blocked = True
            self._loop.call_later(REST_SECONDS, self._rested)

    def _drop_body(self) -> bool:
        """Whether the request was received to its end; its steps are dropped."""
        while self._steps:
            step, _ = self._steps.popleft()
            if step == self.end:
                return True
        return False

    def _rested(self) -> None:
        self._blocked = False
        self._go_on()

    def _expect_body(self, exchange: Exchange) -> None:
        headers = exchange.headers
        if "Content-Length" in headers and int(headers["Content-Length"]) > exchange.max_body_size:
            raise HTTPInputError("Content-Length too long")
        is_transfer_encoding_chunked(headers)  # raises HTTPInputError for any other encoding
        if "Expect" in headers and headers["Expect"] == "100-continue":
            self.transport.write(b"HTTP/1.1 100 (Continue)\r\n\r\n")
        self.deadline = self._loop.time() + exchange.body_timeout

    def receive(self, chunk: bytes) -> None:
        """A piece of its body is there."""
        exchange = self._exchange
        assert exchange is not None
        assert exchange.delegate is not None
        exchange.body_size += len(chunk)
        if exchange.body_size > exchange.max_body_size:
            raise HTTPInputError("the body is too long")
        self._wait_for(exchange.delegate.data_received(chunk))

    def end(self, _: None) -> None:
        """All of it is there."""
        exchange = self._exchange
        assert exchange is not None
        assert exchange.delegate is not None
        exchange.read = True
        self._blocked = True
        self.deadline = inf
        exchange.delegate.finish()

    def refuse(self, status: str) -> None:
        """What came is no HTTP, or too much of it."""
        if self._exchange is None or not self._exchange.begun:
            self.transport.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        self.close()

    def hand_over(self, received: bytes) -> None:
        """What came is for Tornado's own server, which has the connection from here on."""
        self._server.tornado.handle_stream(leave(self.transport, received), self.context.address)

    def _wait_for(self, awaitable: Awaitable[None] | None) -> None:
        if awaitable is not None:
            self._blocked = True
            asyncio.ensure_future(awaitable).add_done_callback(self._ready)

    def _ready(self, future: asyncio.Future[None]) -> None:
        self._blocked = False
        self._steps.appendleft((asyncio.Future.result, future))  # raises what the application raised
        self._go_on()

    # What an exchange asks for.

    def write(self, data: bytes) -> asyncio.Future[None]:
        """Send bytes; the future is done when the kernel has taken them."""
        if self.transport.is_closing():
            future = self._loop.create_future()
            _fail(future)
            return future
        self.transport.write(data)
        if self._writes is None:
            return self._server.written
        future = self._loop.create_future()
        self._writes.append(future)
        return future

    def answered(self, exchange: Exchange) -> None:
        """Go on to the next request, or close, when the answer is on its way."""
        self._count_out(exchange)
        if not exchange.read or not exchange.keep_alive:
            self.close()
        elif self._writes is None:
            self._release()

    def _count_out(self, exchange: Exchange) -> None:
        if exchange.counted:
            exchange.counted = False
            self._server.flight.end()

    def _release(self) -> None:
        self._exchange = None
        self._blocked = False
        self.deadline = self._loop.time() + self.limits.header_seconds
        if self._steps:
            self._loop.call_soon(self._go_on)

    def detach(self, exchange: Exchange) -> IOStream:
        """Leave the socket to the application, with what is sent from now on."""
        self._count_out(exchange)
        self._exchange = None
        self._steps.clear()
        return leave(self.transport, b"")

    def close(self) -> None:
        """Close, when everything that was written is sent."""
        self._steps.clear()
        self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._steps.clear()
        self.transport.abort()

    # What the loop tells.

    def pause_writing(self) -> None:
        """Called by the loop when the kernel takes no more."""
        self._writes = []

    def resume_writing(self) -> None:
        """Called by the loop when the kernel has taken everything."""
        writes, self._writes = self._writes, None
        for future in writes or ():
            if not future.done():
                future.set_result(None)
        if self._exchange is not None and self._exchange.finished:
            self._release()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop at the end, whoever closed."""
        self._server.lost(self)
        self._steps.clear()
        self._parser.close()
        for future in self._writes or ():
            if not future.done():
                _fail(future)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            self._count_out(exchange)
            if not exchange.finished:
                exchange.lost()


def _fail(future: asyncio.Future[None]) -> None:
    future.set_exception(StreamClosedError())
    future.exception()  # so that asyncio does not miss it where nobody waits
