"""Documents that are there before a listener begins are told, each as created, and then what happens to them."""

from __future__ import annotations

import asyncio
import random
import re
import uuid
from typing import Any

import mongoengine as me
import pytest
from bson import Decimal128, ObjectId

import bzz
from bzz.delivery import session
from bzz.delivery.partitions import document_key, partition_of
from bzz.events import Created, Deleted
from bzz.providers.deliveries import Deliveries
from bzz.providers.mongoengine.changes.deliveries import MongoDeliveries
from tests.conftest import Driver
from tests.delivery.conftest import Seen, eventually, make_owner


class Brick(me.Document):
    id = me.DynamicField(primary_key=True)
    step = me.IntField()


class Tile(me.Document):
    id = me.UUIDField(primary_key=True, default=uuid.uuid4)


@pytest.fixture
def deliveries(driver: Driver) -> Deliveries:
    return MongoDeliveries(driver())


async def test_documents_with_uuids_are_told(seen: Seen, database_name: str) -> None:
    keys = {Tile().save().pk for _ in range(250)}
    bzz.durable("Tile.created", name="x", start="beginning")(seen)
    async with bzz.deliver():
        await seen.times(250)
    assert {each.instance.pk for each in seen} == keys


async def test_documents_that_are_read_again_have_new_ids(
    seen: Seen, database_name: str, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bzz.providers.mongoengine.changes.ticks.TICK_SECONDS", 0.0)  # nothing else writes
    Tile().save()
    bzz.durable("Tile.created", name="x", start="beginning")(seen)
    for times in (1, 2):
        async with bzz.deliver():
            await seen.times(times)
        assert await deliveries.resync("x")
    assert seen[0].instance == seen[1].instance
    assert seen[0].id != seen[1].id


async def test_after_a_stop_among_documents_that_were_there_none_comes_again_and_deletions_are_told(
    database_name: str,
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    told: list[tuple[str, int]] = []

    @bzz.durable(re.compile(r"Brick\.(created|deleted)"), name="x", start="beginning")
    async def note(event: Any) -> None:
        if event.instance.pk == 3:
            begun.set()
            await may_end.wait()
        told.append((type(event).__name__, event.instance.pk))

    for number in (1, 2, 3):
        Brick(id=number).save()
    async with bzz.deliver():
        await begun.wait()
        await eventually(lambda: len(told) == 2)
        asyncio.get_running_loop().call_later(0.2, may_end.set)
    Brick.objects(pk=1).delete()
    async with bzz.deliver():
        await eventually(lambda: len(told) >= 4)
    assert sorted(told) == [("Created", 1), ("Created", 2), ("Created", 3), ("Deleted", 1)]


async def test_the_deletion_of_a_document_that_was_told_before_a_crash_is_told(
    database_name: str, deliveries: Deliveries, quick_beats: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bzz.providers.mongoengine.changes.ticks.TICK_SECONDS", 0.0)  # nothing else writes
    may_end = asyncio.Event()
    told: list[tuple[str, int]] = []

    @bzz.durable(re.compile(r"Brick\.(created|deleted)"), name="x", start="beginning")
    async def note(event: Any) -> None:
        if event.instance.pk == 2:
            await may_end.wait()
        told.append((type(event).__name__, event.instance.pk))

    for number in (1, 2):
        Brick(id=number).save()
    one, other = make_owner(), make_owner()
    one.start()
    await eventually(lambda: told == [("Created", 1)])
    partition = partition_of(document_key("brick", 1))

    async def is_stored() -> bool:
        (state,) = await deliveries.states()
        return state.partitions[partition].progress.position.seconds > 0

    await eventually(is_stored)
    await one.stop(0)  # as after a crash, nothing more is stored
    Brick.objects(pk=1).delete()
    may_end.set()
    other.start()
    await eventually(lambda: ("Deleted", 1) in told and ("Created", 2) in told)
    await other.stop(1)


async def test_what_is_deleted_before_a_resync_is_told_whether_it_was_told_or_has_a_letter(
    database_name: str, deliveries: Deliveries
) -> None:
    told: list[tuple[str, int]] = []
    is_well = False

    @bzz.durable("Brick.*", name="x", schedule=(0.01,))
    async def note(event: Any) -> None:
        if event.instance.pk == 2 and not is_well:
            raise OSError("not now")
        told.append((type(event).__name__, event.instance.pk))

    async with bzz.deliver():
        for number in (1, 2, 3):
            Brick(id=number).save()
        await eventually(lambda: len(told) == 2)
    Brick.objects(pk__in=(1, 2)).delete()
    is_well = True
    assert await deliveries.resync("x")
    told.clear()
    async with bzz.deliver():
        await eventually(lambda: len(told) >= 4)
    assert sorted(told) == [("Created", 2), ("Created", 3), ("Deleted", 1), ("Deleted", 2)]
    assert told.index(("Created", 2)) < told.index(("Deleted", 2))


async def test_documents_are_read_anew_where_the_stream_takes_long_to_reach_them(
    database_name: str, driver: Driver, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SNAPSHOT_SECONDS", 0.3)
    monkeypatch.setattr(session, "WINDOW", 1)  # the stream waits for each call
    told: list[tuple[str, int]] = []
    steps = step_after_deletion = step_told = 0

    @bzz.durable("Brick.*", name="x")
    async def note(event: Any) -> None:
        nonlocal step_after_deletion, step_told
        if not isinstance(event, Created | Deleted):
            return
        if isinstance(event, Deleted):
            await asyncio.sleep(0.2)
            step_after_deletion = step_after_deletion or steps
        else:
            step_told = event.instance.step
        told.append((type(event).__name__, event.instance.pk))

    async with bzz.deliver():
        for number in (1, 2, 3, 4):
            Brick(id=number, step=0).save()
        await eventually(lambda: len(told) == 4)
    Brick.objects(pk__in=(1, 2, 3)).delete()
    assert await deliveries.resync("x")
    told.clear()
    async with bzz.deliver():
        while len(told) < 4:  # the stream is told something all the time
            await driver()["brick"].update_one({"_id": 4}, {"$inc": {"step": 1}})
            steps += 1
    assert told == [("Deleted", 1), ("Deleted", 2), ("Deleted", 3), ("Created", 4)]
    assert step_told >= step_after_deletion > 0


async def test_many_collections_are_told_one_after_the_other_while_nothing_else_happens(
    database_name: str, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bzz.providers.mongoengine.changes.ticks.TICK_SECONDS", 3.0)  # one is enough for all of them
    told: list[int] = []
    models: list[Any] = [
        type(f"Heap{number}", (me.Document,), {"step": me.IntField(), "__module__": __name__}) for number in range(12)
    ]

    @bzz.durable("Heap*.created", name="x", start="beginning")
    async def note(event: Any) -> None:
        told.append(event.instance.step)

    for number, model in enumerate(models):
        model(step=number).save()
    async with bzz.deliver():
        await eventually(lambda: len(told) == 12)
    assert await deliveries.resync("x")
    async with bzz.deliver():
        await eventually(lambda: len(told) == 24, 20)
    assert sorted(told) == sorted([*range(12), *range(12)])


KINDS: list[Any] = [
    *(3, 4.5, Decimal128("4.7"), "a", "b", {"a": 1}, {"a": "1"}, b"xy", b"abc", uuid.UUID(int=1)),
    *(uuid.UUID(int=2), ObjectId(), ObjectId(), False, True),
]


async def test_documents_are_told_whatever_their_keys_are(
    seen: Seen, database_name: str, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "TELLING_SECONDS", 0)  # after each piece of them it is the stream's turn
    monkeypatch.setattr("bzz.providers.mongoengine.changes.snapshot.BATCH_DOCUMENTS", 1)
    monkeypatch.setattr("bzz.providers.mongoengine.changes.ticks.TICK_SECONDS", 0.0)
    await driver()["brick"].insert_many([{"_id": each, "step": 0} for each in KINDS])
    bzz.durable("Brick.created", name="x", start="beginning")(seen)
    async with bzz.deliver():
        await seen.times(len(KINDS))
    assert len({repr(each.instance.pk) for each in seen}) == len(KINDS)


async def test_a_listener_that_is_resynced_is_told_of_every_document_while_they_change(
    database_name: str, driver: Driver, deliveries: Deliveries, quick_beats: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "TELLING_SECONDS", 0)
    monkeypatch.setattr("bzz.providers.mongoengine.changes.snapshot.BATCH_DOCUMENTS", 10)
    known: dict[int, int] = {}

    @bzz.durable("Brick.*", name="x")
    async def index(event: Any) -> None:
        await asyncio.sleep(0)
        if isinstance(event, Deleted):
            known.pop(event.instance.pk, None)
        else:
            known[event.instance.pk] = event.instance.step

    bricks = driver()["brick"]
    await bricks.insert_many([{"_id": each, "step": 0} for each in range(100)])
    async with bzz.deliver():
        await eventually(lambda: is_there(deliveries))
        writing = asyncio.create_task(write(bricks))
        await eventually(lambda: len(known) > 10)
        known.clear()
        assert await deliveries.resync("x")
        await writing
        stored = {each["_id"]: each["step"] for each in await bricks.find().to_list(None)}
        await eventually(lambda: known == stored)


async def is_there(deliveries: Deliveries) -> bool:
    states = await deliveries.states()
    return bool(states) and all(each.holder for each in states[0].partitions)


async def write(bricks: Any) -> None:
    """Change, delete and create documents at random."""
    choice = random.Random(0)
    for step in range(1, 500):
        key = choice.randrange(150)
        if choice.random() < 0.1:
            await bricks.delete_one({"_id": key})
        else:
            await bricks.replace_one({"_id": key}, {"step": step}, upsert=True)
