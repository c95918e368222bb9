"""Receivers that are slow, dead, or lie, on real sockets: what one attempt makes of them."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import struct
import time

import pytest

from bzz.delivery.webhooks.answer import Undelivered
from bzz.delivery.webhooks.resolver import Found, GuardedResolver
from tests.delivery.webhooks.receiver import (
    BIG,
    CHUNK,
    OK,
    Answering,
    answering,
    endless,
    never,
    receiving,
    send,
    ten_megabytes,
)

SHORT = 0.5
"""The time for attempts that are to run out of it."""


async def reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection so that the other side is told of an error."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def reset_within_the_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 x\r\nContent-Length: 10\r\n\r\nhalf")
    await writer.drain()
    await reset(writer)


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
    "a body that is not what it says": answering(200, "Content-Encoding: gzip", body=b"\x1f\x8b no gzip at all"),
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
