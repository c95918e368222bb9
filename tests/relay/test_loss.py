"""Every loss is counted exactly, and what is sent after a restart of Redis arrives."""

from __future__ import annotations

import asyncio
import functools
import logging
import signal
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis

import bzz
from bzz.relay import Gap
from tests.relay.conftest import Soak, remote, subscribed, until
from tests.relay.proxy import Proxy
from tests.relay.server import RedisServer


def pair(server: RedisServer, channel: str, **options: Any) -> tuple[bzz.RedisRelay, bzz.RedisRelay]:
    """A relay that sends the events called ``tick``, and one that receives them."""
    sender = bzz.RedisRelay(server.url, name="sender", channel=channel, **options)
    sender.forward("tick")
    return sender, bzz.RedisRelay(server.url, name="receiver", channel=channel)


async def cut(server: RedisServer) -> None:
    """Have the server close every subscriber's connection."""
    client = Redis.from_url(server.url)
    await client.client_kill_filter(_type="pubsub")
    await client.aclose()


async def send(first: int, last: int) -> None:
    for n in range(first, last + 1):
        await bzz.emit("tick", n=n)


@pytest.mark.slow  # it kills processes
@pytest.mark.timeout(600)
async def test_killing_redis_while_events_flow_loses_nothing_that_is_not_counted(
    own_redis: RedisServer, channel: str, stack: AsyncExitStack, soak: Soak
) -> None:
    events, kills = soak(2_000, 10_000), soak(3, 10)
    sender, receiver = pair(own_redis, channel)
    seen: list[Any] = []
    local: list[int] = []
    bzz.on("tick")(remote(seen))
    bzz.on("tick")(lambda event: local.append(event.n) if event.remote is None else None)
    await stack.enter_async_context(receiver)
    await stack.enter_async_context(sender)

    def reached(count: int) -> bool:
        return len(local) >= count

    async def kill_now_and_then() -> None:
        for kill in range(1, kills + 1):
            await until(functools.partial(reached, kill * events // (kills + 1)), 120)
            own_redis.kill()
            await asyncio.sleep(0.1)  # away for a while, not waited for
            await asyncio.to_thread(own_redis.start)

    killing = asyncio.create_task(kill_now_and_then())
    for n in range(events):
        await bzz.emit("tick", n=n)
        await asyncio.sleep(0.001)
    assert local == list(range(events))
    await killing
    await until(lambda: sender.stats.queued == 0 and sender.healthy and receiver.healthy)
    await send(events, events + 100)
    await until(lambda: seen and seen[-1].n == events + 100)
    lost = sum(receiver.stats.lost.values())
    numbers = [event.n for event in seen]
    assert len(numbers) + lost == events + 101
    assert numbers == sorted(set(numbers))
    assert numbers[-101:] == list(range(events, events + 101))


async def test_what_a_cut_off_process_missed_is_counted_and_told(
    own_redis: RedisServer, channel: str, stack: AsyncExitStack
) -> None:
    sender, receiver = pair(own_redis, channel)
    seen: list[Any] = []
    gaps: list[Gap] = []
    bzz.on("tick")(remote(seen))
    receiver.on_gap(gaps.append)
    await stack.enter_async_context(receiver)
    await stack.enter_async_context(sender)
    await send(1, 3)
    await until(lambda: len(seen) == 3)
    await cut(own_redis)
    await send(4, 6)
    await until(lambda: sum(receiver.stats.lost.values()) + len(seen) == 6)
    await until(lambda: receiver.healthy)
    await send(7, 9)
    await until(lambda: seen[-1].n == 9)
    numbers = [event.n for event in seen]
    missing = [n for n in range(1, 10) if n not in numbers]
    assert sum(receiver.stats.lost.values()) == len(missing)
    assert [n for gap in gaps for n in range(gap.first, gap.last + 1)] == missing
    assert all(gap.name == "sender" for gap in gaps)


async def test_the_loss_of_the_last_event_is_counted_without_another_one(
    own_redis: RedisServer, channel: str, stack: AsyncExitStack
) -> None:
    sender, receiver = pair(own_redis, channel)
    await stack.enter_async_context(sender)
    await stack.enter_async_context(receiver)

    def arrived_or_lost() -> int:
        return receiver.stats.received + sum(receiver.stats.lost.values())

    for n in range(1, 6):  # until one fell into the time in which the receiver was away
        await cut(own_redis)
        await bzz.emit("tick", n=n)
        await until(functools.partial(lambda n: arrived_or_lost() == n, n))
        if receiver.stats.lost:
            break
        await until(lambda: sender.healthy and receiver.healthy)
    assert sum(receiver.stats.lost.values()) == 1


async def test_a_process_that_comes_later_has_lost_nothing_of_what_was_before(
    redis: RedisServer, channel: str, stack: AsyncExitStack
) -> None:
    sender, receiver = pair(redis, channel)
    await stack.enter_async_context(sender)
    await send(1, 50)
    await until(lambda: sender.stats.sent == 50)
    await stack.enter_async_context(receiver)
    await send(51, 60)
    await until(lambda: receiver.stats.received == 10)
    assert receiver.stats.lost == {}


@pytest.mark.parametrize(("policy", "kept"), [("drop_oldest", [8, 9, 10]), ("drop_newest", [1, 2, 3])])
async def test_while_redis_is_away_a_queue_holds_what_its_policy_keeps(
    own_redis: RedisServer, channel: str, stack: AsyncExitStack, policy: str, kept: list[int]
) -> None:
    sender, receiver = pair(own_redis, channel, queue_size=3, policy=policy)
    seen: list[Any] = []
    bzz.on("tick")(remote(seen))
    await stack.enter_async_context(receiver)
    await stack.enter_async_context(sender)
    own_redis.kill()
    await until(lambda: not sender.healthy)
    await send(1, 10)
    assert sender.stats.queued == 3
    assert sender.stats.dropped["queue_full"] == 7
    await asyncio.to_thread(own_redis.start)
    await until(lambda: len(seen) == 3 and sum(receiver.stats.lost.values()) == 7)
    assert [event.n for event in seen] == kept


async def test_a_relay_starts_while_redis_is_away_and_says_so(
    own_redis: RedisServer, channel: str, stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bzz.relay.session.OPEN_SECONDS", 0.1)
    own_redis.kill()
    sender, _ = pair(own_redis, channel)
    await stack.enter_async_context(sender)
    await send(1, 2)
    assert (sender.healthy, sender.stats.queued) == (False, 2)
    await asyncio.to_thread(own_redis.start)
    await until(lambda: sender.stats.sent == 2)
    assert sender.healthy


async def test_a_server_that_is_frozen_is_noticed_and_everything_queued_arrives_when_it_thaws(
    own_redis: RedisServer, channel: str, stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bzz.relay.redis.ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("bzz.relay.presence.HEARTBEAT_SECONDS", 0.05)
    sender, receiver = pair(own_redis, channel)
    seen: list[Any] = []
    bzz.on("tick")(remote(seen))
    await stack.enter_async_context(receiver)
    await stack.enter_async_context(sender)
    own_redis.signal(signal.SIGSTOP)
    await send(1, 5)
    await until(lambda: not sender.healthy and not receiver.healthy)
    own_redis.signal(signal.SIGCONT)
    await until(lambda: sender.healthy and receiver.healthy)
    await send(6, 6)
    await until(lambda: seen and seen[-1].n == 6)
    assert len(seen) + sum(receiver.stats.lost.values()) == 6


async def test_an_outage_is_logged_once_and_so_is_its_end(
    own_redis: RedisServer, channel: str, stack: AsyncExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bzz.relay")
    alone, _ = pair(own_redis, channel)
    await stack.enter_async_context(alone)
    own_redis.kill()
    await until(lambda: not alone.healthy)
    await asyncio.sleep(0.3)  # several attempts
    await asyncio.to_thread(own_redis.start)
    await until(lambda: alone.healthy)
    told = [record.getMessage().split(":")[0] for record in caplog.records if "could not send" not in record.message]
    assert told == ["relay sender", "relay sender is connected again"]


@pytest.mark.timeout(600)
async def test_a_relay_ends_whatever_its_connection_is_doing(own_redis: RedisServer, channel: str, soak: Soak) -> None:
    one, two = pair(own_redis, channel)
    for n in range(soak(20, 500)):
        async with one, two:
            one.running.connection.reopen()
            await asyncio.sleep(0.005 * (n % 20))


async def test_a_subscription_that_has_fallen_silent_is_made_anew(
    own_redis: RedisServer, channel: str, stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bzz.relay.presence.HEARTBEAT_SECONDS", 0.05)
    proxy = await stack.enter_async_context(Proxy(own_redis.port))
    sender, _ = pair(own_redis, channel)
    receiver = bzz.RedisRelay(f"redis://127.0.0.1:{proxy.port}", name="receiver", channel=channel)
    seen: list[Any] = []
    bzz.on("tick")(remote(seen))
    await stack.enter_async_context(receiver)
    await stack.enter_async_context(sender)
    before, proxy.mute = proxy.connections, True
    await send(1, 3)  # what a dead router swallows: the connection itself looks well
    await until(lambda: not receiver.healthy)
    proxy.mute = False
    await until(lambda: receiver.healthy)
    await send(4, 4)
    await until(lambda: seen and seen[-1].n == 4)
    assert proxy.connections > before
    assert len(seen) + sum(receiver.stats.lost.values()) == 4


async def test_nothing_is_sent_after_an_outage_until_the_others_are_back(
    own_redis: RedisServer, channel: str, stack: AsyncExitStack
) -> None:
    proxy = await stack.enter_async_context(Proxy(own_redis.port))
    sender, _ = pair(own_redis, channel)
    receiver = bzz.RedisRelay(f"redis://127.0.0.1:{proxy.port}", name="receiver", channel=channel)
    await stack.enter_async_context(receiver)
    await stack.enter_async_context(sender)
    proxy.refuse = True
    own_redis.kill()
    await until(lambda: not sender.healthy and not receiver.healthy)
    await send(1, 5)
    await asyncio.to_thread(own_redis.start)
    await subscribed(sender, channel)  # the sender is back, and waits
    proxy.refuse = False
    await until(lambda: receiver.stats.received == 5)
    assert receiver.stats.lost == {}
