"""One attempt: what is sent, by TLS or without; that no other waits for it, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import gc
import ssl
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tornado.httputil import HTTPHeaders

from bzz.delivery.webhooks import posting
from bzz.delivery.webhooks.answer import Answer, Undelivered
from bzz.delivery.webhooks.resolver import Found, GuardedResolver
from tests.delivery.webhooks.receiver import BIG, FAR, endless, forever, never, receiving, send, ten_megabytes


async def test_the_body_and_the_headers_are_sent_as_they_are() -> None:
    async with receiving() as receiver:
        assert await send(receiver.url) == Answer(200, HTTPHeaders({"Content-Length": "2"}), b"ok")
    [received] = receiver.requests
    assert (received.line, received.body) == ("POST /hook HTTP/1.1", b'{"a":1}')
    host = receiver.url.removeprefix("http://").removesuffix("/hook")
    assert received.headers == {"host": host, "content-length": "7", "connection": "close", "webhook-id": "1"}


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
        receiving(endless(b"HTTP/1.1 200 x\r\n\r\n", BIG)) as unending,
    ):
        await asyncio.gather(*(send(each.url) for each in (large, unending)))  # what is loaded once
        gc.collect()
        tracemalloc.start()
        try:
            for _ in range(5):
                answers = await asyncio.gather(*(send(each.url) for each in (large, unending) for _ in range(5)))
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
    posting.trust.cache_clear()
    yield made
    posting.trust.cache_clear()


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
