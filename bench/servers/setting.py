"""Where a server finds its database and its port, and by which engine it is run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import cast

import uvloop
from tornado.httpserver import HTTPServer
from tornado.web import Application

import bzz
from bzz.serving.server import Server

__all__ = ["DATABASE", "ENGINE", "PORT", "PROCESSES", "URI", "run"]

URI = os.environ["BENCH_MONGODB_URI"]
DATABASE = os.environ["BENCH_DATABASE"]
PORT = int(os.environ["BENCH_PORT"])
ENGINE = cast(Server, os.environ.get("BENCH_ENGINE", "tornado"))
PROCESSES = int(os.environ.get("BENCH_PROCESSES", "1"))


def run(make: Callable[[], Application]) -> None:
    """Serve an application that is no bzz until the process is told to stop: as Tornado's manual has it, or on granian.

    :param make: called in the running loop, which is uvloop on both.
    """
    if ENGINE == "granian":
        bzz.serve(make, port=PORT, server=ENGINE, loop="uvloop")
    else:
        uvloop.run(_serve(make))


async def _serve(make: Callable[[], Application]) -> None:
    HTTPServer(make()).listen(PORT, "127.0.0.1")
    await asyncio.Event().wait()
