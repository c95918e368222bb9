"""The second process of the demo: the same data at another address. Both tell each other of their changes.

The first one starts it, with a listening socket, the address of MongoDB and that of Redis.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys

import changes
import mongoengine
from models import Airline, Airport, Country
from tornado.httpserver import HTTPServer
from tornado.web import Application

import bzz


async def serve(listening: socket.socket, redis: str) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    routes = bzz.flatten([bzz.ModelHive.routes_for("mongoengine", model) for model in (Country, Airport, Airline)])
    async with changes.relay(redis, "the second process"):
        server = HTTPServer(Application(routes))
        server.add_sockets([listening])
        await stop.wait()
        server.stop()
        await server.close_all_connections()


if __name__ == "__main__":
    mongoengine.connect("airports", host=sys.argv[2], uuidRepresentation="standard")
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[3]))
