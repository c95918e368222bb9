"""The hand-written Tornado handlers with Motor, on ``bzz.serve``: what it does for an application that is no bzz."""

from __future__ import annotations

from motor.motor_asyncio import AsyncIOMotorClient
from tornado.web import Application

from bench.servers.setting import DATABASE, PORT, URI
from bench.servers.tornado_handlers import application
from bzz.serving.server import serve


def make() -> Application:
    """The application, on a client of the running loop."""
    return application(AsyncIOMotorClient(URI)[DATABASE])


if __name__ == "__main__":
    serve(make, port=PORT)
