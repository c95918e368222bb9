"""The Redis that the demo starts beside itself, where it is installed."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

__all__ = ["redis_server"]

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
    with tempfile.TemporaryDirectory() as directory, _running(arguments, directory):
        _wait_for(int(port))
        yield f"redis://127.0.0.1:{port}"


@contextlib.contextmanager
def _running(arguments: list[str], directory: str) -> Iterator[None]:
    setpriv = shutil.which("setpriv")  # on Linux it ends with this process, however that ends
    prefix = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
    process = subprocess.Popen(
        [*prefix, *arguments], cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
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
