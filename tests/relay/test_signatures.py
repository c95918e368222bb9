"""With a key nothing unsigned is believed, keys can be changed without a stop, and nothing can be sent twice."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis

import bzz
from bzz.relay.envelope import Envelope, Unreadable
from tests.relay.conftest import MakeRelay, remote, until
from tests.relay.server import RedisServer

OLD, NEW, PROCESS = b"the old key, of 2025", b"the new key, of 2026", "0f" * 16


def test_a_signed_message_is_believed_by_who_has_the_key() -> None:
    data = Envelope("c", {"old": OLD}).seal(PROCESS, {"kind": "beat"})
    for keys in ({"old": OLD}, {"new": NEW, "old": OLD}, {}):
        process, body = Envelope("c", keys).open(data)
        assert (process, body["kind"]) == (PROCESS, "beat")


@pytest.mark.parametrize(
    ("sealed_by", "reason"),
    [
        (Envelope("c"), "unsigned"),
        (Envelope("c", {"other": OLD}), "unknown_key"),
        (Envelope("c", {"new": OLD}), "bad_signature"),
        (Envelope("another", {"new": NEW}), "bad_signature"),
    ],
)
def test_any_other_message_is_not(sealed_by: Envelope, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        Envelope("c", {"new": NEW}).open(sealed_by.seal(PROCESS, {}))


@pytest.mark.parametrize("place", [10, 60, -3])
def test_a_message_that_was_changed_is_not_believed(place: int) -> None:
    data = bytearray(Envelope("c", {"new": NEW}).seal(PROCESS, {"n": 100}))
    data[place] ^= 1
    with pytest.raises(Unreadable, match=r"bad_signature|malformed"):
        Envelope("c", {"new": NEW}).open(bytes(data))


def test_a_signed_message_grows_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    envelope = Envelope("c", {"new": NEW})
    data = envelope.seal(PROCESS, {})
    later = time.time() + 301
    monkeypatch.setattr("time.time", lambda: later)
    with pytest.raises(Unreadable, match="stale"):
        envelope.open(data)


def test_another_version_is_told_from_rubbish() -> None:
    for data, reason in ((b"bzz/2 x y\n{}", "unknown_version"), (b"rubbish", "malformed")):
        with pytest.raises(Unreadable, match=reason):
            Envelope("c").open(data)


async def test_keys_are_changed_one_process_after_the_other(relay: MakeRelay, stack: AsyncExitStack) -> None:
    seen: list[Any] = []
    bzz.on("tick")(remote(seen))
    updated = relay("updated", keys={"new": NEW, "old": OLD})
    waiting = relay("waiting", keys={"old": OLD, "new": NEW})
    for each in (updated, waiting):
        each.forward("tick")
        await stack.enter_async_context(each)
    await bzz.emit("tick")
    await until(lambda: len(seen) == 2)
    assert {event.remote.name for event in seen} == {"updated", "waiting"}


async def test_a_message_that_is_sent_again_by_somebody_does_nothing(
    redis: RedisServer, channel: str, relay: MakeRelay, stack: AsyncExitStack
) -> None:
    seen: list[Any] = []
    bzz.on("pay")(remote(seen))
    sender, receiver = relay("sender", keys={"k": NEW}), relay("receiver", keys={"k": NEW})
    sender.forward("pay")
    await stack.enter_async_context(receiver)
    await stack.enter_async_context(sender)
    client = await stack.enter_async_context(Redis.from_url(redis.url))
    eavesdropper = await stack.enter_async_context(client.pubsub())
    await eavesdropper.subscribe(channel)
    await bzz.emit("pay")
    overheard = b""
    while b'"event"' not in overheard:
        message = await eavesdropper.get_message(timeout=5)
        overheard = message["data"] if message and message["type"] == "message" else b""
    await client.publish(channel, overheard)
    await until(lambda: receiver.stats.dropped == {"duplicate": 1})
    assert len(seen) == 1
