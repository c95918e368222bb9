"""What a relay costs: ``python -m bench.relay`` prints events per second beside bare redis-py, and waiting times.

Both sides run in this one process, so on one core; the server is a redis-server of its own. Both loops carry the same
payload as JSON, unsigned, one event per message.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from redis.asyncio import Redis

import bzz
from tests.relay.conftest import until
from tests.relay.server import RedisServer

EVENTS = 20_000
ROUNDS = 5
PIECES = 1_000
"""How many asks and latencies are measured."""

PAYLOAD = {"order": 42, "customer": "c-1234", "amount": "19.90", "paid": True, "note": "two boxes, second floor"}

Measure = Callable[[str], Awaitable[None]]


def main() -> None:
    """Run everything and print it."""
    with RedisServer() as server:
        asyncio.run(run(server.url))


async def run(url: str) -> None:
    """Measure in turn, several rounds, so that a busy neighbour hits all alike."""
    loops: dict[str, Measure] = {"bare": bare, "bare, pipelined": bare_pipelined, "relay": relayed}
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in loops}
    for _ in range(ROUNDS):
        for name, measure in loops.items():
            began, used = time.perf_counter(), time.process_time()
            await measure(url)
            rates[name].append((EVENTS / (time.process_time() - used), EVENTS / (time.perf_counter() - began)))
    print("events per second of processor time, and by the clock:")
    for name, seen in rates.items():
        ratio = statistics.median(each / bare for (each, _), (bare, _) in zip(seen, rates["bare"], strict=True))
        used, clock = (statistics.median(each) for each in zip(*seen, strict=True))
        print(f"  {name:<16} {used:>9,.0f} {clock:>9,.0f}   {ratio:5.2f} of bare by processor time")
    median, p99 = await latency(url)
    print(f"publish to receive: median {median * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms")
    median, p99 = await question(url)
    print(f"question, two responders: median {median * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms")
    print(f"idle: {await idle(url) * 100:.2f} % of a core")


async def bare(url: str) -> None:
    """One publish after the other, as the examples of redis-py do it."""

    async def send(client: Redis, channel: str) -> None:
        for _ in range(EVENTS):
            await client.publish(channel, json.dumps(PAYLOAD))

    await _bare(url, send)


async def bare_pipelined(url: str) -> None:
    """Two hundred at a time, as a relay sends what has queued up."""

    async def send(client: Redis, channel: str) -> None:
        for first in range(0, EVENTS, 200):
            pipeline = client.pipeline(transaction=False)
            for _ in range(first, min(first + 200, EVENTS)):
                pipeline.publish(channel, json.dumps(PAYLOAD))
            await pipeline.execute()

    await _bare(url, send)


async def _bare(url: str, send: Callable[[Redis, str], Awaitable[None]]) -> None:
    async with Redis.from_url(url) as client, client.pubsub() as pubsub:
        channel = uuid.uuid4().hex
        await pubsub.subscribe(channel)

        async def receive() -> None:
            count = 0
            async for message in pubsub.listen():
                if message["type"] == "message":
                    json.loads(message["data"])
                    count += 1
                if count == EVENTS:
                    return

        receiving = asyncio.create_task(receive())
        await send(client, channel)
        await receiving


async def relayed(url: str) -> None:
    """Events from one relay to another."""
    async with AsyncExitStack() as stack:
        _, receiver = await _pair(stack, url)
        for n in range(EVENTS):
            await bzz.emit("bench.tick", **PAYLOAD)
            if n % 200 == 199:
                await asyncio.sleep(0)
        await until(lambda: receiver.stats.received == EVENTS, 60)
        assert receiver.stats.lost == {}, receiver.stats


async def _pair(stack: AsyncExitStack, url: str) -> tuple[bzz.RedisRelay, bzz.RedisRelay]:
    channel = uuid.uuid4().hex
    options: dict[str, Any] = {"channel": channel, "queue_size": EVENTS}
    sender, receiver = (bzz.RedisRelay(url, name=name, **options) for name in ("sender", "receiver"))
    sender.forward("bench.*")
    await stack.enter_async_context(receiver)
    await stack.enter_async_context(sender)
    return sender, receiver


async def latency(url: str) -> tuple[float, float]:
    """From ``bzz.emit`` here to the listener there, one event after the other."""
    async with AsyncExitStack() as stack:
        await _pair(stack, url)
        arrived = asyncio.Event()

        def arrive(event: Any) -> None:
            if event.remote is not None:
                arrived.set()

        bzz.on("bench.tick")(arrive)
        stack.callback(bzz.off, arrive)

        async def once() -> None:
            arrived.clear()
            await bzz.emit("bench.tick", **PAYLOAD)
            await arrived.wait()

        return await _timed(once)


async def question(url: str) -> tuple[float, float]:
    """From the question to both answers."""
    async with AsyncExitStack() as stack:
        asker, one = await _pair(stack, url)
        two = bzz.RedisRelay(url, name="two", channel=asker._settings.channel)
        for each in (one, two):
            each.answers("bench.start")(lambda asked: asked.order)
        await stack.enter_async_context(two)

        async def once() -> None:
            assert len((await asker.ask("bench.start", PAYLOAD)).ok) == 2

        return await _timed(once)


async def _timed(once: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    taken = []
    for _ in range(PIECES):
        began = time.perf_counter()
        await once()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


async def idle(url: str, seconds: float = 20.0) -> float:
    """The part of a core that one relay takes while another one is there and nothing happens."""
    async with AsyncExitStack() as stack:
        await _pair(stack, url)
        await asyncio.sleep(1)
        began = time.process_time()
        await asyncio.sleep(seconds)
        return (time.process_time() - began) / seconds / 2


if __name__ == "__main__":
    main()
