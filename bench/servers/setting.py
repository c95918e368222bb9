"""Where a server finds its database and its port, and how the Tornado ones that are no bzz are run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import uvloop
from tornado.httpserver import HTTPServer
from tornado.web import Application

__all__ = ["DATABASE", "PORT", "PROCESSES", "URI", "run"]

URI = os.environ["BENCH_MONGODB_URI"]
DATABASE = os.environ["BENCH_DATABASE"]
PORT = int(os.environ["BENCH_PORT"])
PROCESSES = int(os.environ.get("BENCH_PROCESSES", "1"))


def run(make: Callable[[], Application]) -> None:
    """Serve an application, made in the running loop, on uvloop until the process is told to stop."""

    async def serve() -> None:
        HTTPServer(make()).listen(PORT, "127.0.0.1")
        await asyncio.Event().wait()

    uvloop.run(serve())
