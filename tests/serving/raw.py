"""Bytes over a socket, as a client of any sort might send them."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable
from pathlib import Path

__all__ = ["LAST", "ask", "converse", "request", "wait_until_read"]

LAST = b"GET /echo?last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
"""Ends a conversation: its answer shows that the connection was still open."""

ESTABLISHED = "01"
"""As /proc/net/tcp has it."""


def request(line: str, *headers: str, body: bytes = b"", version: str = "1.1") -> bytes:
    """The bytes of a request."""
    return "\r\n".join([f"{line} HTTP/{version}", "Host: x", *headers, "", ""]).encode("latin1") + body


def converse(port: int, sent: Iterable[bytes]) -> bytes:
    """Everything that a server says until it closes, but for dates; a piece is sent when the one before was read."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        said = []
        try:
            for piece in sent:
                connection.sendall(piece)
                wait_until_read(port, connection)
            while data := connection.recv(65536):
                said.append(data)
        except (ConnectionResetError, BrokenPipeError):  # it closed before it had read everything
            said += _rest(connection)
    return re.sub(rb"Date: [^\r]+\r\n", b"", b"".join(said))


def ask(port: int, *sent: bytes) -> bytes:
    """What a server says to some bytes, and to one more request after them."""
    return converse(port, [*sent, LAST])


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
