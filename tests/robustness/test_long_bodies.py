"""A request that is refused before its body was read has an answer that the client can read, whatever it does first."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import mongoengine as me
import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

import bzz
from bzz import lingering
from bzz.addresses import Proxies
from bzz.auth import GitHubProvider
from bzz.errors import Forbidden
from bzz.in_flight import InFlight
from bzz.limits import Limits
from bzz.serving.tornado import make_server

LIMIT = 1024 * 1024
LONG = 3 * LIMIT
BEYOND_THE_SERVERS_OWN = 110_000_000
"""Tornado's own limit is 100 MiB, and that of ``bzz.serve`` 10 MiB."""


class Letter(me.Document):
    text = me.StringField()


async def guard(handler: Any) -> None:
    if handler.request.headers.get("X-Bad"):
        raise Forbidden("Not you.")


SERVERS: dict[str, Callable[[Application], Any]] = {
    "tornado": HTTPServer,
    "bzz.serve": lambda application: make_server(application, Limits(), InFlight(100), Proxies(()), {}),
}


class Address(NamedTuple):
    port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/letter/"


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest, database_name: str) -> AsyncIterator[Address]:
    sockets = bind_sockets(0, "127.0.0.1")
    routes = bzz.flatten(
        [bzz.ModelHive.routes_for("mongoengine", Letter), bzz.AuthHive.routes_for([GitHubProvider("id", "secret")])]
    )
    application = Application(list(routes))
    bzz.AuthHive.configure(application, "0123456789abcdef0123456789abcdef")
    application.settings["bzz_guard"] = guard
    served = SERVERS[request.param](application)
    served.add_sockets(sockets)
    yield Address(sockets[0].getsockname()[1])
    served.stop()
    await served.close_all_connections()


def head(*headers: str, path: str = "/letter/", method: str = "POST") -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *headers, "", "")
    return "\r\n".join(lines).encode()


def chunked(length: int) -> bytes:
    piece = b"10000\r\n" + 65536 * b"x" + b"\r\n"
    return length // 65536 * piece + b"0\r\n\r\n"


def write_then_read(server: Address, *sent: bytes) -> tuple[int, dict[str, Any]]:
    """Write everything, and only then read: to the end of the connection."""
    with server.connect() as connection:
        for each in sent:
            connection.sendall(each)
        return parse(read(connection))


def read(connection: socket.socket) -> bytes:
    said = b""
    while not is_whole(said):
        data = connection.recv(65536)
        assert data, said
        said += data
    return said


def is_whole(said: bytes) -> bool:
    before, _, body = said.partition(b"\r\n\r\n")
    return b"Content-Length: %d\r\n" % len(body) in before + b"\r\n" and bool(body)


def parse(said: bytes) -> tuple[int, dict[str, Any]]:
    before, _, body = said.partition(b"\r\n\r\n")
    assert before.startswith(b"HTTP/1.1 ")
    return int(before[9:12]), json.loads(body)


@pytest.mark.parametrize("length", [LONG, BEYOND_THE_SERVERS_OWN])
async def test_a_client_that_writes_everything_first_can_read_its_413(server: Address, length: int) -> None:
    body = length * b"x"
    status, problem = await asyncio.to_thread(write_then_read, server, head(f"Content-Length: {length}"), body)
    assert (status, problem["detail"]) == (413, f"A body may be {LIMIT} bytes long.")


@pytest.mark.parametrize("length", [LONG, BEYOND_THE_SERVERS_OWN])
async def test_a_client_that_writes_all_its_chunks_first_can_read_its_413(server: Address, length: int) -> None:
    sent = head("Transfer-Encoding: chunked"), chunked(length)
    assert (await asyncio.to_thread(write_then_read, server, *sent))[0] == 413


async def test_a_client_that_waits_for_100_continue_is_told_413_instead(server: Address) -> None:
    def ask() -> bytes:
        with server.connect() as connection:
            connection.sendall(head(f"Content-Length: {LONG}", "Expect: 100-continue"))
            return read(connection)

    assert (await asyncio.to_thread(ask)).startswith(b"HTTP/1.1 413 ")


