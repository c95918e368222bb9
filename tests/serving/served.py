"""A served application as a process of its own, on each server and each loop."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import httpx

__all__ = ["SERVERS", "Served", "Serving", "serving"]

SERVERS = {
    "llhttp": (),
    "tornado": ("httptools",),
    "llhttp-asyncio": ("uvloop",),
    "tornado-asyncio": ("httptools", "uvloop"),
}
"""The packages that are not there, by the name of what then serves; uvloop is the loop where nothing else is said."""


@dataclass
class Served:
    """A serving process and the port it listens on."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=20, limits=limits)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                httpx.get(self.url, trust_env=False).raise_for_status()
            except httpx.TransportError:
                continue
            return
        raise AssertionError("the server did not come up")


Serving = Callable[..., AbstractContextManager[Served]]


@contextmanager
def serving(server: str = "llhttp", *, processes: int = 1, in_flight: int = 100, **limits: float) -> Iterator[Served]:
    """Serve ``tests.serving.application`` until the end of the block."""
    given = {"hidden": SERVERS[server], "processes": processes, "in_flight": in_flight, **limits}
    command = [sys.executable, "-m", "tests.serving.application", json.dumps(given)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            served = Served(process, int(process.stdout.readline()))
            served.wait_until_up()
            yield served
        finally:
            process.terminate()
            process.wait(timeout=20)
