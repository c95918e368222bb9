"""One attempt, against receivers that are slow, dead, or lie, on real sockets."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import socket
import ssl
import struct
import threading
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from tornado.httputil import HTTPHeaders

from bzz.delivery import attempt
from bzz.delivery.answer import MAX_RETRY_SECONDS, Answer, Undelivered, check
from bzz.delivery.attempt import post
from bzz.delivery.endpoint import Endpoint
from bzz.delivery.listener import RetryLater, SwitchOff
from bzz.delivery.public import networks
from bzz.delivery.resolver import Found, GuardedResolver
from tests.delivery.receiver import OK, Answering, answering, receiving

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
HERE = GuardedResolver(networks(["127.0.0.0/8", "::1"]))

FAR = 30.0
"""Seconds within which everything here is over, however busy the machine is."""

SHORT = 0.5
"""The time for attempts that are to run out of it."""


async def send(url: str, seconds: float = FAR, resolver: GuardedResolver = HERE) -> Answer:
    return await post(Endpoint.of(urlsplit(url)), {"webhook-id": "1"}, b'{"a":1}', resolver, seconds=seconds)


async def test_the_body_and_the_headers_are_sent_as_they_are() -> None:
    async with receiving() as receiver:
        assert await send(receiver.url) == Answer(200, HTTPHeaders({"Content-Length": "2"}), b"ok")
    [received] = receiver.requests
    assert (received.line, received.body) == ("POST /hook HTTP/1.1", b'{"a":1}')
    host = receiver.url.removeprefix("http://").removesuffix("/hook")
    assert received.headers == {"host": host, "content-length": "7", "connection": "close", "webhook-id": "1"}


# -- receivers that lie


async def forever(writer: asyncio.StreamWriter, head: bytes, piece: bytes, pause: float = 0) -> None:
    """Write until whoever reads has gone."""
    writer.write(head)
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


def endless(head: bytes, piece: bytes, pause: float = 0) -> Answering:
    return lambda writer: forever(writer, head, piece, pause)


async def reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection so that the other side is told of an error."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def reset_within_the_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 x\r\nContent-Length: 10\r\n\r\nhalf")
    await writer.drain()
    await reset(writer)


async def never(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


BIG = b"x" * 65536
CHUNK = b"10000\r\n" + BIG + b"\r\n"


async def ten_megabytes(writer: asyncio.StreamWriter, status: int = 200) -> None:
    writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: 10000000\r\n\r\n".encode())
    for _ in range(10_000_000 // 50_000):
        writer.write(b"x" * 50_000)
        await writer.drain()


ACCEPTED: dict[str, bytes | Answering] = {
    "nothing more": b"HTTP/1.1 204 x\r\n\r\n",
    "no length": b"HTTP/1.1 200 x\r\n\r\nok",
    "10 MB": ten_megabytes,
    "10 MB without a length": b"HTTP/1.1 200 x\r\n\r\n" + b"x" * 10_000_000,
    "without end": endless(b"HTTP/1.1 200 x\r\n\r\n", BIG),
    "chunks without end": endless(b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNK),
    "a length of an exabyte": endless(b"HTTP/1.1 200 x\r\nContent-Length: 1000000000000000000\r\n\r\n", BIG),
    "a length that is none": b"HTTP/1.1 200 x\r\nContent-Length: many\r\n\r\n",
    "less than its length": b"HTTP/1.1 200 x\r\nContent-Length: 10\r\n\r\nhalf",
    "chunks that are none": b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a reset within the body": reset_within_the_body,
    "an early hint first": b"HTTP/1.1 103 x\r\nLink: </a>\r\n\r\n" + OK,
    "a body compressed a thousandfold": answering(200, "Content-Encoding: gzip", body=b"\x1f\x8b no gzip at all"),
}


@pytest.mark.parametrize("answer", ACCEPTED.values(), ids=ACCEPTED)
async def test_an_answer_with_2xx_is_a_receipt_whatever_becomes_of_its_body(
    answer: bytes | Answering, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving(answer) as receiver:
        assert 200 <= (await send(receiver.url)).status < 300
    assert receiver.connections == 1
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("head", [b"", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 1000000000000000000\r\n"])
async def test_an_answer_without_end_is_not_read_to_the_time_that_there_is(head: bytes) -> None:
    written = 0

    async def count(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 x\r\n" + head + b"\r\n")
        while True:
            writer.write(CHUNK)
            await writer.drain()
            written += len(CHUNK)

    async with receiving(count) as receiver:
        await send(receiver.url)
    assert written < 50_000_000  # what lies in the buffers of both sockets included


FAILED: dict[str, tuple[bytes | Answering, str]] = {
    "a reset": (reset, "closed the connection|cannot be reached"),
    "a hang-up": (b"", "closed the connection"),
    "half a header": (b"HTTP/1.1 200 x\r\nA:", "closed the connection"),
    "garbage": (b"\x00\xff" * 100 + b"\r\n\r\n", "closed the connection|cannot be asked"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "closed the connection|cannot be asked"),
    "a status that is none": (b"HTTP/1.1 OK 200\r\n\r\n", "closed the connection|cannot be asked"),
    "headers without end": (
        endless(b"HTTP/1.1 200 x\r\n", b"A: " + BIG + b"\r\n"),
        "answered headers of more than 16384 bytes",
    ),
    "a header without end": (endless(b"HTTP/1.1 200 x\r\nA: ", BIG), "answered headers of more than 16384 bytes"),
    "a million headers": (
        endless(b"HTTP/1.1 200 x\r\n", b"A: b\r\n" * 1000),
        "answered headers of more than 16384 bytes",
    ),
    "early hints without end": (endless(b"", b"HTTP/1.1 103 x\r\n\r\n" * 1000), "closed the connection"),
    "a change of protocols": (b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n", "closed the connection"),
}


@pytest.mark.parametrize(("answer", "words"), FAILED.values(), ids=FAILED)
async def test_without_a_status_nothing_was_delivered(
    answer: bytes | Answering, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving(answer) as receiver:
        with pytest.raises(Undelivered, match=f"^127.0.0.1 ({words})"):
            await send(receiver.url)
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


GARBAGE = [
    *(
        b"HTTP/1.1 ",
        b"HTTP/9.9 ",
        b"200 ",
        b"20 ",
        b"99999 ",
        b"-1 ",
        b"x\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b":",
        b" ",
        b"\x00\xff",
    ),
    *(
        b"Content-Length: ",
        b"Transfer-Encoding: chunked",
        b"Retry-After: ",
        b"7",
        b"1e9",
        b"ffffffffffffffff",
        b"\r\n\r\n",
    ),
]


async def test_no_garbage_breaks_an_attempt(caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(17)
    answers = [b"".join(chance.choices(GARBAGE, k=chance.randrange(30))) for _ in range(200)]
    answers += [b"HTTP/1.1 200 x\r\n" + each for each in answers]
    outcomes = set()

    async def next_answer(writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop())
        await writer.drain()

    async with receiving(next_answer) as receiver:
        while answers:
            outcomes.add(await outcome(receiver.url))
    assert outcomes <= {Undelivered, *range(200, 1000)}
    assert {Undelivered, 200} <= outcomes
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def outcome(url: str) -> object:
    try:
        return (await send(url)).status
    except Undelivered as error:
        return type(error)


SLOW: dict[str, Answering] = {
    "nothing": never,
    "a header byte by byte": endless(b"HTTP/1.1 200 x\r\nA: ", b"x", 0.05),
    "a header line by line": endless(b"HTTP/1.1 200 x\r\n", b"A: b\r\n", 0.05),
    "early hints now and then": endless(b"", b"HTTP/1.1 103 x\r\n\r\n", 0.2),
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
async def test_a_receiver_that_is_too_slow_is_given_up(answer: Answering) -> None:
    async with receiving(answer) as receiver:
        with pytest.raises(Undelivered, match=r"did not answer within 0\.5 seconds"):
            await send(receiver.url, SHORT)


async def test_a_body_that_drips_is_given_up_and_the_status_counts() -> None:
    async with receiving(endless(b"HTTP/1.1 200 x\r\nContent-Length: 9999\r\n\r\n", b"x", 0.05)) as receiver:
        assert (await send(receiver.url, SHORT)).status == 200
    async with receiving(endless(b"HTTP/1.1 500 x\r\nContent-Length: 9999\r\n\r\n", b"x", 0.05)) as receiver:
        answer = await send(receiver.url, SHORT)
    assert (answer.status, answer.body[:2]) == (500, b"xx")


async def test_a_host_that_takes_no_connection_is_dead() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Undelivered, match="cannot be reached: Connection refused"):
        await send(f"http://127.0.0.1:{port}/")


async def test_a_host_whose_queue_is_full_is_given_up() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        waiting = [asyncio.ensure_future(send(url, SHORT)) for _ in range(4)]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in outcomes} == {Undelivered}


async def test_a_name_server_that_does_not_answer_counts_into_the_time() -> None:
    def silent(host: str, port: int, family: int) -> Found:
        time.sleep(2 * SHORT)
        return []

    with pytest.raises(Undelivered, match="did not answer within"):
        await send("http://good.example/", SHORT, GuardedResolver(look_up=silent))


async def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(Undelivered, match=r"no-such-host\.invalid cannot be found: "):
        await send("http://no-such-host.invalid/")


async def test_a_name_without_an_address_is_told() -> None:
    with pytest.raises(Undelivered, match=r"good\.example cannot be found: it has no address"):
        await send("http://good.example/", resolver=GuardedResolver(look_up=lambda host, port, family: []))


# -- one does not keep the others waiting


async def test_many_slow_receivers_keep_no_other_waiting() -> None:
    async with receiving(never) as slow, receiving() as quick:
        waiting = [asyncio.ensure_future(send(slow.url)) for _ in range(50)]
        answers = await asyncio.gather(*(send(quick.url) for _ in range(50)))
        assert {each.status for each in answers} == {200}
        assert not any(each.done() for each in waiting)
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_name_servers_that_do_not_answer_keep_no_other_waiting() -> None:
    released = threading.Event()

    def silent(host: str, port: int, family: int) -> Found:
        released.wait(FAR)
        return []

    resolvers = [GuardedResolver(look_up=silent) for _ in range(50)]  # more than an event loop has threads
    waiting = [asyncio.ensure_future(send("http://good.example/", resolver=each)) for each in resolvers]
    async with receiving() as quick:
        assert (await send(quick.url)).status == 200
    assert not any(each.done() for each in waiting)
    released.set()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_memory_stays_flat_under_answers_of_any_size() -> None:
    async with (
        receiving(lambda writer: ten_megabytes(writer, 500)) as large,
        receiving(ACCEPTED["without end"]) as endless,
    ):
        await asyncio.gather(*(send(each.url) for each in (large, endless)))  # what is loaded once
        gc.collect()
        tracemalloc.start()
        try:
            for _ in range(5):
                answers = await asyncio.gather(*(send(each.url) for each in (large, endless) for _ in range(5)))
                assert {each.status for each in answers} == {200, 500}
            gc.collect()
            left, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert left < 1_000_000
    assert peak < 10_000_000  # what ten receivers here have written, and not sent, included


async def test_whoever_gives_an_attempt_up_closes_its_connection() -> None:
    begun, closed = asyncio.Event(), asyncio.Event()

    async def until_closed(writer: asyncio.StreamWriter) -> None:
        begun.set()
        try:
            await forever(writer, b"HTTP/1.1 200 x\r\nA: ", b"x", 0.01)
        finally:
            closed.set()

    async with receiving(until_closed) as receiver:
        attempt = asyncio.ensure_future(send(receiver.url))
        await begun.wait()
        attempt.cancel()
        async with asyncio.timeout(FAR):
            await closed.wait()
    assert attempt.cancelled()


# -- TLS


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    attempt.trust.cache_clear()
    yield made
    attempt.trust.cache_clear()


def served_by(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_a_certificate_of_a_trusted_authority_for_this_name_is_taken(authority: trustme.CA) -> None:
    async with receiving(tls=served_by(authority, "localhost")) as receiver:
        assert (await send(f"https://localhost:{receiver.port}/")).status == 200


async def test_a_certificate_for_another_name_is_not_taken(authority: trustme.CA) -> None:
    async with receiving(tls=served_by(authority, "other.example")) as receiver:
        with pytest.raises(Undelivered, match=r"a certificate that is not trusted: .*localhost"):
            await send(f"https://localhost:{receiver.port}/")
    assert receiver.requests == []


async def test_a_certificate_of_another_authority_is_not_taken(authority: trustme.CA) -> None:
    async with receiving(tls=served_by(trustme.CA(), "localhost")) as receiver:
        with pytest.raises(Undelivered, match="has a certificate that is not trusted: "):
            await send(f"https://localhost:{receiver.port}/")
    assert receiver.requests == []


async def test_a_server_without_tls_is_told() -> None:
    async with await asyncio.start_server(
        lambda _, writer: writer.write(b"SSH-2.0-OpenSSH_9.2\r\n"), "127.0.0.1"
    ) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Undelivered, match=r"localhost does not speak TLS as it should: WRONG_VERSION_NUMBER"):
            await send(f"https://localhost:{port}/")


# -- what answers mean


@pytest.mark.parametrize("status", range(200, 300))
def test_2xx_is_success(status: int) -> None:
    check(Answer(status, HTTPHeaders()), "good.example", NOW)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_a_failure_that_says_what_to_do(status: int) -> None:
    with pytest.raises(
        Undelivered, match=f"answered {status}: redirects are not followed; give the webhook the new URL"
    ):
        check(Answer(status, HTTPHeaders({"location": "http://127.0.0.1/"})), "good.example", NOW)


@pytest.mark.parametrize("status", [400, 401, 404, 418, 429, 500, 502, 503, 504, 599, 600, 999])
def test_any_other_status_is_a_failure(status: int) -> None:
    with pytest.raises(Undelivered, match=f"good.example answered {status}$"):
        check(Answer(status, HTTPHeaders()), "good.example", NOW)


def test_410_switches_off() -> None:
    with pytest.raises(SwitchOff, match=r"good\.example answered 410: it wants no more"):
        check(Answer(410, HTTPHeaders({"retry-after": "1"})), "good.example", NOW)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("86401", MAX_RETRY_SECONDS),
        ("9" * 9999, MAX_RETRY_SECONDS),
        ("Fri, 27 Nov 2026 09:02:00 GMT", 120),
        ("Friday, 27-Nov-26 09:02:00 GMT", 120),  # RFC 850
        ("Fri Nov 27 09:02:00 2026", 120),  # asctime
        ("Fri, 27 Nov 2026 08:00:00 GMT", 0),
        ("Fri, 27 Nov 2099 08:00:00 GMT", MAX_RETRY_SECONDS),
    ],
)
def test_whoever_asks_for_time_gets_it_up_to_a_day(status: int, value: str, seconds: float) -> None:
    with pytest.raises(RetryLater) as caught:
        check(Answer(status, HTTPHeaders({"retry-after": value})), "good.example", NOW)
    assert caught.value.seconds == seconds


@pytest.mark.parametrize(
    "value",
    ["", "soon", "-1", "1.5", "\uff11", "1e9", "0x10", "Fri, 99 Nov 2026 09:02:00 GMT"],
)
def test_what_cannot_be_read_asks_for_nothing(value: str) -> None:
    with pytest.raises(Undelivered):
        check(Answer(503, HTTPHeaders({"retry-after": value})), "good.example", NOW)


def test_other_answers_cannot_ask_for_time() -> None:
    with pytest.raises(Undelivered):
        check(Answer(500, HTTPHeaders({"retry-after": "120"})), "good.example", NOW)


def test_an_error_shows_the_beginning_of_the_body_as_one_plain_line() -> None:
    body = "\x1b[31mno\r\nroot: \x00ok\u202e ".encode() + b"\xff" + b"x" * 9999
    with pytest.raises(Undelivered) as caught:
        check(Answer(500, HTTPHeaders(), body), "good.example", NOW)
    shown = str(caught.value).removeprefix("good.example answered 500: ")
    assert shown.startswith("[31mno root: ok \ufffdx")
    assert len(shown) == 200
