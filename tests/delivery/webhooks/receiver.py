"""A receiver of webhooks on a real socket, that answers as it is told, truly or not."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bzz.delivery.webhooks.answer import Answer
from bzz.delivery.webhooks.endpoint import Endpoint
from bzz.delivery.webhooks.posting import post
from bzz.delivery.webhooks.public import networks
from bzz.delivery.webhooks.resolver import GuardedResolver

__all__ = [
    "BIG",
    "CHUNK",
    "FAR",
    "HERE",
    "OK",
    "Answering",
    "Received",
    "Receiver",
    "answering",
    "endless",
    "forever",
    "never",
    "receiving",
    "send",
    "ten_megabytes",
]

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]

FAR = 30.0
"""Seconds within which everything here is over, however busy the machine is."""

HERE = GuardedResolver(networks(["127.0.0.0/8", "::1"]))
"""Lets everything here through, and nothing else."""

BIG = b"x" * 65536
CHUNK = b"10000\r\n" + BIG + b"\r\n"

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Received:
    """One request.

    :param headers: by lower-case name.
    """

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What came to a port.

    :param connections: how many were opened, with or without a request.
    """

    host: str
    answer: bytes | Answering
    is_secure: bool = False
    port: int = 0
    connections: int = 0
    requests: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_secure else 'http'}://{host}:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, and answer it."""
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # whoever asked is gone
                self.requests.append(await _read(reader))
                if isinstance(self.answer, bytes):
                    writer.write(self.answer)
                    await writer.drain()
                else:
                    await self.answer(writer)
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
    line, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    return Received(line, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


def answering(status: int, *headers: str, body: bytes = b"") -> bytes:
    """The bytes of an answer."""
    lines = [f"HTTP/1.1 {status} x", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin1") + body


@asynccontextmanager
async def receiving(
    answer: bytes | Answering = OK, host: str = "127.0.0.1", *, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Listen on a port, free unless said otherwise; what is still answered at the end is cut off."""
    receiver = Receiver(host, answer, is_secure=tls is not None)
    running: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(receiver.serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(accept, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


async def send(url: str, seconds: float = FAR, resolver: GuardedResolver = HERE) -> Answer:
    """Make one attempt to post to what a URL says, without asking whether a webhook may have it."""
    return await post(Endpoint.of(urlsplit(url)), {"webhook-id": "1"}, b'{"a":1}', resolver, seconds=seconds)


async def forever(writer: asyncio.StreamWriter, head: bytes, piece: bytes, pause: float = 0) -> None:
    """Write until whoever reads has gone."""
    writer.write(head)
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


def endless(head: bytes, piece: bytes, pause: float = 0) -> Answering:
    """An answer that does not end."""
    return lambda writer: forever(writer, head, piece, pause)


async def never(writer: asyncio.StreamWriter) -> None:
    """No answer."""
    await asyncio.Event().wait()


async def ten_megabytes(writer: asyncio.StreamWriter, status: int = 200) -> None:
    """A long answer."""
    writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: 10000000\r\n\r\n".encode())
    for _ in range(10_000_000 // 50_000):
        writer.write(b"x" * 50_000)
        await writer.drain()
