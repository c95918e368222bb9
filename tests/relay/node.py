"""One process among several: sends events at a steady pace, and tells what it got.

Usage: python -m tests.relay.node URL CHANNEL NAME EVENTS PER_SECOND OTHERS; begins at a line of input, and tells once
the events of so many others have come, or after a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any

import bzz
from tests.relay.conftest import until


async def main(url: str, channel: str, name: str, events: int, per_second: float, others: int) -> None:
    """Report in JSON: the numbers that came from each other node in order, what was lost, and what was sent."""
    got: dict[str, list[int]] = {}

    @bzz.on("tick")
    def hear(event: Any) -> None:
        if event.remote is not None:
            got.setdefault(event.remote.name, []).append(event.n)

    relay = bzz.RedisRelay(url, name=name, channel=channel)
    relay.forward("tick")

    def done() -> bool:
        return sum(map(len, got.values())) >= events * others and relay.stats.sent == events

    async with relay:
        print("ready", flush=True)
        await _line()
        began = asyncio.get_running_loop().time()
        for n in range(events):
            await asyncio.sleep(began + n / per_second - asyncio.get_running_loop().time())
            await bzz.emit("tick", n=n)
        with contextlib.suppress(AssertionError):  # the report shows it
            await until(done, 60)
        print(json.dumps({"got": got, "lost": relay.stats.lost, "sent": relay.stats.sent}), flush=True)
        await _line()


async def _line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]), int(sys.argv[6])))