async def test_a_client_that_expects_100_continue_and_does_not_wait_can_read_its_413(server: Address) -> None:
    sent = head(f"Content-Length: {LONG}", "Expect: 100-continue"), LONG * b"x"
    assert (await asyncio.to_thread(write_then_read, server, *sent))[0] == 413


async def test_who_is_within_the_limit_is_asked_to_continue(server: Address) -> None:
    def ask() -> bytes:
        with server.connect() as connection:
            connection.sendall(head("Content-Length: 14", "Expect: 100-continue"))
            first = connection.recv(1000)
            connection.sendall(b'{"text": "ok"}')
            return first + read(connection)

    said = await asyncio.to_thread(ask)
    assert said.startswith(b"HTTP/1.1 100 ")
    assert b"HTTP/1.1 201 " in said


@pytest.mark.parametrize(
    ("path", "method", "header", "expected"),
    [
        ("/letter/", "POST", "X-Bad: 1", 403),
        ("/letter/", "PUT", "X-Fine: 1", 405),
        ("/letter/", "BREW", "X-Fine: 1", 405),
        ("/letter/1/2/3/", "PUT", "X-Fine: 1", 404),
        ("/auth/signin/", "POST", "X-Fine: 1", 413),
    ],
)
async def test_every_refusal_before_the_body_is_read_can_be_read(
    server: Address, path: str, method: str, header: str, expected: int
) -> None:
    sent = head(f"Content-Length: {LONG}", header, path=path, method=method), LONG * b"x"
    assert (await asyncio.to_thread(write_then_read, server, *sent))[0] == expected


@pytest.mark.parametrize("declared", [True, False])
async def test_httpx_reads_its_413(server: Address, declared: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LONG // 65536):
            yield 65536 * b"x"

    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(3):
            content = LONG * b"x" if declared else pieces()
            answer = await client.post(server.url, content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code == 413
            assert (await client.get(server.url)).status_code == 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there to be tried")
@pytest.mark.parametrize("options", [(), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect:")])
async def test_curl_reads_its_413(server: Address, tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "body").write_bytes(LONG * b"x")
    json_type = ("-H", "Content-Type: application/json")
    command = ("curl", "-sS", "--noproxy", "*", *json_type, *options, "--data-binary", f"@{tmp_path / 'body'}")
    curl = await asyncio.create_subprocess_exec(*command, server.url, stdout=-1, stderr=-1)
    said, complaints = await curl.communicate()
    assert (json.loads(said)["status"], complaints, curl.returncode) == (413, b"", 0)


async def test_what_is_dropped_is_bounded_in_bytes(server: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "DROP_BYTES", 2 * LIMIT)

    def write_without_end(sent: bytes, piece: bytes) -> bool:
        with server.connect() as connection, suppress(OSError):
            connection.sendall(sent)
            for _ in range(10_000):
                connection.sendall(piece)
            return True
        return False

    for header, piece in (
        ("Transfer-Encoding: chunked", chunked(65536)[: -len(b"0\r\n\r\n")]),
        ("Content-Length: 999999999999", 65536 * b"x"),
    ):
        assert not await asyncio.to_thread(write_without_end, head(header), piece)


@pytest.mark.parametrize("header", ["Transfer-Encoding: chunked", f"Content-Length: {LONG}"])
async def test_what_is_dropped_is_bounded_in_time(
    server: Address, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setattr(lingering, "DROP_SECONDS", 0.1)

    def ask() -> tuple[int, bytes]:
        with server.connect() as connection:
            connection.sendall(head(header) + chunked(2 * LIMIT)[: -len(b"0\r\n\r\n")])
            said = read(connection)
            return parse(said)[0], connection.recv(1)

    assert await asyncio.to_thread(ask) == (413, b"")


async def test_a_lower_limit_of_the_server_holds_and_is_told(database_name: str) -> None:
    server = HTTPServer(Application(list(bzz.ModelHive.routes_for("mongoengine", Letter))), max_body_size=1000)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    address = Address(sockets[0].getsockname()[1])
    sent = head("Content-Length: 1001"), 1001 * b"x"
    status, problem = await asyncio.to_thread(write_then_read, address, *sent)
    server.stop()
    await server.close_all_connections()
    assert (status, problem["detail"]) == (413, "A body may be 1000 bytes long.")
