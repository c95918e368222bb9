"""Bytes over a socket, as a client of any sort might send them."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.serving.served import Served

__all__ = ["accepted", "answer_on", "converse", "hung_up", "request", "state", "wait_until_left", "wait_until_read"]

ESTABLISHED = "01"
"""As /proc/net/tcp has it."""


def request(line: str, *headers: str, body: bytes = b"", version: str = "1.1") -> bytes:
    """The bytes of a request."""
    return "\r\n".join([f"{line} HTTP/{version}", "Host: x", *headers, "", ""]).encode("latin1") + body


def converse(port: int, sent: Iterable[bytes]) -> bytes:
    """Everything that a server says until it closes; a piece is sent when the one before was read."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        said = []
        try:
            for number, piece in enumerate(sent):
                if number:
                    wait_until_read(port, connection)
                connection.sendall(piece)
            while data := connection.recv(65536):
                said.append(data)
        except (ConnectionResetError, BrokenPipeError):  # it closed before it had read everything
            said += _rest(connection)
    return b"".join(said)


def answer_on(connection: socket.socket) -> bytes:
    """One answer, whose length its head says."""
    said = b""
    while b"\r\n\r\n" not in said:
        data = connection.recv(65536)
        assert data, said
        said += data
    found = re.search(rb"content-length: (\d+)", said.lower())
    assert found is not None, said
    whole = said.index(b"\r\n\r\n") + 4 + int(found[1])
    while len(said) < whole:
        said += connection.recv(65536)
    return said


def _rest(connection: socket.socket) -> list[bytes]:
    said = []
    try:
        while data := connection.recv(65536):
            said.append(data)
    except ConnectionResetError:
        pass
    return said


def wait_until_read(port: int, connection: socket.socket) -> None:
    """Wait until the server's end holds no bytes that were not read, as the kernel counts them."""
    client = connection.getsockname()[1]
    row = re.compile(rf" \w+:{port:04X} \w+:{client:04X} {ESTABLISHED} \w+:(\w+) ")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = row.search(Path("/proc/net/tcp").read_text())
        if found is None or not int(found[1], 16):
            return
    raise AssertionError("the server does not read")


def hung_up(connection: socket.socket, timeout: float) -> bool:
    """Whether the server closes a connection in time."""
    connection.settimeout(timeout)
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def accepted(connection: socket.socket, data: bytes) -> int:
    """How many bytes a server and the kernel take, until they take none for half a second."""
    connection.settimeout(0.5)
    taken = 0
    with contextlib.suppress(TimeoutError):
        while taken < 100_000_000:
            taken += connection.send(data)
    return taken


def state(served: Served) -> Any:
    """What remains in the server."""
    return served.get("/left").json()


def wait_until_left(served: Served, path: str) -> None:
    """Wait until a handler of ``path`` knows that its client has left."""
    deadline = time.monotonic() + 10
    while path not in state(served)["left"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
