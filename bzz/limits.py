"""What one connection and one process may take, and the count that keeps to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

__all__ = ["REST_SECONDS", "InFlight", "Limits", "release"]

REST_SECONDS = 0.03
"""How long a refusal waits. A client that asks again at once would else take more of the
processor by being refused than those who are answered."""


@dataclass(frozen=True)
class Limits:
    """What one connection and one process may take. Tornado's own defaults wait an hour for a header, without end for a
    body and for a client that does not read, and take 100 MB.

    :param header_seconds: how long a client may take to send its headers, and a kept connection may idle.
    :param body_seconds: how long it may take to send a body.
    :param body_bytes: the longest body of any handler; models take 1 MiB at the most.
    :param write_seconds: how long it may take to read what is written at a time, and a second more for each 64 KiB.
    :param in_flight: how many requests one process answers at a time; further ones get a 503 in a moment.
    :param grace_seconds: how long a stop waits for the requests that are being answered, and for the background
        listeners of events.
    """

    header_seconds: float = 30.0
    body_seconds: float = 60.0
    body_bytes: int = 10 * 1024 * 1024
    write_seconds: float = 60.0
    in_flight: int = 256
    grace_seconds: float = 30.0

    def time_to_write(self, size: int) -> float:
        """Return how many seconds a client has to read ``size`` bytes.

        >>> Limits().time_to_write(128 * 1024)
        62.0
        """
        return self.write_seconds + size / 65536


def release(connection: object) -> None:
    """Count a request out of those in flight although its answer has no end: it waits, and does not work.

    :param connection: ``handler.request.connection``.
    """
    counted_out = getattr(connection, "release", None)
    if counted_out is not None:
        counted_out()


class InFlight:
    """The requests that one process is answering.

    :param limit: how many there may be.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._seen = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def is_full(self) -> bool:
        """Return whether the next request is to be refused."""
        return self._count >= self._limit

    def begin(self) -> None:
        """Count a request in."""
        self._count += 1
        self._seen += 1
        self._idle.clear()

    def end(self) -> None:
        """Count a request out: it is answered, its client has left, or it speaks another protocol from here on."""
        self._count -= 1
        if not self._count:
            self._idle.set()

    async def quiet(self, seconds: float) -> None:
        """Wait until no request is in flight, and none has come for so long."""
        seen = -1
        while seen != self._seen or self._count:
            await self._idle.wait()
            seen = self._seen
            await asyncio.sleep(seconds)
