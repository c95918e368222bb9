"""No message from a peer can stop a relay, whatever is in it."""

from __future__ import annotations

import asyncio
import copy
import os
import random
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

import bzz
from bzz.relay.envelope import MAX_BYTES, Envelope
from bzz.relay.state_signals.protocol import RESPONSES, SIGNALS
from tests.relay.conftest import MakeRelay, Soak, remote, subscribed, until
from tests.relay.server import RedisServer

KEYS = {"2026": b"a key of sixteen bytes or more"}
PROCESS = "ab" * 16
JSON: list[Any] = [
    None, True, 0, -1, 1e308, 1 << 62, "", "x" * 300, "$", [], {}, [[]],
    {"$": "datetime", "v": 5}, {"$": "enum", "v": []}, {"$": "nothing"}, {"$": []}, {"$": "map", "v": [[[], 1]]},
    {"$": "document", "v": {}}, {"$": "int", "v": "9" * 5000}, {"$": "timedelta", "v": [1e300, 0, 0]},
    {"$": "document", "v": {"class": "User", "id": 1, "values": []}},
]  # fmt: skip
"""Values that stand in each place of a message."""

EVENT = {"name": "a.b", "id": "0" * 32, "at": "2026-11-26T12:00:00+00:00", "fields": {"n": 1}, "depth": 1, "causes": []}
MESSAGES: list[dict[str, Any]] = [
    {"kind": "event", "name": "x", "started": 1.5, "number": 1, "event": EVENT},
    {"kind": "question", "name": "x", "started": 1.5, "question": "0" * 32, "event": EVENT},
    {"kind": "answer", "name": "x", "started": 1.5, "question": "0" * 32, "ok": True, "value": 1, "message": ""},
    {"kind": "beat", "name": "x", "started": 1.5, "number": 1, "answers": ["a.*"]},
    {"kind": "hello", "name": "x", "started": 1.5, "number": 1, "answers": ["a.*"]},
    {"kind": "bye", "name": "x", "started": 1.5, "number": 1, "answers": []},
]


def mutated(rng: random.Random) -> dict[str, Any]:
    """A message that bzz might send, with one place changed."""
    message = copy.deepcopy(rng.choice(MESSAGES))
    inner = message["event"] if "event" in message and rng.random() < 0.6 else message
    place = rng.choice([*inner, "class", "model", "request", "origin"])
    inner[place] = copy.deepcopy(rng.choice(JSON))
    if rng.random() < 0.2:
        del inner[place]
    return message


def hostile(rng: random.Random) -> Iterator[bytes]:
    """Endless messages that nobody should send."""
    sealers: list[Callable[[str, Any], bytes]] = [
        Envelope("other", KEYS).seal, Envelope("c", {"2026": b"another key of 16 bytes"}).seal,
        Envelope("c", {"1999": b"a key of sixteen bytes or more"}).seal, Envelope("c").seal, Envelope("c").seal,
    ]  # fmt: skip
    while True:
        process = PROCESS if rng.random() < 0.5 else rng.randbytes(16).hex()
        yield rng.randbytes(rng.randrange(80))
        yield b"bzz/1 " + process.encode() + b" -\n" + rng.randbytes(40)
        yield b"bzz/1 " + process.encode() + b" -\n" + orjson.dumps(rng.choice(JSON))
        yield b"bzz/9 " + process.encode() + b" -\n{}"
        for seal in sealers:
            yield seal(process, mutated(rng))


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.timeout(1800)
async def test_hostile_messages_are_dropped_and_memory_stays_flat(
    redis: RedisServer, stack: AsyncExitStack, soak: Soak
) -> None:
    count, rng = soak(10_000, 1_000_000), random.Random(11)
    seen: list[Any] = []
    bzz.on("fine")(remote(seen))
    signed = await stack.enter_async_context(bzz.RedisRelay(redis.url, name="signed", channel="c", keys=KEYS))
    open_one = await stack.enter_async_context(bzz.RedisRelay(redis.url, name="open", channel="c"))
    open_one.answers("a.*")(lambda question: 1)
    friend = bzz.RedisRelay(redis.url, name="friend", channel="c", keys=KEYS)
    friend.forward("fine")
    await stack.enter_async_context(friend)
    client = await stack.enter_async_context(Redis.from_url(redis.url))
    messages, after_a_tenth = hostile(rng), 0
    for sent in range(0, count, 500):
        async with client.pipeline(transaction=False) as pipeline:
            for _ in range(500):
                pipeline.publish("c", next(messages))
            await pipeline.execute()
        if sent >= count // 10 and not after_a_tenth:
            after_a_tenth = resident_bytes()
    await bzz.emit("fine")
    await until(lambda: len(seen) >= 2, 300)
    assert {event.remote.name for event in seen} == {"friend"}
    assert resident_bytes() - after_a_tenth < 30_000_000
    assert signed.healthy
    assert open_one.healthy
    assert signed.stats.lost == {}
    dropped = signed.stats.dropped
    assert {"malformed", "unknown_version", "unsigned", "unknown_key", "bad_signature"} <= dropped.keys()
    assert sum(dropped.values()) > 0.9 * count
    assert {"undecodable", "unknown_kind", "malformed"} <= open_one.stats.dropped.keys()


@pytest.mark.parametrize("data", [b"[]", b"5", b"null", b"{}", b"\xff", b'{"responder_id": 1}'])
async def test_messages_that_kill_the_listeners_of_state_signals_are_counted(
    redis: RedisServer, relay: MakeRelay, stack: AsyncExitStack, data: bytes
) -> None:
    ours = await stack.enter_async_context(relay("ours"))
    exporter, responder = ours.state_signals("p").exporter, ours.state_signals("w").responder
    await exporter.initialize(["go"])
    heard: list[str] = []

    async def listen() -> None:
        async for signal in responder.listen():
            heard.append(signal.event)

    listening = asyncio.create_task(listen())
    await subscribed(ours, SIGNALS)
    client = await stack.enter_async_context(Redis.from_url(redis.url))
    await client.publish(RESPONSES, data)
    await client.publish(SIGNALS, data)
    await until(lambda: ours.stats.dropped.get("state_signals") == 2)
    await exporter.publish_signal("go")
    await until(lambda: "go" in heard)
    listening.cancel()


async def test_a_message_that_is_too_large_is_dropped_on_both_sides(
    redis: RedisServer, channel: str, relay: MakeRelay, stack: AsyncExitStack
) -> None:
    sender, receiver = relay("sender"), relay("receiver")
    sender.forward("big")
    await stack.enter_async_context(receiver)
    await stack.enter_async_context(sender)
    await bzz.emit("big", text="x" * MAX_BYTES)
    assert sender.stats.dropped == {"too_large": 1}
    await until(lambda: sum(receiver.stats.lost.values()) == 1)  # it had a number, so others know of it
    client = await stack.enter_async_context(Redis.from_url(redis.url))
    await client.publish(channel, b"bzz/1 " + b"x" * MAX_BYTES)
    await until(lambda: receiver.stats.dropped == {"too_large": 1})


async def test_dropped_messages_are_logged_at_most_once_a_minute(
    redis: RedisServer, channel: str, relay: MakeRelay, stack: AsyncExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    it = await stack.enter_async_context(relay("it"))
    client = await stack.enter_async_context(Redis.from_url(redis.url))
    for _ in range(50):
        await client.publish(channel, b"rubbish")
    await until(lambda: it.stats.dropped == {"malformed": 50})
    assert [record.getMessage() for record in caplog.records] == ["relay it dropped messages: 1 malformed"]
