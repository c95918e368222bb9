"""Requests that nobody should send: no server crashes, answers 500, or takes the body of one request for another.

Whatever is sent: each answer is one that HTTP knows, none is a 500, the hidden request is never answered, and the
server goes on. ``REFUSED`` are those of which two readers could see different ends (RFC 9112, section 11.2), or that
are no HTTP: a server must not go on after them.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Iterator

import pytest

from tests.serving import served
from tests.serving.raw import converse, request, wait_until_read
from tests.serving.served import Served, serving

HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /echo?last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
ANSWERED_HIDDEN = b'"GET", "/smuggled"'
CHUNKED = "Transfer-Encoding: chunked"
EMPTY = b"0\r\n\r\n"


def post(*headers: str, body: bytes = b"", version: str = "1.1") -> bytes:
    return request("POST /echo", *headers, body=body, version=version)


def lengths(*values: str) -> bytes:
    return post(*(f"Content-Length: {value}" for value in values), body=HIDDEN)


def encodings(*values: str) -> bytes:
    return post(*(f"Transfer-Encoding: {value}" for value in values), body=EMPTY + HIDDEN)


BOTH = [
    post("Content-Length: 5", CHUNKED, body=EMPTY + HIDDEN),
    post(CHUNKED, "Content-Length: 5", body=EMPTY + HIDDEN),
]
"""granian passes over the length, and closes after the answer, which RFC 9112 allows as well (section 6.1)."""

REFUSED = {
    **{
        f"a length of {value!r}": lengths(value)
        for value in ["+5", "-5", "0x5", "5 5", "5,6", "1e1", "five", "5.0", "\u00b2", "_5", "5;", "9" * 30, "--5"]
    },
    "two lengths": lengths("5", "6"),
    "three lengths": lengths("5", "5", "6"),
    **{
        f"an encoding of {value!r}": encodings(value)
        for value in [
            "chunked, identity",
            "identity, chunked",
            "gzip",
            "xchunked",
            "chunked;q=1",
            "chunked chunked",
            "x",
        ]
    },
    "two encodings": encodings("chunked", "chunked"),
    "identity, then chunked": encodings("identity", "chunked"),
    "a length and an encoding": BOTH[0],
    "an encoding and a length": BOTH[1],
    "an encoding with a space before its colon": post("Transfer-Encoding : chunked", body=EMPTY + HIDDEN),
    "a length with a space before its colon": post("Content-Length : 5", body=HIDDEN),
    "a length with a tab before its colon": post("Content-Length\t: 5", body=HIDDEN),
    "a folded length": post("Content-Length:\r\n 5", body=HIDDEN),
    "a folded encoding": post("Transfer-Encoding:\r\n chunked", body=EMPTY + HIDDEN),
    "a NUL in an encoding": post("Transfer-Encoding: chunked\x00", body=EMPTY + HIDDEN),
    "a CR in an encoding": post("Transfer-Encoding: chunked\rX: y", body=EMPTY + HIDDEN),
    "a CR before a header": post("A: b\rContent-Length: 5", body=HIDDEN),
    "a first header that is indented": b"GET /echo HTTP/1.1\r\n Host: x\r\nHost: x\r\n\r\n",
    "a header without a colon": request("GET /echo", "nonsense"),
    "a header without a name": request("GET /echo", ": value"),
    "a name with a space": request("GET /echo", "A B: c"),
    "a name with a NUL": request("GET /echo", "A\x00: c"),
    "a name with brackets": request("GET /echo", "A(b): c"),
    "a name of Latin-1": request("GET /echo", "\u00e9: c"),
    "a value with a NUL": request("GET /echo", "A: b\x00c"),
    "no host": b"GET /echo HTTP/1.1\r\n\r\n",
    "two hosts": request("GET /echo", "Host: y"),
    **{
        f"the host {host!r}": f"GET /echo HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin1")
        for host in ["a b", "a/b", "a,b", "a?b", "a#b", "a@b", "a\\b", "<a>", "a\x00b", "a\tb", "\u00e9"]
    },
    **{
        f"chunks of {chunk!r}": post(CHUNKED, body=chunk + HIDDEN)
        for chunk in [
            b"-1\r\n",
            b"+5\r\n01234\r\n0\r\n\r\n",
            b"0x5\r\n01234\r\n0\r\n\r\n",
            b"g\r\n",
            b"\r\n",
            b"5 5\r\n01234\r\n0\r\n\r\n",
            b"5\r\n012345\r\n0\r\n\r\n",
            b"5\r\n0123\r\n0\r\n\r\n",
            b"5\r\n01234XX0\r\n\r\n",
            b"ffffffffffffffffff\r\n01234\r\n",
            b"10000000000000000\r\n01234\r\n",
            b"_5\r\n01234\r\n0\r\n\r\n",
            b"5\x00\r\n01234\r\n0\r\n\r\n",
            b"\xd9\xa5\r\n01234\r\n0\r\n\r\n",
            b"5,5\r\n01234\r\n0\r\n\r\n",
        ]
    },
    **{
        f"the version {version!r}": f"GET /echo {version}\r\nHost: x\r\n\r\n".encode()
        for version in [
            "HTTP/9.9",
            "HTTP/11",
            "HTTP/1",
            "HTTP/1.1.1",
            "http/1.1",
            "RTSP/1.0",
            "HTTP/1,1",
            "ICY",
        ]
    },
    **{
        f"the line {line!r}": line + b"\r\nHost: x\r\n\r\n"
        for line in [
            b"GET /echo",
            b"GET",
            b"GET  HTTP/1.1",
            b" GET /echo HTTP/1.1",
            b"G\x00T /echo HTTP/1.1",
            b"GE(T /echo HTTP/1.1",
            b"GET /echo HTTP/1.1 x",
            b"GET /a b HTTP/1.1",
            b"GET /\x00 HTTP/1.1",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0",
        ]
    },
    "a query of thousands of fields": request("GET /echo?" + "a&" * 20_000),
}

HARMLESS = {
    "a body that looks like a request": post(f"Content-Length: {len(HIDDEN)}", body=HIDDEN),
    "chunks that look like a request": post(CHUNKED, body=b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + EMPTY),
    "chunks in capitals": post(CHUNKED, body=b"A\r\n0123456789\r\n" + EMPTY),
    "chunks with leading zeros": post(CHUNKED, body=b"0005\r\n01234\r\n" + EMPTY),
    "an encoding in capitals": post("TRANSFER-ENCODING: Chunked", body=EMPTY),
    "a length with zeros": post("Content-Length: 0005", body=b"01234"),
    "a length of nothing": post("Content-Length: 0"),
    "a length twice": post("Content-Length: 5", "Content-Length: 5", body=b"01234"),
    "GET with a body": request("GET /echo", f"Content-Length: {len(HIDDEN)}", body=HIDDEN),
    "HEAD with a body": request("HEAD /status/200", f"Content-Length: {len(HIDDEN)}", body=HIDDEN),
    "DELETE with chunks": request("DELETE /echo", CHUNKED, body=b"5\r\n01234\r\n" + EMPTY),
    "HTTP/1.0": request("GET /echo", version="1.0"),
    "HTTP/1.2": request("GET /echo", version="1.2"),
    "a host in half a bracket": b"GET /echo HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "HTTP/1.0 without a host": b"GET /echo HTTP/1.0\r\n\r\n",
    "HTTP/1.0 with a body": post("Content-Length: 5", body=b"01234", version="1.0"),
    "HTTP/1.0 with chunks": post(CHUNKED, body=EMPTY + HIDDEN, version="1.0"),
    "HTTP/1.0 kept": request("GET /echo", "Connection: keep-alive", version="1.0"),
    "an empty line before": b"\r\n" + request("GET /echo"),
    "bare line feeds": b"GET /echo HTTP/1.1\nHost: x\n\n",
    "a trailer": post(CHUNKED, body=b"5\r\n01234\r\n0\r\nX: y\r\n\r\n"),
    "a trailer that says a length": post(CHUNKED, body=b"5\r\n01234\r\n0\r\nContent-Length: 50\r\n\r\n"),
    "an extension of a chunk": post(CHUNKED, body=b"5;a=b\r\n01234\r\n" + EMPTY),
    "a quoted extension": post(CHUNKED, body=b'5;a="b\\"c"\r\n01234\r\n' + EMPTY),
    "a long extension": post(CHUNKED, body=b"5;" + b"a" * 70_000 + b"\r\n01234\r\n" + EMPTY),
    "an extension with a line feed": post(CHUNKED, body=b"5;a\n01234\r\n" + EMPTY + HIDDEN),
    "chunks that end in line feeds": post(CHUNKED, body=b"5\n01234\n0\n\n"),
    "a space after a chunk's size": post(CHUNKED, body=b"5 \r\n01234\r\n" + EMPTY),
    "many headers": request("GET /echo", *(f"A{number}: b" for number in range(500))),
    "a long header": request("GET /echo", "A: " + "b" * 30_000),
    "a header that is too long": request("GET /echo", "A: " + "b" * 1_000_000),
    "a target that is too long": request("GET /echo?" + "a" * 1_000_000),
    "a value of Latin-1": request("GET /echo", "A: \u00e9"),
    "a value with a tab": request("GET /echo", "A: b\tc"),
    "an empty value": request("GET /echo", "A:"),
    "an expectation that nobody knows": post("Expect: a miracle", "Content-Length: 5", body=b"01234"),
    "an expectation without a body": request("GET /echo", "Expect: 100-continue"),
    "an expectation of HTTP/1.0": post("Expect: 100-continue", "Content-Length: 5", body=b"01234", version="1.0"),
    "an expectation in capitals": post("EXPECT: 100-CONTINUE", "Content-Length: 5", body=b"01234"),
    "an expectation beside chunks": post("Expect: 100-continue", CHUNKED, body=b"5\r\n01234\r\n" + EMPTY),
    "an upgrade to HTTP/2": request(
        "GET /echo", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"
    ),
    "an upgrade to nothing": request("GET /echo", "Connection: Upgrade", "Upgrade: nothing"),
    "connections of all sorts": request("GET /echo", "Connection: keep-alive, x, close, upgrade"),
    "a method nobody knows": request("FROB /echo"),
    "a method in small letters": request("get /echo"),
    "a long method": request("A" * 500 + " /echo"),
    "CONNECT": b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n",
    "TRACE": request("TRACE /echo"),
    "OPTIONS of everything": request("OPTIONS *"),
    **{
        f"the target {target!r}": request(f"GET {target}")
        for target in [
            "http://x/echo",
            "http://other/echo",
            "http://user@x/echo",
            "https://x/echo",
            "http://x",
            "//x/echo",
            "/echo/../etc/passwd",
            "/echo/%2e%2e/%2e%2e/etc/passwd",
            "/echo/%00",
            "/echo/%",
            "/echo/%zz",
            "/echo/%ff",
            "/echo/%c0%af",
            "/echo/%0d%0aSet-Cookie:%20a=b",
            "/echo?a=%",
            "/echo?a=%ff",
            "/echo?%00=%0d%0a",
            "/echo#fragment",
            "/echo\\..\\x",
            "/echo?a[]=1&a[$gt]=",
            "/echo/\u00e9",
            "echo",
            "*",
            "/" * 500,
            "/echo;a=b",
        ]
    },
    "a body that is no form": post(
        "Content-Type: application/x-www-form-urlencoded", "Content-Length: 5", body=b"%%%&="
    ),
    "a body without its boundary": post("Content-Type: multipart/form-data", "Content-Length: 5", body=b"--a--"),
    "a boundary without its body": post(
        "Content-Type: multipart/form-data; boundary=a", "Content-Length: 2", body=b"--"
    ),
    "a cookie of nonsense": request("GET /echo", 'Cookie: =;;a="\\;\x80'),
    "ranges of nonsense": request("GET /echo", "Range: bytes=9999999999999999999-,-1,a"),
    "a body in another coding": post("Content-Encoding: gzip", "Content-Length: 5", body=b"\x1f\x8b\x08\x00\x00"),
}


@pytest.fixture(scope="module", params=served.OWN)
def attacked(request: pytest.FixtureRequest) -> Iterator[Served]:
    with serving(request.param, body_bytes=100_000) as it:
        yield it


def said_to(port: int, *pieces: bytes) -> bytes:
    """Everything that is said until the server closes, or has been silent for a second after the last answer."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for number, piece in enumerate(pieces):
                if number:
                    wait_until_read(port, connection)
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it closed meanwhile
        try:
            while data := connection.recv(65536):
                said += data
        except OSError:
            pass
    return said


