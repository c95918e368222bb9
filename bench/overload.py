"""What the clients see of a server that is asked for ten times as much as it takes at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import uvloop

from bench.operations import Request

__all__ = ["IN_FLIGHT", "look"]

IN_FLIGHT = 4
"""How many requests the server takes at once: as many as it needs to be busy. The load is ten times as many clients.

With 8, bzz on Tornado's server answers no more of them.
"""


def look(port: int, wanted: Sequence[Request], seconds: float) -> dict[str, float]:
    """The 99th percentile of the latency of good answers in ms, for one client and for very many, and what is refused.

    Each client asks again as soon as it is answered, whatever the answer and its ``Retry-After`` say.

    :param wanted: reads.
    :param seconds: how long each of the two is looked at.
    """
    uvloop.run(_ask(port, wanted, 1, seconds))  # until everything is warm
    alone = uvloop.run(_ask(port, wanted, 1, seconds))
    crowd = uvloop.run(_ask(port, wanted, 10 * IN_FLIGHT, seconds))
    before, under = _p99(alone.good), _p99(crowd.good)
    return {
        "alone_ms": before,
        "crowd_ms": under,
        "ratio": under / before,
        "good_per_second": len(crowd.good) / seconds,
        "refused_per_second": len(crowd.refused) / seconds,
    }


@dataclass(frozen=True)
class _Seen:
    """Latencies in ms."""

    good: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)


async def _ask(port: int, wanted: Sequence[Request], clients: int, seconds: float) -> _Seen:
    loop, seen = asyncio.get_running_loop(), _Seen()
    heads = [f"GET {each.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for each in wanted]
    made = [await loop.create_connection(lambda: _Client(heads, seen), "127.0.0.1", port) for _ in range(clients)]
    await asyncio.sleep(seconds)
    for transport, _ in made:
        transport.abort()
    return seen


class _Client(asyncio.Protocol):
    """Asks, and asks again when it is answered. An answer of the servers here comes in one piece."""

    def __init__(self, heads: Sequence[bytes], seen: _Seen) -> None:
        self._heads = heads
        self._seen = seen
        self._number = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._number += 1
        self._start = time.perf_counter()
        self._transport.write(self._heads[self._number % len(self._heads)])

    def data_received(self, data: bytes) -> None:
        took = 1000 * (time.perf_counter() - self._start)
        (self._seen.good if data.startswith(b"HTTP/1.1 200 ") else self._seen.refused).append(took)
        self._send()


def _p99(latencies: list[float]) -> float:
    return sorted(latencies)[len(latencies) * 99 // 100]
