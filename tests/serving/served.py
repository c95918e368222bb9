"""A served application as a process of its own, on each engine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.conftest import NO_TLS

__all__ = ["EACH", "EACH_BY_ADAPTER", "ENGINES", "OWN", "Served", "Serving", "serving"]

OWN = ("tornado", "granian")
"""What ``bzz.serve`` runs on."""

_BY_ADAPTER = ("granian", "granian-asgi", "uvicorn", "uvicorn-h11", "hypercorn")
ENGINES = ("tornado", *_BY_ADAPTER)
_OTHERS = ("granian-asgi", "uvicorn-h11", "hypercorn")
EACH_BY_ADAPTER = tuple(pytest.param(each, marks=pytest.mark.slow) if each in _OTHERS else each for each in _BY_ADAPTER)
EACH = ("tornado", *EACH_BY_ADAPTER)
"""All engines; those that stand for one that is there already are slow tests."""


@dataclass
class Served:
    """A serving process and the port it listens on."""

    engine: str
    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=20, limits=limits, verify=NO_TLS)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(self.url + path, trust_env=False, verify=NO_TLS, **options)

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self.get("/").raise_for_status()
            except httpx.TransportError:
                assert self.process.poll() is None, "the server ended"
                time.sleep(0.02)
                continue
            return
        raise AssertionError("the server did not come up")


Serving = Callable[..., AbstractContextManager[Served]]


@contextmanager
def serving(engine: str = "tornado", *, wait: bool = True, **given: Any) -> Iterator[Served]:
    """Serve ``tests.serving.application`` until the end of the block; see its ``main`` for what may be given."""
    told = json.dumps({"engine": engine, **given})
    command = [sys.executable, "-m", "tests.serving.application", told]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            served = Served(engine, process, int(process.stdout.readline()))
            if wait:
                served.wait_until_up()
            yield served
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            finally:
                _kill_what_is_left(process.pid)


def _kill_what_is_left(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
