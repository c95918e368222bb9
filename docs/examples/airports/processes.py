"""What the demo starts beside itself where Redis is installed: a Redis server, and a second process."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tornado.netutil import bind_sockets

__all__ = ["redis_server", "second_process"]

START_SECONDS = 10


@contextlib.contextmanager
def redis_server() -> Iterator[str | None]:
    """Run a Redis that keeps nothing; its URL, or None where ``redis-server`` is not installed."""
    binary = shutil.which("redis-server")
    if binary is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    arguments = [binary, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with tempfile.TemporaryDirectory() as directory, _running(arguments, directory=directory):
        _wait_for(int(port))
        yield f"redis://127.0.0.1:{port}"


@contextlib.contextmanager
def second_process(mongo: str, redis: str) -> Iterator[str]:
    """Run ``second.py`` on a free port; its address."""
    (listening, *_) = bind_sockets(0, "127.0.0.1")
    program = str(Path(__file__).with_name("second.py"))
    arguments = [sys.executable, program, str(listening.fileno()), mongo, redis]
    with listening, _running(arguments, inherit=[listening.fileno()]):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def _running(arguments: list[str], inherit: Sequence[int] = (), directory: str | None = None) -> Iterator[None]:
    setpriv = shutil.which("setpriv")  # on Linux it ends with this process, however that ends
    prefix = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
    process = subprocess.Popen(
        [*prefix, *arguments], cwd=directory, pass_fds=inherit, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        start_new_session=True,  # so that Ctrl-C reaches the demo first, which then stops the others
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise RuntimeError(f"redis-server did not start within {START_SECONDS} seconds.")
        time.sleep(0.02)
