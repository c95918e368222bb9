"""What Tornado's own server gives beyond ASGI and RSGI: WebSockets, other protocols, and its connections."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time

import pytest
from tornado.netutil import bind_sockets
from tornado.websocket import WebSocketClientConnection, websocket_connect

from bzz.addresses import Proxies
from bzz.in_flight import InFlight
from bzz.limits import Limits
from bzz.serving.collector import YOUNG_OBJECTS
from bzz.serving.tornado import make_server
from tests.serving.application import make
from tests.serving.raw import accepted, converse, hung_up, request, state, wait_until_read
from tests.serving.served import Served, serving

CLOSE = "Connection: close"


def test_requests_in_one_packet_are_answered_one_after_the_other(shared: Served) -> None:
    sent = request("GET /?seconds=0.3") + request("GET /pieces") + request("GET /status/200", CLOSE)
    said = converse(shared.port, [sent])
    assert [said.count(b"HTTP/1.1 200 "), said.count(b"HTTP/1.1 503")] == [3, 0]
    assert said.index(b"one") < said.index(b"three") < said.lower().index(b"set-cookie")


def test_a_client_that_sends_without_end_is_read_only_as_fast_as_it_is_answered() -> None:
    with serving("tornado", header_seconds=30, grace_seconds=1) as served, served.connect() as connection:
        connection.sendall(request("GET /?seconds=1000"))
        assert accepted(connection, request("GET /") * 1000) < 30_000_000


def test_a_large_answer_arrives_whole_before_the_next(shared: Served) -> None:
    with shared.connect() as connection:
        connection.sendall(request("GET /large") + request("GET /echo", CLOSE))
        said = connection.makefile("rb").read()
        assert said.count(b"x") > 20_000_000
        assert b'"GET", "/echo"' in said[-500:]


def test_several_pieces_that_wait_have_time_together() -> None:
    with serving("tornado", write_seconds=0.3) as served, served.connect() as connection:
        connection.sendall(request("GET /heaped", CLOSE))
        time.sleep(1)  # 20 MB have five minutes, and the last byte is behind them
        assert connection.makefile("rb").read().endswith(b"y\r\n0\r\n\r\n")


class Quick(Limits):
    """Gives every client that does not read a moment only."""

    def time_to_write(self, size: int) -> float:
        return 0.3


async def test_the_time_for_an_answer_ends_with_it() -> None:
    server = make_server(make(), Quick(), InFlight(1), Proxies([]), {})
    [listening] = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listening])
    reader, writer = await asyncio.open_connection(*listening.getsockname(), limit=2**26)
    writer.write(request("GET /heaped"))
    assert (await reader.readuntil(b"\r\n0\r\n\r\n")).endswith(b"y\r\n0\r\n\r\n")
    await asyncio.sleep(0.6)
    writer.write(request("GET /?seconds=0"))
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()
    server.stop()
    await server.close_all_connections()


async def test_a_client_that_does_not_read_is_given_up_in_time() -> None:
    flight = InFlight(1)
    server = make_server(make(), Quick(), flight, Proxies([]), {})
    [listening] = bind_sockets(0, "127.0.0.1")
    server.add_sockets([listening])
    _, writer = await asyncio.open_connection(*listening.getsockname(), limit=1)
    writer.write(request("GET /heaped"))
    await asyncio.sleep(0.1)
    assert flight.begin()  # it takes no place meanwhile
    flight.end()
    await asyncio.wait_for(flight.wait_until_quiet(0.01), 10)
    writer.close()
    server.stop()
    await server.close_all_connections()


def test_the_garbage_collector_passes_over_what_was_there_at_the_start(shared: Served) -> None:
    if shared.engine.startswith(("uvicorn", "hypercorn")):
        pytest.skip("bzz.serve does this")
    assert state(shared)["frozen"] > 10_000  # of Tornado and the application


def test_the_garbage_collector_does_not_look_within_an_answer(shared: Served) -> None:
    if shared.engine.startswith(("uvicorn", "hypercorn")):
        pytest.skip("bzz.serve does this")
    assert state(shared)["young"] == YOUNG_OBJECTS


def test_tornado_s_own_option_for_the_time_of_a_body_goes_before_that_of_the_limits() -> None:
    with serving("tornado", body_timeout=10) as served, served.connect() as connection:
        connection.sendall(request("PUT /upload", "Content-Length: 10", CLOSE, body=b"abc"))
        assert not hung_up(connection, timeout=1.5)  # which is more than body_seconds
        connection.sendall(b"defghij")
        assert connection.makefile("rb").read().endswith(b"10")


@pytest.mark.parametrize("first", [b"", request("GET /")], ids=["new", "kept"])
def test_a_client_that_sends_a_byte_now_and_then_has_no_more_time(by_tornado: Served, first: bytes) -> None:
    with by_tornado.connect() as connection:
        connection.sendall(first)
        started = time.monotonic()
        while not hung_up(connection, timeout=0.1):
            with contextlib.suppress(ConnectionError):
                connection.sendall(b"G")
            assert time.monotonic() < started + 5
        assert time.monotonic() > started + 0.5


@pytest.mark.parametrize("said", [b"", b"PRI * HTT", b"GET / HTTP/1.1\r\nHo"], ids=["nothing", "preface", "half"])
def test_a_client_that_says_nothing_more_is_hung_up_on(shared: Served, said: bytes) -> None:
    if shared.engine not in ("tornado", "granian"):
        pytest.skip("it is up to the server")
    with shared.connect() as connection:
        connection.sendall(said)
        assert hung_up(connection, timeout=5)


@pytest.mark.parametrize(
    ("target", "uri", "host"),
    [
        ("http://other/echo", "/echo", "other"),
        ("HTTPS://other:8443/echo?a=http://b/", "/echo?a=http://b/", "other:8443"),
        ("/echo?a=http://b/", "/echo?a=http://b/", "x"),
    ],
)
def test_the_target_of_a_request_may_be_a_whole_url_whose_host_counts(
    shared: Served, target: str, uri: str, host: str
) -> None:
    if shared.engine not in ("tornado", "granian"):
        pytest.skip("it is up to the server")
    said = converse(shared.port, [request(f"GET {target}", CLOSE)])
    told = json.loads(said.partition(b"\r\n\r\n")[2])
    assert [told[1], told[5]] == [uri, host]


def test_an_answer_may_take_longer_than_a_head(shared: Served) -> None:
    assert b" 200 " in converse(shared.port, [request("GET /?seconds=2.5", CLOSE)])[:20]


async def talk(url: str) -> WebSocketClientConnection:
    connection = await websocket_connect(url.replace("http:", "ws:"))
    await connection.write_message("a")
    assert await connection.read_message() == "aa"
    return connection


async def test_websockets_talk_and_take_no_place_of_a_request() -> None:
    with serving("tornado", in_flight=1) as served:
        talking = [await talk(served.url + "/talk") for _ in range(3)]
        async with served.client() as client:
            assert (await client.get("/")).status_code == 200
        await asyncio.gather(*(each.write_message("b") for each in talking))
        assert [await each.read_message() for each in talking] == ["bb"] * 3
        for each in talking:
            each.close()


def test_a_handler_may_leave_http_and_takes_no_place_then() -> None:
    with serving("tornado", in_flight=1) as served, served.connect() as first, served.connect() as second:
        for each in (first, second):
            said = each.makefile("rb")
            each.sendall(request("GET /echo") + request("GET /tunnel"))
            assert said.readline() == b"HTTP/1.1 200 OK\r\n"
            while not said.readline().endswith(b"ready\n"):
                pass
            each.sendall(b"a\nb\n")
            assert (said.readline(), said.readline()) == (b"A\n", b"B\n")


def test_after_an_upgrade_that_nobody_knows_the_connection_goes_on(shared: Served) -> None:
    if shared.engine in ("hypercorn", "uvicorn"):
        pytest.skip("the one goes on in HTTP/2, the other drops what came in the same packet")
    upgrade = request("GET /echo", "Connection: Upgrade", "Upgrade: h2c")
    assert converse(shared.port, [upgrade + request("GET /echo", CLOSE)]).count(b"HTTP/1.1 200 ") == 2


def test_a_client_of_a_stopping_server_is_told_to_connect_anew() -> None:
    with serving("tornado") as served, served.connect() as connection:
        connection.sendall(request("GET /?seconds=1") + request("GET /echo"))
        wait_until_read(served.port, connection)
        served.process.send_signal(signal.SIGTERM)
        said = connection.makefile("rb").read()
        assert said.startswith(b"HTTP/1.1 200 OK")
        assert served.process.wait(timeout=10) == 0
    assert b"Connection: close" in said
