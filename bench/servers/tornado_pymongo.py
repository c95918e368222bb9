"""Hand-written Tornado handlers with PyMongo's AsyncMongoClient."""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient
from tornado.web import Application

from bench.servers.setting import DATABASE, URI, run
from bench.servers.tornado_handlers import application


def make() -> Application:
    """The application, on a client of the running loop."""
    client: AsyncMongoClient[Any] = AsyncMongoClient(URI)
    return application(client[DATABASE])


if __name__ == "__main__":
    run(make)