def statuses(said: bytes) -> list[int]:
    return [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d\d\d)[ \r]", said)]


def check(attacked: Served, said: bytes) -> None:
    seen = statuses(said)
    assert all(status < 500 or status in (501, 505) for status in seen), said[:500]
    assert ANSWERED_HIDDEN not in said, said[:1000]
    assert attacked.get("/").status_code == 200


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
def test_what_may_be_read_in_two_ways_ends_the_connection(attacked: Served, sent: bytes) -> None:
    said = said_to(attacked.port, sent + LAST)
    check(attacked, said)
    assert b"/echo?last" not in said
    if attacked.engine != "granian" or sent not in BOTH:
        assert [status for status in statuses(said) if status < 400] == [], said[:1000]


@pytest.mark.parametrize("sent", HARMLESS.values(), ids=HARMLESS)
def test_what_is_odd_is_answered_or_refused(attacked: Served, sent: bytes) -> None:
    check(attacked, said_to(attacked.port, sent + LAST))


WHOLE = post("Content-Length: 5", body=b"01234") + post(CHUNKED, body=b"5\r\n01234\r\n" + EMPTY)


def test_a_request_may_be_cut_at_each_byte(attacked: Served) -> None:
    for cut in range(1, len(WHOLE)):
        said = converse(attacked.port, [WHOLE[:cut], WHOLE[cut:] + LAST])
        assert statuses(said) == [200, 200, 200], (cut, said)


