"""What waits for a client is bounded, in order, and ends with its reason."""

from __future__ import annotations

import asyncio

import pytest

from bzz.live.frames import reset
from bzz.live.subscription import MAX_BYTES, Subscription
from bzz.providers.changes import Position


async def test_frames_are_taken_in_order_and_all_at_once() -> None:
    subscription = Subscription()
    subscription.put(Position(1, 1), b"a")
    subscription.put(Position(1, 2), b"b")
    assert await subscription.take() == (b"ab", False)


async def test_taking_waits_for_the_first_frame() -> None:
    subscription = Subscription()
    taking = asyncio.create_task(subscription.take())
    await asyncio.sleep(0)
    subscription.put(Position(1, 1), b"a")
    assert await taking == (b"a", False)


async def test_one_who_does_not_read_is_told_so_and_keeps_nothing_waiting() -> None:
    subscription = Subscription()
    for number in range(3):
        subscription.put(Position(1, number + 1), b"x" * (MAX_BYTES // 2))
    assert await subscription.take() == (reset("slow"), True)


async def test_a_single_frame_may_be_longer_than_all_that_may_wait() -> None:
    subscription = Subscription()
    subscription.put(Position(1, 1), b"x" * (MAX_BYTES + 1))
    assert (await subscription.take())[1] is False


async def test_a_frame_that_waits_too_long_ends_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bzz.live.subscription.MAX_AGE_SECONDS", 0.0)
    subscription = Subscription()
    subscription.put(Position(1, 1), b"a")
    await asyncio.sleep(0.001)
    subscription.put(Position(1, 2), b"b")
    assert await subscription.take() == (reset("slow"), True)


async def test_a_stop_lets_what_waits_go_out_first() -> None:
    subscription = Subscription()
    subscription.put(Position(1, 1), b"a")
    subscription.end("shutdown")
    assert await subscription.take() == (b"a" + reset("shutdown"), True)


async def test_who_may_see_no_more_is_not_sent_what_waits() -> None:
    subscription = Subscription()
    subscription.put(Position(1, 1), b"a")
    subscription.end("forbidden")
    assert await subscription.take() == (reset("forbidden"), True)


async def test_only_the_first_reason_counts() -> None:
    subscription = Subscription()
    subscription.end("scope")
    subscription.end("forbidden")
    subscription.put(Position(1, 1), b"a")
    assert await subscription.take() == (reset("scope"), True)


async def test_what_the_snapshot_holds_is_dropped_now_and_later() -> None:
    subscription = Subscription()
    subscription.put(Position(1, 1), b"a")
    subscription.put(Position(1, 3), b"c")
    subscription.skip_until(Position(1, 2))
    subscription.put(Position(1, 2), b"b")
    assert await subscription.take() == (b"c", False)
