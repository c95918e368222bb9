"""Pieces of an answer without an end, which an engine behind ASGI takes in the task of the handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest
from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

import bzz

Message = dict[str, Any]
Answer = Callable[[RequestHandler, Any], Awaitable[None]]

SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/",
    "headers": [(b"host", b"x")],
    "http_version": "1.1",
    "client": ("::1", 1),
}
LIMITS = bzz.Limits(write_seconds=0.05)


class Engine:
    """What an application is called by; a test says what becomes of each piece."""

    def __init__(self, take: Callable[[bytes], Awaitable[None]] | None = None) -> None:
        self._take = take
        self.pieces: list[bytes] = []
        self.tasks: list[asyncio.Task[Any] | None] = []
        self.is_left = asyncio.Event()

    async def receive(self) -> Message:
        await self.is_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        piece = message.get("body", b"")
        if self._take is not None:
            await self._take(piece)
        self.pieces.append(piece)
        self.tasks.append(asyncio.current_task())

    async def ask(self, answer: Answer) -> None:
        """Have a handler answer."""

        class Handler(RequestHandler):
            async def get(self) -> None:
                await answer(self, self.request.connection)

        await bzz.asgi_app(Application([("/", Handler)]), limits=LIMITS)(dict(SCOPE), self.receive, self.send)


async def begin(handler: RequestHandler) -> None:
    handler.write(b"first")
    await handler.flush()


async def test_a_piece_is_taken_in_the_task_of_the_handler() -> None:
    engine, tasks = Engine(), []

    async def answer(handler: RequestHandler, connection: Any) -> None:
        await begin(handler)
        await connection.send(b"second")
        tasks.append(asyncio.current_task())

    await engine.ask(answer)
    assert engine.pieces[1:3] == [b"first", b"second"]
    assert engine.tasks[2:3] == tasks


async def test_pieces_are_sent_in_order_whichever_way() -> None:
    async def take(piece: bytes) -> None:
        await asyncio.sleep(0)

    engine = Engine(take)

    async def answer(handler: RequestHandler, connection: Any) -> None:
        await begin(handler)
        handler.write(b"second")
        handler.flush()
        await connection.send(b"third")
        handler.write(b"fourth")
        handler.flush()

    await engine.ask(answer)
    assert [piece for piece in engine.pieces if piece] == [b"first", b"second", b"third", b"fourth"]


async def refused(engine: Engine) -> bool:
    """Whether a handler that sends a second piece is told that its client has left."""
    told = []

    async def answer(handler: RequestHandler, connection: Any) -> None:
        await begin(handler)
        for _ in range(2):
            with pytest.raises(StreamClosedError):
                await connection.send(b"second")
            told.append(True)

    await engine.ask(answer)
    return told == [True, True]


async def test_a_client_that_does_not_read_in_time_counts_as_left() -> None:
    async def take(piece: bytes) -> None:
        if piece == b"second":
            await asyncio.Event().wait()

    assert await refused(Engine(take))


async def test_a_client_that_has_left_is_sent_nothing_more() -> None:
    async def take(piece: bytes) -> None:
        if piece == b"second":
            raise BrokenPipeError

    assert await refused(Engine(take))


async def test_an_error_of_the_engine_is_the_engine_s() -> None:
    async def take(piece: bytes) -> None:
        if piece == b"second":
            raise RuntimeError("the engine says so")

    with pytest.raises(RuntimeError, match="the engine says so"):
        await refused(Engine(take))