def test_a_request_may_end_at_each_byte(attacked: Served) -> None:
    for cut in range(len(WHOLE)):
        seen = statuses(said_to(attacked.port, WHOLE[:cut]))
        assert set(seen) <= {200, 400, 408}, (cut, seen)
        assert seen.count(200) <= 2, (cut, seen)
    assert attacked.get("/").status_code == 200


def test_a_body_that_breaks_off_is_handled_by_nobody(attacked: Served) -> None:
    for body in (
        post("Content-Length: 9", body=b"01234"),
        post(CHUNKED, body=b"9\r\n01234"),
        post(CHUNKED, body=b"5\r\n01234\r\n"),
    ):
        assert 200 not in statuses(said_to(attacked.port, body))


@pytest.mark.slow
@pytest.mark.parametrize("engine", served.OWN)
async def test_a_hundred_clients_that_pipeline_hold_up_others_for_a_quarter_of_a_second_at_most(engine: str) -> None:
    with serving(engine, header_seconds=30, in_flight=1000, grace_seconds=1) as it:
        held_up = [await held_up_by_attackers(it) for _ in range(3)]
    assert min(held_up) < 0.25  # what this machine does besides only adds to it


async def held_up_by_attackers(served: Served) -> float:
    """How much longer than without them the slowest request takes, in seconds."""
    calm = await longest(served)
    attackers = [asyncio.create_task(pipeline(served.port)) for _ in range(100)]
    await asyncio.sleep(0.5)
    attacked = await longest(served)
    for each in attackers:
        each.cancel()
    await asyncio.gather(*attackers, return_exceptions=True)
    return attacked - calm


async def longest(served: Served) -> float:
    """How long the slowest of many requests takes, in seconds."""
    slowest, end = 0.0, time.monotonic() + 2
    async with served.client() as client:
        while time.monotonic() < end:
            start = time.monotonic()
            assert (await client.get("/echo")).status_code == 200
            slowest = max(slowest, time.monotonic() - start)
            await asyncio.sleep(0.01)
    return slowest


async def pipeline(port: int) -> None:
    """Send 256 KiB of requests at once, and read no answer."""
    each = request("GET /echo")
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(each * (262_144 // len(each)))
        await asyncio.Event().wait()
    finally:
        writer.close()
