"""A server that stops waits for background listeners, up to its grace."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

PROGRAM = """
import asyncio
import logging

from tornado.web import Application, RequestHandler

import bzz
from bzz.serving.server import Limits, serve

logging.basicConfig(format="%(message)s")


@bzz.on("asked", background=True)
async def later(event):
    await asyncio.sleep({seconds})
    print("done", flush=True)


class Ask(RequestHandler):
    async def get(self):
        await bzz.emit("asked")


def start(port):
    print(port, flush=True)


serve(lambda: Application([("/", Ask)]), port=0, limits=Limits(grace_seconds={grace}), on_start=start)
"""


@contextmanager
def server(seconds: float, grace: float) -> Iterator[subprocess.Popen[str]]:
    """A process that serves the program, and has been asked once."""
    program = PROGRAM.format(seconds=seconds, grace=grace)
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 200
            yield process
        finally:
            process.kill()


def test_background_listeners_finish_before_the_server_stops() -> None:
    with server(seconds=0.5, grace=30) as process:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    assert output == "done\n"


def test_those_that_outlast_the_grace_are_named() -> None:
    with server(seconds=3600, grace=1) as process:
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
    assert output == ""
    assert "1 background listeners still run: asked -> __main__.later" in errors
