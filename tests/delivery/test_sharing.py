"""Several processes share the work of a listener; here they are several owners in one."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import re
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import mongoengine as me
import pytest
from bson import ObjectId

import bzz
from bzz.change import Position
from bzz.delivery import lanes, lease, owner
from bzz.delivery.partitions import PARTITIONS, document_key, partition_of
from bzz.providers.deliveries import Claim, Deliveries, Letter, Standing
from bzz.providers.mongoengine.changes.deliveries import MongoDeliveries
from bzz.providers.progress import Progress
from tests.conftest import Driver
from tests.delivery.conftest import Seen, a_letter, eventually, listening, make_owner


class Sheep(me.Document):
    name = me.StringField()


@pytest.fixture
def deliveries(driver: Driver) -> Deliveries:
    return MongoDeliveries(driver())


async def held(deliveries: Deliveries) -> list[int]:
    """How many partitions each holder has."""
    states = await deliveries.states()
    holders = [each.holder for each in states[0].partitions if each.holder] if states else []
    return sorted(holders.count(each) for each in set(holders))


async def test_two_share_the_partitions_and_every_change_is_handled_once(
    seen: Seen, database_name: str, deliveries: Deliveries, quick_beats: None
) -> None:
    bzz.durable("Sheep.created", name="x")(seen)
    pair = [make_owner(), make_owner()]
    pair[0].start()
    await eventually(lambda: is_shared(deliveries, [16]))
    pair[1].start()
    made = [Sheep(name=str(number)).save().pk for number in range(100)]
    await eventually(lambda: is_shared(deliveries, [8, 8]))
    made += [Sheep(name=str(number)).save().pk for number in range(50)]
    await seen.times(150)
    await asyncio.gather(*(each.stop(1) for each in pair))
    assert sorted(each.instance.pk for each in seen) == sorted(made)


async def is_shared(deliveries: Deliveries, shares: list[int]) -> bool:
    return await held(deliveries) == shares


async def test_who_leaves_gives_the_partitions_at_once(
    seen: Seen, database_name: str, deliveries: Deliveries, quick_beats: None
) -> None:
    bzz.durable("Sheep.created", name="x", start="beginning")(seen)
    one, other = make_owner(), make_owner()
    one.start()
    other.start()
    await eventually(lambda: is_shared(deliveries, [8, 8]))
    await one.stop(1)
    await eventually(lambda: is_shared(deliveries, [16]), seconds=5)
    await other.stop(1)


async def test_an_owner_whom_another_forestalls_takes_the_next_partitions_and_follows_one_stream(
    seen: Seen, database_name: str, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    bzz.durable("Sheep.created", name="x")(seen)
    one = make_owner()
    attend = one._deliveries.attend

    async def forestalled(*asked: Any) -> Standing | None:
        await deliveries.attend("x", "other", 60)
        standing = await attend(*asked)
        for number in range(3):
            await deliveries.claim("x", number, "other", 60)
        return standing

    monkeypatch.setattr(one._deliveries, "attend", forestalled)
    one.start()
    await eventually(lambda: is_shared(deliveries, [3, 8]))
    assert [each.partitions for each in one._sessions] == [frozenset(range(3, 11))]
    await one.stop(1)


async def test_partitions_whose_session_has_failed_are_not_kept_from_others(
    seen: Seen, database_name: str, deliveries: Deliveries, quick_beats: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "RETRY_SECONDS", 0)
    bzz.durable("Sheep.created", name="x", start="beginning")(seen)
    one, other = make_owner(), make_owner()
    one.start()
    await eventually(lambda: is_shared(deliveries, [16]))
    other.start()
    await eventually(lambda: has_members(deliveries, 2))
    for session in list(one._sessions):
        session._start(fail())
    await eventually(lambda: is_shared(deliveries, [8, 8]))
    for number in range(100):
        Sheep(name=str(number)).save()
    await seen.times(100)
    await asyncio.gather(one.stop(1), other.stop(1))


async def fail() -> None:
    raise ValueError("seeded")


async def has_members(deliveries: Deliveries, number: int) -> bool:
    return [each.members for each in await deliveries.states()] == [number]


async def test_a_call_that_ends_during_a_stop_keeps_its_lease(
    database_name: str, deliveries: Deliveries, quick_beats: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (lease, owner):
        monkeypatch.setattr(module, "LEASE_SECONDS", 3.0)
    monkeypatch.setattr(lease, "MARGIN_SECONDS", 0.3)
    begun, told = asyncio.Event(), []

    @bzz.durable("Sheep.created", name="x")
    async def slow(event: Any) -> None:
        told.append("begun")
        begun.set()
        await asyncio.sleep(6)  # twice the lease
        told.append("done")

    one, other = make_owner(), make_owner()
    one.start()
    await eventually(lambda: is_shared(deliveries, [16]))
    Sheep(name="a").save()
    await begun.wait()
    stopping = asyncio.create_task(one.stop(10))
    other.start()
    await stopping
    await asyncio.sleep(0.5)
    await other.stop(0.1)
    assert told == ["begun", "done"]


async def test_what_waits_at_a_stop_is_handled_by_others_and_nothing_comes_again(
    database_name: str, deliveries: Deliveries, quick_beats: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "SLOW_SECONDS", 60)  # so that nothing has a letter before the stop
    begun, may_end = asyncio.Event(), asyncio.Event()
    told: list[tuple[ObjectId, str, int]] = []
    ids = [each for each in (ObjectId() for _ in range(200)) if partition_of(document_key("sheep", each)) == 0]

    @bzz.durable(re.compile(r"Sheep\.(created|updated)"), name="x")
    async def note(event: Any) -> None:
        told.append((event.instance.pk, event.instance.name, event.attempt))
        begun.set()
        if told == [(ids[0], "a", 1)]:
            await may_end.wait()

    one, other = make_owner(), make_owner()
    one.start()
    await eventually(lambda: is_shared(deliveries, [16]))
    first = Sheep(pk=ids[0], name="a").save()
    await begun.wait()
    first.update(set__name="b")
    first.update(set__name="c")
    Sheep(pk=ids[1], name="quick").save()
    await eventually(lambda: len(told) == 2)
    stopping = asyncio.create_task(one.stop(10))
    await eventually(lambda: all(each._lanes._stopping.is_set() for each in one._sessions))
    may_end.set()
    await stopping
    assert [name for _, name, _ in told] == ["a", "quick"]
    Sheep(pk=ids[2], name="late").save()
    other.start()
    await eventually(lambda: len(told) >= 5)
    await other.stop(1)
    assert Counter(told) == Counter([(ids[0], name, 1) for name in "abc"] + [(ids[1], "quick", 1), (ids[2], "late", 1)])
    assert [name for key, name, _ in told if key == ids[0]] == ["a", "b", "c"]
    assert await deliveries.letters(states=("waiting", "queued", "dead")) == []


async def test_a_call_that_outlasts_a_stop_comes_again_and_only_that(
    database_name: str, deliveries: Deliveries, quick_beats: None
) -> None:
    begun = asyncio.Event()
    told: list[tuple[str, str]] = []

    @bzz.durable(re.compile(r"Sheep\.(created|updated)"), name="x")
    async def note(event: Any) -> None:
        told.append((event.instance.name, event.id))
        if event.instance.name == "slow" and not begun.is_set():
            begun.set()
            await asyncio.Event().wait()

    one, other = make_owner(), make_owner()
    one.start()
    await eventually(lambda: is_shared(deliveries, [16]))
    Sheep(name="quick").save()
    await eventually(lambda: len(told) == 1)
    slow = Sheep(name="slow").save()
    await begun.wait()
    slow.update(set__name="later")
    await one.stop(0.1)
    other.start()
    await eventually(lambda: len(told) >= 4)
    await other.stop(1)
    assert [name for name, _ in told] == ["quick", "slow", "slow", "later"]
    assert told[1] == told[2]


async def test_a_call_whose_turn_comes_after_a_stop_has_begun_is_left_to_others(
    database_name: str, deliveries: Deliveries, quick_beats: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "SLOW_SECONDS", 60)  # so that nothing has a letter before the stop
    begun, may_end = asyncio.Event(), asyncio.Event()
    told: list[str] = []

    @bzz.durable("Sheep.created", name="x", concurrency=1)
    async def note(event: Any) -> None:
        told.append(event.instance.name)
        begun.set()
        await may_end.wait()

    one, other = make_owner(), make_owner()
    one.start()
    await eventually(lambda: is_shared(deliveries, [16]))
    Sheep(name="first").save()
    await begun.wait()
    for name in "abcde":
        Sheep(name=name).save()
    (session,) = one._sessions
    await eventually(lambda: len(session._lanes._lanes) == 6)
    stopping = asyncio.create_task(one.stop(10))
    await eventually(session._lanes._stopping.is_set)
    may_end.set()
    await stopping
    assert told == ["first"]
    other.start()
    await eventually(lambda: len(told) >= 6)
    await other.stop(1)
    assert sorted(told) == ["a", "b", "c", "d", "e", "first"]


async def test_a_listener_of_which_nothing_is_stored_any_more_begins_anew_and_says_so(
    seen: Seen, database_name: str, driver: Driver, quick_beats: None, caplog: pytest.LogCaptureFixture
) -> None:
    bzz.durable("Sheep.created", name="x")(seen)
    async with bzz.deliver():
        await listening()
        await driver()["bzz_listeners"].delete_many({})
        await eventually(lambda: "nothing is stored of it any more, so it begins anew" in caplog.text)
        await listening()
        Sheep(name="a").save()
        await eventually(lambda: seen)
    assert "could not be shared" not in caplog.text


@pytest.mark.parametrize("make", [ObjectId, itertools.count().__next__, lambda: str(uuid.uuid4())])
def test_partitions_are_of_like_size(make: Callable[[], Any]) -> None:
    sizes = Counter(partition_of(document_key("sheep", make())) for _ in range(10_000))
    assert len(sizes) == PARTITIONS
    assert max(sizes.values()) < 1.5 * min(sizes.values())


async def claimed(deliveries: Deliveries, holder: str = "one", seconds: float = 60) -> Claim:
    claim = await deliveries.claim("x", 0, holder, seconds)
    assert claim is not None
    return claim


@pytest.fixture
async def lost(deliveries: Deliveries) -> Claim:
    """A claim of a partition that was claimed by another since."""
    await deliveries.enroll("x", PARTITIONS, Progress(Position(1, 1)))
    claim = await claimed(deliveries, seconds=0)
    await claimed(deliveries, "other")
    return claim


async def test_stale_progress_is_refused(deliveries: Deliveries, lost: Claim) -> None:
    assert await deliveries.save([(lost, Progress(Position(2, 2)))]) == [lost]
    assert (await deliveries.states())[0].partitions[0].progress == Progress(Position(1, 1))


async def test_progress_of_a_partition_that_was_released_is_refused(deliveries: Deliveries) -> None:
    await deliveries.enroll("x", PARTITIONS, Progress(Position(1, 1)))
    claim = await claimed(deliveries)
    await deliveries.release([claim])
    assert await deliveries.save([(claim, Progress(Position(2, 2)))]) == [claim]


async def test_partitions_are_released_together_but_for_those_that_another_owns(
    deliveries: Deliveries, lost: Claim
) -> None:
    claims = [await deliveries.claim("x", number, "one", 60) for number in (1, 2)]
    await deliveries.release([lost, *(each for each in claims if each is not None)])
    standing = await deliveries.attend("x", "third", 60)
    assert standing is not None
    assert standing.free == list(range(1, PARTITIONS))


async def test_only_the_stale_claims_are_told(deliveries: Deliveries, lost: Claim) -> None:
    good = await deliveries.claim("x", 1, "one", 60)
    assert good is not None
    moved = Progress(Position(2, 2))
    assert await deliveries.save([(lost, moved), (good, moved)]) == [lost]
    assert (await deliveries.states())[0].partitions[1].progress == moved


async def test_stale_letters_are_refused(deliveries: Deliveries, lost: Claim) -> None:
    letter = a_letter("a", 1)
    assert await deliveries.put(lost, [letter]) is False
    assert await deliveries.replace(lost, letter) is False
    assert await deliveries.remove(lost, letter) is None
    assert await deliveries.letters(states=("waiting", "queued")) == []


async def test_a_removal_that_is_repeated_lets_one_letter_wait(deliveries: Deliveries) -> None:
    await deliveries.enroll("x", PARTITIONS, Progress(Position(1, 1)))
    claim = await claimed(deliveries)
    letters = [a_letter("a", 1, "waiting"), a_letter("a", 2), a_letter("a", 3)]
    await deliveries.put(claim, letters)
    assert await deliveries.remove(claim, letters[0]) is True
    assert await deliveries.remove(claim, letters[0]) is True
    assert [each.state for each in await deliveries.letters(states=("waiting", "queued"))] == ["waiting", "queued"]


async def test_a_letter_that_is_put_again_stays_as_it_is(deliveries: Deliveries) -> None:
    await deliveries.enroll("x", PARTITIONS, Progress(Position(1, 1)))
    claim = await claimed(deliveries)
    await deliveries.put(claim, [a_letter("a", 1, "dead")])
    assert await deliveries.put(claim, [a_letter("a", 1, "waiting")])
    (found,) = await deliveries.letters(states=("waiting", "dead"))
    assert found.state == "dead"


async def test_a_transaction_that_was_left_open_keeps_nobody_from_the_partition(
    deliveries: Deliveries, driver: Driver
) -> None:
    await deliveries.enroll("x", PARTITIONS, Progress(Position(1, 1)))
    await claimed(deliveries, seconds=0)
    assert isinstance(deliveries, MongoDeliveries)
    async with deliveries._sessions.of("x", 0) as session:
        begun = session.start_transaction()
        if inspect.isawaitable(begun):
            await begun  # PyMongo's
        await driver()["bzz_listeners"].update_one({"_id": "x/0"}, {"$inc": {"letters": 1}}, session=session)
        claim = await MongoDeliveries(driver()).claim("x", 0, "other", 60)  # in another process
        assert claim is not None
        with pytest.raises(Exception, match="aborted"):
            await session.commit_transaction()


async def test_letters_come_in_the_order_of_their_changes(deliveries: Deliveries) -> None:
    await deliveries.enroll("x", PARTITIONS, Progress(Position(1, 1)))
    claim = await claimed(deliveries)
    first, *others = [a_letter("a", number, "waiting" if number == 1 else "queued") for number in range(1, 12)]
    await deliveries.put(claim, [first, *reversed(others)])
    order: list[Letter] = []
    while due := await deliveries.due([claim], (), 10):
        order += due
        await deliveries.remove(claim, due[0])
    assert [each.commit.position.increment for each in order] == list(range(1, 12))


async def test_the_last_letter_of_each_document_is_known(deliveries: Deliveries) -> None:
    await deliveries.enroll("x", PARTITIONS, Progress(Position(1, 1)))
    claim = await claimed(deliveries)
    await deliveries.put(claim, [a_letter("a", 9), a_letter("a", 10), a_letter("b", 3)])
    assert await deliveries.keys(claim) == {"a": Position(5, 10, 1), "b": Position(5, 3, 1)}
