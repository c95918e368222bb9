"""`bzz.serve`: limits, the cap on requests in flight, several processes, and the stop."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import httpx
import pytest
from bzz.serving.connection import REST_SECONDS
from tornado.web import Application

from bzz.errors import ConfigurationError
from bzz.serving.server import load, serve
from tests.serving import application, served
from tests.serving.raw import request, wait_until_read
from tests.serving.served import Served, Serving


async def test_an_accepted_request_is_answered_although_the_server_is_told_to_stop(serving: Serving) -> None:
    with serving() as served:
        async with served.client() as client:
            slow = [asyncio.ensure_future(client.get("/", params={"seconds": 1})) for _ in range(20)]
            await until_refused_or(served, 20)
            served.process.send_signal(signal.SIGTERM)
            assert {answer.status_code for answer in await asyncio.gather(*slow)} == {200}
        assert served.process.wait(timeout=10) == 0


async def until_refused_or(served: Served, connections: int) -> None:
    """Wait until the server has so many connections (as the kernel counts them)."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if _established(served.port) >= connections:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the requests did not arrive")


def _established(port: int) -> int:
    with open("/proc/net/tcp") as table:  # noqa: PTH123  # no file on a disk
        return sum(f":{port:04X} " in line.split(" 01 ")[0][:30] and " 01 " in line for line in table)


async def test_under_load_a_stop_drops_no_request(serving: Serving) -> None:
    with serving() as served:
        outcomes = asyncio.gather(*(ask_until_refused(served) for _ in range(8)))
        await asyncio.sleep(0.3)
        served.process.send_signal(signal.SIGTERM)
        answered = await outcomes
        assert served.process.wait(timeout=10) == 0
    assert sum(answered) > 8


async def ask_until_refused(served: Served) -> int:
    """Ask on new connections until none is taken any more; a request that got through must be answered."""
    answered = 0
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        except (ConnectionRefusedError, ConnectionResetError):  # reset: while it stood in the queue of the kernel
            return answered
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        try:
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        except ConnectionResetError:
            return answered  # the kernel took the connection, the server never saw it
        finally:
            writer.close()
        answered += 1


def test_beyond_the_cap_a_request_is_refused_at_once_and_says_when_to_come_back(serving: Serving) -> None:
    with serving(in_flight=2) as served, served.connect() as first, served.connect() as second:
        for within in (first, second):
            within.sendall(request("GET /?seconds=1000"))
            wait_until_read(served.port, within)
        for _ in range(2):
            refused = httpx.get(served.url, trust_env=False)  # and so long before those within are answered
            assert refused.status_code == 503
            assert refused.headers["Retry-After"] == "1"
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert refused.json()["status"] == 503


def test_within_the_cap_every_request_is_answered(serving: Serving) -> None:
    with serving(in_flight=2) as served, served.connect() as first, served.connect() as second:
        for within in (first, second):
            within.sendall(request("GET /?seconds=0.1"))
        for within in (first, second):
            assert within.recv(65536).startswith(b"HTTP/1.1 200")
        assert httpx.get(served.url, trust_env=False).status_code == 200


@pytest.mark.parametrize(
    "sent", [request("GET /"), request("POST /echo", "Content-Length: 2", body=b"hi")], ids=["GET", "POST"]
)
def test_a_refused_client_keeps_its_connection_and_is_heard_again_after_a_rest(sent: bytes) -> None:
    with served.serving(in_flight=1) as it, it.connect() as within, it.connect() as beyond:
        within.sendall(request("GET /?seconds=1000"))
        wait_until_read(it.port, within)
        for _ in range(2):
            start = time.monotonic()
            beyond.sendall(sent)
            answer = beyond.recv(65536)
            took = time.monotonic() - start
            assert answer.startswith(b"HTTP/1.1 503")
            assert b"Connection: close" not in answer
        assert took > 0.9 * REST_SECONDS
        within.close()
        beyond.sendall(sent)
        assert beyond.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_refused_request_whose_body_is_on_its_way_closes_the_connection(serving: Serving) -> None:
    with serving(in_flight=1) as it, it.connect() as within, it.connect() as beyond:
        within.sendall(request("GET /?seconds=1000"))
        wait_until_read(it.port, within)
        beyond.sendall(request("POST /echo", "Content-Length: 1000000", body=b"hi"))
        said = beyond.recv(65536)
        assert said.startswith(b"HTTP/1.1 503")
        assert b"Connection: close" in said


def test_a_client_that_leaves_frees_its_place(serving: Serving) -> None:
    with serving(in_flight=1) as served:
        with served.connect() as connection:
            connection.sendall(request("GET /?seconds=1000"))
            wait_until_read(served.port, connection)
            assert httpx.get(served.url, trust_env=False).status_code == 503
        deadline = time.monotonic() + 10
        while httpx.get(served.url, trust_env=False).status_code == 503:
            assert time.monotonic() < deadline


def test_several_processes_share_the_port(serving: Serving) -> None:
    with serving(processes=2) as served:
        assert len(two_processes(served)) == 2


def two_processes(served: Served) -> set[int]:
    deadline = time.monotonic() + 20
    seen: set[int] = set()
    while len(seen) < 2:
        assert time.monotonic() < deadline
        seen.add(int(httpx.get(served.url, trust_env=False).text))
    return seen


def test_a_process_that_dies_is_replaced(serving: Serving) -> None:
    with serving(processes=1) as served, pytest.raises(httpx.TransportError):
        httpx.get(served.url + "/crash", trust_env=False)
    with serving(processes=2) as served:
        with pytest.raises(httpx.TransportError):
            httpx.get(served.url + "/crash", trust_env=False)
        served.wait_until_up()
        assert served.process.poll() is None


def test_several_processes_stop_together(serving: Serving) -> None:
    with serving(processes=2) as served:
        pids = two_processes(served)
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(timeout=15) == 0
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


@pytest.mark.parametrize(
    "sent", [b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"], ids=["header", "body"]
)
def test_a_client_that_dawdles_is_hung_up_on(serving: Serving, sent: bytes) -> None:
    with serving() as served, served.connect() as connection:
        connection.sendall(sent)
        assert connection.recv(1) == b""


def test_a_body_over_the_limit_is_refused_before_it_is_sent(serving: Serving) -> None:
    with serving() as served, served.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
        assert connection.makefile("rb").readline() == b"HTTP/1.1 400 Bad Request\r\n"


def test_several_processes_need_an_application_of_their_own_each() -> None:
    with pytest.raises(ConfigurationError, match="each makes its own"):
        serve(application.make(), port=0, processes=2)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tests.serving.application", "must be 'module:name'"),
        ("no_such_module:app", "no module 'no_such_module'"),
        ("tests.serving.application:nothing", "has no 'nothing'"),
        ("tests.serving.application:os", "gives module"),
    ],
)
def test_a_name_that_leads_to_no_application_says_why(name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load(name)


def test_an_application_is_found_by_name_or_made() -> None:
    assert isinstance(load("tests.serving.application:make"), Application)
