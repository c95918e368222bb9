"""A server of its own process, for races: ``python -m tests.robustness.second <uri> <database>``."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import mongoengine
import tornado.httpserver
import tornado.netutil
import tornado.web

import bzz
from tests.robustness import raced


async def serve(uri: str, name: str) -> None:
    """Serve the raced models until stdin ends; print the port."""
    mongoengine.connect(db=name, host=uri, uuidRepresentation="standard")
    raced.listen()
    routes = bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each) for each in raced.MODELS])
    server = tornado.httpserver.HTTPServer(tornado.web.Application(routes))
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextmanager
def second_process(uri: str, name: str) -> Iterator[str]:
    """A server of its own process on the same database; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.robustness.second", uri, name],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.curdir},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
