"""Listening sockets whose connections are parsed by llhttp."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.netutil import add_accept_handler

from bzz.serving.connection import Connection, Context
from bzz.serving.limits import Limits
from bzz.serving.overload import InFlight

__all__ = ["Listener"]


class Listener:
    """Accepts connections, and closes those whose clients take too long. It has the methods of ``HTTPServer`` that a
    program needs to start and stop one.

    :param application: what answers the requests.
    :param flight: counts them.
    :param tornado: serves what is handed over to it.
    """

    def __init__(
        self, application: HTTPServerConnectionDelegate, limits: Limits, flight: InFlight, tornado: HTTPServer
    ) -> None:
        self.application = application
        self.limits = limits
        self.flight = flight
        self.tornado = tornado
        self.conn_params = tornado.conn_params
        self.connections: set[Connection] = set()
        self.loop = asyncio.get_running_loop()
        self.written: asyncio.Future[None] = self.loop.create_future()
        self.written.set_result(None)
        self._sockets: list[tuple[socket.socket, Callable[[], None]]] = []
        self._accepting: set[asyncio.Task[None]] = set()
        self._lost: asyncio.Future[None] | None = None
        self._patience = min(1.0, limits.header_seconds / 4, limits.body_seconds / 4)
        self._sweeper = self.loop.call_later(self._patience, self._sweep)

    def add_sockets(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections on bound sockets."""
        for each in sockets:
            self._sockets.append((each, add_accept_handler(each, self._accept)))

    def _accept(self, connected: socket.socket, address: Any) -> None:
        task = self.loop.create_task(self._connect(connected, address))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)

    async def _connect(self, connected: socket.socket, address: Any) -> None:
        context = Context(address, address[0])
        try:
            await self.loop.connect_accepted_socket(lambda: Connection(self, context), connected)
        except OSError:
            connected.close()

    def _sweep(self) -> None:
        """Close what has taken too long. One timer for all connections costs a request nothing."""
        now = self.loop.time()
        for each in [each for each in self.connections if each.deadline < now]:
            each.abort()
        self._sweeper = self.loop.call_later(self._patience, self._sweep)

    def lost(self, connection: Connection) -> None:
        """Called by a connection that is closed."""
        self.connections.discard(connection)
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    def stop(self) -> None:
        """Accept no more connections; those that are there are served."""
        for each, stop_accepting in self._sockets:
            stop_accepting()
            each.close()
        self._sockets.clear()

    async def close_all_connections(self) -> None:
        """Close every connection, when its client has taken what was written, and wait for that."""
        while self.connections:
            self._lost = self.loop.create_future()
            for each in self.connections:
                each.close()
            await self._lost
        self._sweeper.cancel()
        await self.tornado.close_all_connections()
