"""Very many clients of a feed, in a process of their own: ``python -m tests.faults.crowd '{"port": 80, ...}'``.

They are sockets and nothing else, so that a thousand of them cost little. The process obeys one line of JSON at a time,
and answers with one line; see :class:`Crowd` for what it can be told. Times are of the machine's monotonic clock, which
its processes share.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Crowd", "crowd"]

AT_ONCE = 32
"""How many connect at a time: a server's queue of connections is short."""

_READY = b"event: ready"


class _Reader(asyncio.Protocol):
    """One client: knows when it is ready, and when it has read what it waits for."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._tail = b""
        self.wanted: bytes | None = _READY
        self.seen: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self.wanted is not None:
            self._tail += data
            if self.wanted in self._tail:
                self.wanted = None
                self.seen.set_result(time.monotonic())
            self._tail = self._tail[-200:]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.seen.done():
            self.seen.set_exception(ConnectionError(f"the feed ended after {self._tail!r}"))

    def wait_for(self, text: bytes) -> None:
        self.wanted, self._tail, self.seen = text, b"", asyncio.get_running_loop().create_future()


class _Clients:
    """All of this process.

    :param url: of the feed; in it ``{number}`` is another number for each client.
    """

    def __init__(self, port: int, url: str) -> None:
        self._port = port
        self._url = url
        self._readers: list[_Reader] = []
        self._numbers = itertools.count()

    async def _connect(self) -> _Reader:
        url = self._url.replace("{number}", str(next(self._numbers)))
        request = f"GET {url} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode()
        loop = asyncio.get_running_loop()
        _, reader = await loop.create_connection(lambda: _Reader(request), "127.0.0.1", self._port)
        return reader

    async def come(self, number: int) -> int:
        """Connect so many; return how many there are, when all are ready."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def connect() -> None:
            async with turns:
                reader = await self._connect()
                await reader.seen
            self._readers.append(reader)

        await asyncio.gather(*(connect() for _ in range(number)))
        return len(self._readers)

    def await_text(self, text: str) -> int:
        """Have every client wait for a text."""
        for each in self._readers:
            each.wait_for(text.encode())
        return len(self._readers)

    async def told(self, seconds: float) -> list[float]:
        """Return when the first and the last client had read the text; who has not read it after a while does now."""
        waiting = [each.seen for each in self._readers]
        await asyncio.wait(waiting, timeout=seconds)
        times = [each.result() if each.done() else time.monotonic() for each in waiting]
        return [min(times), max(times)]

    async def visit(self, number: int) -> int:
        """Connect and leave so often, one half when the feed is ready and one half before."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def pass_by(is_patient: bool) -> None:
            async with turns:
                reader = await self._connect()
                if is_patient:
                    await reader.seen
                else:
                    reader.seen.cancel()
                    await asyncio.sleep(0)
                reader.transport.abort()

        await asyncio.gather(*(pass_by(at % 2 == 0) for at in range(number)))
        return number

    def stall(self) -> int:
        """Have nobody read any more."""
        for each in self._readers:
            each.transport.pause_reading()
        return len(self._readers)

    def leave(self) -> int:
        """Have all leave."""
        for each in self._readers:
            if not each.seen.done():
                each.seen.cancel()
            each.transport.abort()
        self._readers.clear()
        return 0


class Crowd:
    """Clients in another process.

    :param process: that process.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def say(self, method: str, *arguments: Any) -> None:
        """Tell it to call a method of its clients, by its name."""
        assert self._process.stdin is not None
        print(json.dumps([method, *arguments]), file=self._process.stdin, flush=True)

    def hear(self) -> Any:
        """Wait for what the method returned."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline() or '"the crowd is gone"')

    def ask(self, method: str, *arguments: Any) -> Any:
        """Do both."""
        self.say(method, *arguments)
        return self.hear()


@contextmanager
def crowd(port: int, url: str) -> Iterator[Crowd]:
    """Give clients of a feed, until the end of the block."""
    command = [sys.executable, "-m", "tests.faults.crowd", json.dumps({"port": port, "url": url})]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Crowd(process)
        finally:
            process.kill()


async def _obey(clients: _Clients) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        method, *arguments = json.loads(line)
        answer = getattr(clients, method)(*arguments)
        print(json.dumps(await answer if asyncio.iscoroutine(answer) else answer), flush=True)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])

    async def main() -> None:
        await _obey(_Clients(**given))

    asyncio.run(main())
