"""A TCP proxy in front of a server, with the faults of a network."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Proxy:
    """Passes bytes both ways.

    While :attr:`mute` is set nothing goes to those who have subscribed; while :attr:`refuse` is, nobody new gets in.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._tasks: set[asyncio.Task[None]] = set()
        self.mute = False
        self.refuse = False
        self.connections = 0

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refuse:
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        subscribed = asyncio.Event()
        for source, target, outward in ((reader, there_writer, True), (there_reader, writer, False)):
            task = asyncio.create_task(self._pass(source, target, subscribed, outward))
            self._tasks.add(task)

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, subscribed: asyncio.Event, outward: bool
    ) -> None:
        try:
            while data := await source.read(65536):
                if outward and b"SUBSCRIBE" in data:
                    subscribed.set()
                if outward or not (self.mute and subscribed.is_set()):
                    target.write(data)
        finally:
            target.close()
