"""Connections: the order of answers, pressure in both directions, other protocols, and clients that leave."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from typing import Any

import httpx
import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.serving.raw import ask, converse, request, wait_until_read
from tests.serving.served import Served, Serving

CLOSE = "Connection: close"


def state(served: Served) -> Any:
    """What remains in the server."""
    return httpx.get(served.url + "/left", trust_env=False).json()


def test_requests_in_one_packet_are_answered_one_after_the_other(shared: Served) -> None:
    sent = request("GET /?seconds=0.3") + request("GET /pieces") + request("GET /status/200", CLOSE)
    said = converse(shared.port, [sent])
    assert [said.count(b"HTTP/1.1 200 OK"), said.count(b"HTTP/1.1 503")] == [3, 0]
    assert said.index(str(shared.process.pid).encode()) < said.index(b"three") < said.index(b"Set-Cookie")


def test_a_client_that_sends_without_end_is_read_only_as_fast_as_it_is_answered(serving: Serving) -> None:
    with serving(header_seconds=30, grace_seconds=0) as served, served.connect() as connection:
        connection.sendall(request("GET /?seconds=1000"))
        assert accepted(connection, request("GET /") * 1000) < 30_000_000


def test_a_handler_that_takes_its_time_is_sent_no_more_than_it_takes(serving: Serving) -> None:
    with serving(body_seconds=30, body_bytes=10**9, grace_seconds=0) as served, served.connect() as connection:
        connection.sendall(request("PUT /upload?pause=1000", "Content-Length: 900000000"))
        assert accepted(connection, bytes(100_000)) < 30_000_000


def accepted(connection: socket.socket, data: bytes) -> int:
    """How many bytes a server and the kernel take, until they take none for half a second."""
    connection.settimeout(0.5)
    taken = 0
    with contextlib.suppress(TimeoutError):
        while taken < 100_000_000:
            taken += connection.send(data)
    return taken


def test_a_handler_that_streams_writes_no_more_than_its_client_reads(serving: Serving) -> None:
    with serving() as served:
        with served.connect() as connection:
            connection.sendall(request("GET /endless"))
            before = -1
            deadline = time.monotonic() + 10
            while before != (before := state(served)["written"]) or not before:
                assert time.monotonic() < deadline
            assert before < 30_000_000
        wait_until_left(served, "/endless")


def wait_until_left(served: Served, path: str) -> None:
    deadline = time.monotonic() + 10
    while path not in state(served)["left"]:
        assert time.monotonic() < deadline


def test_a_large_answer_arrives_whole_before_the_next(shared: Served) -> None:
    with shared.connect() as connection:
        connection.sendall(request("GET /large") + request("GET /echo", CLOSE))
        said = connection.makefile("rb").read()
        assert said.count(b"x") > 20_000_000
        assert b'"GET", "/echo"' in said[-500:]


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (request("PUT /upload", "Content-Length: 10", body=b"abc"), "/upload"),
        (request("GET /?seconds=1000"), "/"),
    ],
    ids=["while it sends", "while it waits"],
)
def test_a_handler_is_told_that_its_client_left(serving: Serving, sent: bytes, path: str) -> None:
    with serving(header_seconds=30, body_seconds=30, grace_seconds=0) as served:
        with served.connect() as connection:
            connection.sendall(sent)
            wait_until_read(served.port, connection)
        wait_until_left(served, path)


def test_nothing_remains_of_connections(serving: Serving) -> None:
    with serving(header_seconds=30, body_seconds=30, grace_seconds=0) as served:
        state(served)
        before = state(served)["objects"]
        for sent in (request("GET /?seconds=0.01"), request("PUT /upload", "Content-Length: 10"), b"GET", b""):
            for _ in range(20):
                with served.connect() as connection:
                    connection.sendall(sent)
        for _ in range(20):
            ask(served.port, request("PUT /upload", "Content-Length: 3", body=b"abc"), b"nonsense\r\n\r\n")
        deadline = time.monotonic() + 10
        while any(state(served)["objects"][name] > before[name] for name in before):
            assert time.monotonic() < deadline, state(served)


def test_the_garbage_collector_passes_over_what_was_there_at_the_start(shared: Served) -> None:
    assert state(shared)["frozen"] > 10_000  # of Tornado and the application


@pytest.mark.parametrize("first", [b"", request("GET /")], ids=["new", "kept"])
def test_a_client_that_sends_a_byte_now_and_then_has_no_more_time(shared: Served, first: bytes) -> None:
    with shared.connect() as connection:
        connection.sendall(first)
        started = time.monotonic()
        while not hung_up(connection, timeout=0.1):
            with contextlib.suppress(ConnectionError):
                connection.sendall(b"G")
            assert time.monotonic() < started + 5
        assert time.monotonic() > started + 0.9


def hung_up(connection: socket.socket, timeout: float) -> bool:
    connection.settimeout(timeout)
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def test_a_kept_connection_may_idle_no_longer_than_a_head_may_take(shared: Served) -> None:
    with shared.connect() as connection:
        connection.sendall(request("GET /"))
        started = time.monotonic()
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
        assert hung_up(connection, timeout=5)
        assert time.monotonic() > started + 0.9


def test_an_answer_may_take_longer_than_a_head(shared: Served) -> None:
    assert b"200 OK" in converse(shared.port, [request("GET /?seconds=2.5", CLOSE)])


def test_a_body_may_take_longer_than_a_head(serving: Serving) -> None:
    with serving(header_seconds=0.5, body_seconds=20) as served, served.connect() as connection:
        connection.sendall(request("PUT /upload?prepare=1", CLOSE, "Content-Length: 6", body=b"abc"))
        assert not hung_up(connection, timeout=2)
        connection.sendall(b"def")
        connection.settimeout(10)
        assert connection.makefile("rb").read().endswith(b"\r\n\r\n6")


async def talk(url: str) -> WebSocketClientConnection:
    connection = await websocket_connect(url.replace("http:", "ws:"))
    await connection.write_message("a")
    assert await connection.read_message() == "aa"
    return connection


async def test_websockets_talk_and_take_no_place_of_a_request(shared: Served) -> None:
    talking = [await talk(shared.url + "/talk") for _ in range(3)]
    async with shared.client() as client:
        assert (await client.get("/")).status_code == 200
    await asyncio.gather(*(each.write_message("b") for each in talking))
    assert [await each.read_message() for each in talking] == ["bb"] * 3
    for each in talking:
        each.close()


HANDSHAKE = request(
    "GET /talk",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
FRAME = b"\x81\x81\x00\x00\x00\x00a"  # RFC 6455, 5.2: one masked text frame
ANSWER = b"\x81\x02aa"


@pytest.mark.parametrize(
    "pieces",
    [[HANDSHAKE, FRAME], [HANDSHAKE + FRAME], [HANDSHAKE[:30], HANDSHAKE[30:] + FRAME[:3], FRAME[3:]]],
    ids=["apart", "together", "torn"],
)
@pytest.mark.parametrize("before", [[], [request("GET /echo")], [request("GET /large")]], ids=["new", "kept", "large"])
@pytest.mark.parametrize("apart", [True, False], ids=["waiting", "at once"])
def test_a_kept_connection_becomes_a_websocket(
    shared: Served, before: list[bytes], pieces: list[bytes], apart: bool
) -> None:
    with shared.connect() as connection:
        sent = [*before, *pieces] if apart else [b"".join([*before, *pieces])]
        for each in sent:
            connection.sendall(each)
        said = b""
        while not said.endswith(ANSWER):
            said = said[-1000:] + (data := connection.recv(65536))
            assert data


def test_a_handler_may_leave_http_and_takes_no_place_then(shared: Served) -> None:
    with shared.connect() as first, shared.connect() as second:
        for each in (first, second):
            said = each.makefile("rb")
            each.sendall(request("GET /echo") + request("GET /tunnel"))
            assert said.readline() == b"HTTP/1.1 200 OK\r\n"
            while not said.readline().endswith(b"ready\n"):
                pass
            each.sendall(b"a\nb\n")
            assert (said.readline(), said.readline()) == (b"A\n", b"B\n")


def test_after_an_upgrade_that_nobody_knows_the_connection_goes_on(shared: Served) -> None:
    upgrade = request("GET /echo", "Connection: Upgrade", "Upgrade: h2c")
    assert ask(shared.port, upgrade, request("GET /echo"), upgrade).count(b"200 OK") == 4
    assert httpx.get(shared.url, trust_env=False).status_code == 200


def test_a_client_of_a_stopping_server_is_told_to_connect_anew(serving: Serving) -> None:
    with serving() as served, served.connect() as connection:
        connection.sendall(request("GET /?seconds=1") + request("GET /echo"))
        wait_until_read(served.port, connection)
        served.process.send_signal(signal.SIGTERM)
        said = connection.makefile("rb").read()
        assert said.startswith(b"HTTP/1.1 200 OK")
        assert served.process.wait(timeout=10) == 0
    assert b"Connection: close" in said
