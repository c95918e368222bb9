"""Hostile requests for feeds, over raw sockets: refusals or answers in order; never a 500, and no hang."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Iterator

import pytest

from bzz.dev import MongoServer
from tests.faults import SEED, SOAK
from tests.faults.running import PATIENCE, Running, running
from tests.serving.raw import request

MUTATIONS = 200 * SOAK
ACCEPT = "Accept: text/event-stream"
READY = b"event: ready"
ENDS = (READY, b"event: reset")

pytestmark = pytest.mark.timeout(300 * SOAK)


@pytest.fixture(scope="module", params=["tornado", "uvicorn"])
def served(request: pytest.FixtureRequest, mongo: MongoServer) -> Iterator[Running]:
    """An application with feeds, which logs no traceback whatever comes."""
    with running(mongo.uri, f"hostile_feeds_{request.param}", live=True, server=request.param) as application:
        yield application
        assert "Traceback" not in application.log, application.log


def said(port: int, *sent: bytes) -> bytes:
    """Return what a server says until a feed is ready or the connection ends."""
    answer = b""
    connecting = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    with connecting as connection, contextlib.suppress(ConnectionError):
        for each in sent:
            connection.sendall(each)
        while not any(each in answer for each in ENDS) and (data := connection.recv(65536)):
            answer += data
    return answer


def status(answer: bytes) -> int:
    return int(answer.split()[1])


def is_served_well(port: int) -> bool:
    """Whether a good client has what it asks for."""
    return READY in said(port, request("GET /plain/", ACCEPT))


REFUSED = {
    "no position": request("GET /plain/", ACCEPT, "Last-Event-ID: x"),
    "a position with a null": request("GET /plain/?last_event_id=%00", ACCEPT),
    "a position in Greek": request("GET /plain/?last_event_id=%CE%B1", ACCEPT),
    "a position of 50 KB": request("GET /plain/", ACCEPT, f"Last-Event-ID: {'9' * 50_000}", "Connection: close"),
    "a position with numbers of 10 KB": request("GET /plain/", ACCEPT, f"Last-Event-ID: v1.{'9' * 10_000}.1.0.x"),
    "thousands of names": request(f"GET /events/?models={','.join(map(str, range(5_000)))}", ACCEPT),
    "thousands of parameters": request(f"GET /events/?{'&'.join(['models=plain'] * 4_000)}", ACCEPT),
    "thousands of filters": request(f"GET /plain/?{'&'.join(['text=x'] * 4_000)}", ACCEPT),
    "a page": request("GET /plain/?page=2", ACCEPT),
    "a list that is nested in nothing": request("GET /plain/ffffffffffffffffffffffff/notes/", ACCEPT),
    "a POST to several models": request("POST /events/", ACCEPT, "Content-Length: 2", body=b"{}"),
    "a DELETE of several models": request("DELETE /events/", ACCEPT),
    "a POST with another body": request("POST /plain/", ACCEPT, "Content-Length: 1", body=b"{"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_others_are_served(name: str, served: Running) -> None:
    answer = said(served.port, REFUSED[name].replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n"))
    assert 400 <= status(answer) < 500, answer[:300]
    assert is_served_well(served.port)


@pytest.mark.parametrize("line", ["GET /plain/", "GET /events/"])
def test_a_position_of_100_kb_is_refused_or_hung_up_on(line: str, served: Running) -> None:
    long = request(line, ACCEPT, f"Last-Event-ID: {'9' * 100_000}", "Connection: close")
    answer = said(served.port, long)
    assert answer == b"" or 400 <= status(answer) < 500  # Tornado hangs up where a head takes over 64 KiB
    assert is_served_well(served.port)


def test_the_same_name_a_thousand_times_is_one(served: Running) -> None:
    assert READY in said(served.port, request(f"GET /events/?models={','.join(['plain'] * 1_000)}", ACCEPT))


def test_a_forged_position_is_told_so_and_nothing_else(served: Running) -> None:
    forged = request("GET /plain/", ACCEPT, f"Last-Event-ID: v1.1.1.0.{'A' * 22}")
    answer = said(served.port, forged)
    assert status(answer) == 200
    assert b'{"reason":"position"}' in answer
    assert READY not in answer


@pytest.mark.parametrize("url", ["/plain/", "/events/"])
def test_head_is_answered_with_the_head_and_the_next_request_after_it(url: str, served: Running) -> None:
    answer = said(served.port, request(f"HEAD {url}", ACCEPT), request("GET /pid", "Connection: close"))
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert status(head) in (200, 405)
    assert rest.startswith(b"HTTP/1.1 200")
    assert served.held()["feeds"] == 0 or is_served_well(served.port)


def test_post_is_a_post_whatever_it_accepts(served: Running) -> None:
    body = b'{"token": "%d"}' % random.getrandbits(64)
    heads = (ACCEPT, "Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close")
    answer = said(served.port, request("POST /plain/", *heads, body=body))
    assert status(answer) == 201 or 400 <= status(answer) < 500


def test_http_1_0_has_a_feed(served: Running) -> None:
    answer = said(served.port, request("GET /plain/", ACCEPT, version="1.0"))
    assert status(answer) == 200
    assert READY in answer
    assert b"chunked" not in answer.lower() or b"server: uvicorn" in answer  # which sends chunks whatever the version


def test_who_never_ends_a_head_holds_up_nobody(served: Running) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(100):
            bad = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            bad.sendall(request("GET /plain/", ACCEPT)[: 1 + number % 50])
        assert all(is_served_well(served.port) for _ in range(5))


async def wrong_under_mutations(application: Running) -> list[str]:
    """Send requests with some bytes changed; returns 500s, and requests that nothing answers."""
    good = [
        request("GET /plain/?text=a&snapshot=false", ACCEPT, f"Last-Event-ID: v1.1.1.0.{'A' * 22}"),
        request("GET /events/?models=plain,saving&snapshot=true", ACCEPT),
        request("GET /plain/?age__gte=3&sort=-age&fields=text,home.city", ACCEPT),
    ]
    seeds = iter(range(SEED, SEED + MUTATIONS))
    wrong = []

    async def work() -> None:
        for seed in seeds:
            raw = mutated(random.Random(seed), good)
            reader, writer = await asyncio.open_connection("127.0.0.1", application.port)
            writer.write(raw + b"\r\n\r\n")  # so that a head that was broken has an end
            try:
                answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            except TimeoutError:
                wrong.append(f"SEED={seed}: no answer")
            except (EOFError, ConnectionError):  # it hung up
                pass
            else:
                wrong.extend([f"SEED={seed}: {answer!r}"] if status(answer) >= 500 else [])
            writer.transport.abort()

    await asyncio.gather(*(work() for _ in range(10)))
    return wrong


def mutated(choice: random.Random, good: list[bytes]) -> bytes:
    raw = bytearray(choice.choice(good))
    for _ in range(choice.randrange(1, 4)):
        at = choice.randrange(len(raw))
        piece = choice.choice([b"", bytes([choice.randrange(256)]), b"%00", b"%", b"\0", b",", b"&&", b"[" * 20])
        raw[at : at + choice.randrange(3)] = piece
    return bytes(raw)


async def test_changed_requests_break_nothing(served: Running) -> None:
    assert await wrong_under_mutations(served) == []
    assert await asyncio.to_thread(is_served_well, served.port)


async def test_the_harness_sees_a_mistake_in_the_code(mongo: MongoServer, database: str) -> None:
    with running(mongo.uri, database, live=True, provider="BreaksFeeds") as application:
        assert await wrong_under_mutations(application) != []
