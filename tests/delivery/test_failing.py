"""What fails is tried again, in order; what fails too often is a dead letter; nothing else waits for it."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import mongoengine as me
import pytest
from bson import Binary
from bson.datetime_ms import DatetimeMS

import bzz
from bzz.delivery import lanes, session
from bzz.delivery.listener import RetryLater, SwitchOff
from bzz.delivery.session import Session
from bzz.errors import Unavailable
from bzz.providers.deliveries import Deliveries, Letter, LetterState
from bzz.providers.mongoengine.changes.deliveries import MongoDeliveries
from tests.conftest import Driver
from tests.delivery.conftest import Seen, eventually, listening


class Consignment(me.Document):
    address = me.StringField()
    steps = me.IntField(default=0)


@pytest.fixture
def deliveries(driver: Driver) -> Deliveries:
    return MongoDeliveries(driver())


WAITING: tuple[LetterState, ...] = ("waiting",)


class Failing(Seen):
    """A listener that fails for some documents, until it is mended."""

    def __init__(self, *addresses: str, error: Exception | None = None) -> None:
        super().__init__()
        self.addresses = set(addresses)
        self.steps_that_fail: set[int] = set()
        self.error = error or ValueError("no such street")

    async def __call__(self, event: Any) -> None:
        await super().__call__(event)
        if event.instance.address in self.addresses or event.instance.steps in self.steps_that_fail:
            raise self.error

    @property
    def steps(self) -> list[tuple[str, int, int]]:
        return [(each.instance.address, each.instance.steps, each.attempt) for each in self]


def deliver(listener: Any, **options: Any) -> None:
    options = {"start": "beginning", "schedule": (0.05,), **options}
    bzz.durable("Consignment.*", name="x", **options)(listener)


def walk(address: str, steps: int) -> Consignment:
    """A parcel that is stored, and then changed so many times."""
    parcel = Consignment(address=address)
    parcel.save()
    for number in range(1, steps + 1):
        Consignment.objects(pk=parcel.pk).update(set__steps=number)
    return parcel


async def test_a_change_that_fails_is_tried_again_until_it_succeeds(database_name: str) -> None:
    listener = Failing("a")
    deliver(listener)
    walk("a", 0)
    async with bzz.deliver():
        await eventually(lambda: len(listener) >= 3)
        listener.addresses.clear()
        tried = (await eventually(lambda: listener.steps))[-1][2]
        await asyncio.sleep(0.3)
    assert [each[2] for each in listener.steps] == list(range(1, len(listener) + 1))
    assert len(listener) <= tried + 1


async def test_a_stop_does_not_wait_for_a_database_that_is_away(
    database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*given: Any) -> None:
        raise Unavailable()

    monkeypatch.setattr(MongoDeliveries, "note_failing", refuse)
    listener = Failing("a")
    deliver(listener)
    walk("a", 0)
    async with asyncio.timeout(20), bzz.deliver():
        await eventually(lambda: listener)


async def test_later_changes_of_the_document_wait_for_it(database_name: str, deliveries: Deliveries) -> None:
    listener = Failing("a")
    bzz.durable("Consignment.*", name="x", schedule=(0.05,))(listener)
    async with bzz.deliver():
        await listening()
        walk("a", 3)
        await eventually(lambda: len(listener) >= 3)
        assert {each[1] for each in listener.steps} == {0}
        listener.addresses.clear()
        await eventually(lambda: any(each[1] == 3 for each in listener.steps))
    handled = list(dict.fromkeys(each[1] for each in listener.steps))
    assert handled == [0, 1, 2, 3]


async def test_other_documents_go_on(database_name: str, deliveries: Deliveries) -> None:
    listener = Failing("a")
    deliver(listener, schedule=(1000,), start="now")
    async with bzz.deliver():
        await listening()
        walk("a", 0)
        await eventually(lambda: len(listener) == 1)
        for _ in range(200):
            Consignment(address="b").save()
        await eventually(lambda: len(listener) == 201)


async def test_a_change_that_fails_too_often_is_a_dead_letter(database_name: str, deliveries: Deliveries) -> None:
    listener = Failing("a")
    deliver(listener, max_attempts=3)
    walk("a", 0)
    async with bzz.deliver():
        (letter,) = await letters(deliveries, 1)
    assert len(listener) == 3
    assert (letter.state, letter.attempts, letter.error) == ("dead", 3, "ValueError: no such street")
    assert "raise self.error\nValueError: no such street" in letter.trace
    assert letter.commit.after["address"] == "a"


async def letters(deliveries: Deliveries, number: int) -> list[Letter]:
    """Wait until there are so many dead letters."""

    async def are_there() -> list[Letter]:
        found = await deliveries.letters()
        return found if len(found) >= number else []

    found: list[Letter] = await eventually(are_there)
    return found


async def test_what_is_dead_can_be_tried_again(database_name: str, deliveries: Deliveries) -> None:
    listener = Failing("a")
    deliver(listener, max_attempts=1, start="now")
    async with bzz.deliver():
        await listening()
        walk("a", 2)
        (letter,) = await letters(deliveries, 1)
        listener.addresses.clear()
        assert await deliveries.mark("waiting", "x", [letter.id]) == 1
        await eventually(lambda: len([each for each in listener.steps if each[1] == 2]) == 2)  # and of its field
    assert list(dict.fromkeys(each[1] for each in listener.steps)) == [0, 1, 2]
    assert await deliveries.letters(states=("dead", "waiting", "queued", "skipped")) == []


async def test_what_waits_to_be_tried_again_can_be_tried_at_once(database_name: str, deliveries: Deliveries) -> None:
    listener = Failing("a")
    deliver(listener, schedule=(3600,))
    async with bzz.deliver():
        await listening()
        walk("a", 0)
        await eventually(lambda: has_letters(deliveries, 1))
        listener.addresses.clear()
        assert await deliveries.mark("skipped", "x") == 0
        assert await deliveries.mark("waiting", "x") == 1
        await eventually(lambda: has_letters(deliveries, 0))
    assert len(listener) == 2


async def test_what_is_dead_can_be_skipped(database_name: str, deliveries: Deliveries) -> None:
    listener = Failing("a")
    deliver(listener, max_attempts=1, start="now")
    async with bzz.deliver():
        await listening()
        walk("a", 1)
        (letter,) = await letters(deliveries, 1)
        listener.addresses.clear()
        assert await deliveries.mark("skipped", "x", [letter.id]) == 1
        await eventually(lambda: len(listener) == 3)
    assert [each[1] for each in listener.steps] == [0, 1, 1]


async def test_a_call_that_takes_too_long_has_failed(database_name: str, deliveries: Deliveries) -> None:
    @bzz.durable("Consignment.*", name="x", start="beginning", timeout=0.05, max_attempts=1)
    async def hang(event: Any) -> None:
        await asyncio.Event().wait()

    walk("a", 0)
    async with bzz.deliver():
        (letter,) = await letters(deliveries, 1)
    assert letter.error == "it took longer than 0.05 seconds"


async def test_a_plain_function_that_returns_too_late_has_failed(database_name: str, deliveries: Deliveries) -> None:
    @bzz.durable("Consignment.*", name="x", start="beginning", timeout=0.05, max_attempts=1)
    def dawdle(event: Any) -> None:
        time.sleep(0.1)

    walk("a", 0)
    async with bzz.deliver():
        (letter,) = await letters(deliveries, 1)
    assert letter.error == "it took longer than 0.05 seconds"


class Mute(Exception):
    """Fails where it is to say something."""

    def __str__(self) -> str:
        raise AttributeError("no message")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("cannot read caf\udce9.pdf"), "RuntimeError: cannot read caf\\udce9.pdf"),
        (RuntimeError("x" * 17_000_000), f"RuntimeError: {'x' * 2000}"),
        (Mute(), "Mute: (what it says cannot be read)"),
        (SwitchOff("y" * 17_000_000), "y" * 2000),
    ],
    ids=["surrogate", "long", "mute", "switched-off"],
)
async def test_whatever_an_exception_says_keeps_no_other_document_waiting(
    database_name: str, deliveries: Deliveries, error: Exception, said: str
) -> None:
    listener = Failing("a", error=error)
    deliver(listener, max_attempts=1)
    walk("a", 0)
    async with bzz.deliver():
        found = await eventually(lambda: deliveries.letters(states=("waiting", "dead")))
    assert found[0].error == said


def test_a_listener_that_asks_for_a_time_that_is_no_number_of_seconds_is_told_so() -> None:
    with pytest.raises(TypeError, match="RetryLater takes a number of seconds, and not timedelta"):
        RetryLater(timedelta(seconds=1), "later")  # type: ignore[arg-type]


async def test_a_listener_may_say_when_to_try_again(database_name: str, deliveries: Deliveries) -> None:
    deliver(Failing("a", error=RetryLater(5000, "come back later")))
    walk("a", 0)
    async with bzz.deliver():
        found = await eventually(lambda: deliveries.letters(states=WAITING))
    assert found[0].error == "come back later"
    assert (found[0].due - found[0].commit.at).total_seconds() > 4900


async def test_a_listener_may_switch_itself_off_and_people_on_again(
    database_name: str, deliveries: Deliveries, quick_beats: None
) -> None:
    listener = Failing("a", error=SwitchOff("the receiver is gone"))
    deliver(listener)
    walk("a", 0)
    async with bzz.deliver():
        await eventually(lambda: is_in_trouble(deliveries))
        await eventually(lambda: has_letters(deliveries, 1))
        (state,) = await deliveries.states()
        assert (state.trouble, state.reason) == ("off", "the receiver is gone")
        walk("b", 0)
        await asyncio.sleep(0.7)
        assert len(listener) == 1
        listener.addresses.clear()
        assert await deliveries.resume("x")
        await eventually(lambda: {each[0] for each in listener.steps[1:]} == {"a", "b"})


async def test_of_the_calls_that_wait_none_begins_once_a_listener_has_switched_itself_off(
    database_name: str, deliveries: Deliveries
) -> None:
    begun: list[str] = []

    async def listener(event: Any) -> None:
        begun.append(event.instance.address)
        await asyncio.sleep(0.01)
        raise SwitchOff("no more")

    Consignment.objects.insert([Consignment(address=str(number)) for number in range(40)])
    deliver(listener, concurrency=1)
    async with bzz.deliver():
        await eventually(lambda: is_in_trouble(deliveries))
    assert len(begun) == 1


async def test_since_when_a_listener_fails_is_told_by_all_its_processes_together(
    database_name: str, deliveries: Deliveries, quick_beats: None
) -> None:
    listener = Failing("bad")
    deliver(listener, start="beginning", schedule=(0.05,) * 1000, max_attempts=1000)
    walk("bad", 0)
    async with bzz.deliver():
        await eventually(lambda: any(each.failing_since for each in listener))
        await deliveries.note_failing("x", False)  # as another process does it, that has handled something
        await eventually(lambda: listener[-1].failing_since is None)


async def is_in_trouble(deliveries: Deliveries) -> bool:
    return any(each.trouble for each in await deliveries.states())


async def is_failing(deliveries: Deliveries) -> bool:
    return any(each.failing_since for each in await deliveries.states())


async def is_well(deliveries: Deliveries) -> bool:
    return not await is_failing(deliveries)


async def test_a_slow_call_keeps_nothing_else_waiting(
    database_name: str, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "SLOW_SECONDS", 0.05)
    go = asyncio.Event()
    handled: list[tuple[str, int]] = []

    @bzz.durable("Consignment.*", name="x", timeout=60)
    async def handle(event: Any) -> None:
        if event.instance.address == "slow" and event.instance.steps == 0:
            await go.wait()
        handled.append((event.instance.address, event.instance.steps))

    async with bzz.deliver():
        await listening()
        walk("slow", 2)
        for _ in range(300):
            Consignment(address="quick").save()
        await eventually(lambda: handled.count(("quick", 0)) == 300)
        assert not [each for each in handled if each[0] == "slow"]
        go.set()
        await eventually(lambda: len(handled) == 305)
    assert list(dict.fromkeys(each for each in handled if each[0] == "slow")) == [("slow", 0), ("slow", 1), ("slow", 2)]
    assert await deliveries.letters(states=("dead", "waiting", "queued")) == []


async def test_a_change_whose_sides_were_not_kept_is_a_dead_letter(
    seen: Seen, database_name: str, deliveries: Deliveries, driver: Driver
) -> None:
    deliver(seen, start="now")
    async with bzz.deliver():
        await listening()
        await driver().command({"collMod": "consignment", "changeStreamPreAndPostImages": {"enabled": False}})
        walk("a", 1)
        (letter,) = await letters(deliveries, 1)
    assert letter.attempts == 1
    assert letter.error == "MongoDB did not keep what the document was before this change, or is after it"


async def test_a_receiver_knows_since_when_it_has_failed(database_name: str, deliveries: Deliveries) -> None:
    listener = Failing("a")
    deliver(listener)
    walk("a", 0)
    async with bzz.deliver():
        await eventually(lambda: len(listener) >= 2)
        assert listener[0].failing_since is None
        assert listener[1].failing_since is not None
        await eventually(lambda: is_failing(deliveries))
        listener.addresses.clear()
        await eventually(lambda: is_well(deliveries))


async def test_a_document_that_makes_no_sense_keeps_no_other_waiting(
    seen: Seen, database_name: str, deliveries: Deliveries, driver: Driver
) -> None:
    deliver(seen, start="now", max_attempts=1)
    async with bzz.deliver():
        await listening()
        await driver()["consignment"].insert_one({"address": {"$no": 1}, "steps": "many"})
        walk("b", 0)
        await eventually(lambda: any(each.instance.address == "b" for each in seen))


async def test_what_comes_again_before_a_letter_is_not_put_behind_it(
    database_name: str, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Failing()
    listener.steps_that_fail = {2}
    deliver(listener, max_attempts=1, start="now")
    with monkeypatch.context() as crash:
        crash.setattr(Session, "_save", nothing)
        async with bzz.deliver():
            await listening()
            walk("a", 3)
            (letter,) = await letters(deliveries, 1)
            await eventually(lambda: has_letters(deliveries, 2))
    listener.clear()
    listener.steps_that_fail = set()
    await deliveries.mark("waiting", "x", [letter.id])
    async with bzz.deliver():
        await eventually(lambda: has_letters(deliveries, 0))
    assert list(dict.fromkeys(each[1] for each in listener.steps)) == [2, 3]


async def nothing(session: Session) -> None:
    """Save no progress, as a process does that is killed before it can."""


async def has_letters(deliveries: Deliveries, number: int) -> bool:
    return len(await deliveries.letters(states=("dead", "waiting", "queued"))) == number


async def test_a_session_that_ends_in_the_middle_of_a_call_leaves_nothing_behind(
    database_name: str, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "SLOW_SECONDS", 0.2)
    begun = asyncio.Event()
    wrong: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: wrong.append(context))

    @bzz.durable("Consignment.*", name="x", start="beginning")
    async def hang(event: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    walk("a", 0)
    monkeypatch.setattr("bzz.delivery.running.GRACE_SECONDS", 0)
    async with bzz.deliver():
        await begun.wait()
    await asyncio.sleep(0.3)
    assert wrong == []


@pytest.mark.parametrize(
    "odd",
    [
        {"steps": "many"},
        {"steps": {"a": 1}},
        {"address": 5, "_cls": "Nobody"},
        {"address": DatetimeMS(2**50)},
        {"other": DatetimeMS(-(2**60))},
        {"address": Binary(b"x", 4)},
    ],
    ids=str,
)
async def test_a_document_that_is_odd_keeps_nothing_else_waiting(
    odd: dict[str, Any], database_name: str, deliveries: Deliveries, driver: Driver
) -> None:
    listener = Failing(error=ValueError("seeded"))
    deliver(listener, max_attempts=1, start="now")
    async with bzz.deliver():
        await listening()
        await driver()["parcel"].insert_one({"_id": 1, "steps": 0, **odd})
        await driver()["parcel"].update_one({"_id": 1}, {"$set": {"steps": 1}})
        await driver()["parcel"].delete_one({"_id": 1})
        walk("a", 0)
        await eventually(lambda: any(getattr(each.instance, "address", None) == "a" for each in listener))
        for each in await deliveries.letters(states=("dead", "queued")):
            assert each.commit.key == 1
            await deliveries.mark("skipped", "x", [each.id])
        await eventually(lambda: is_empty_or_dead(deliveries))


async def is_empty_or_dead(deliveries: Deliveries) -> bool:
    for each in await deliveries.letters():
        await deliveries.mark("skipped", "x", [each.id])
    return await has_letters(deliveries, 0)


async def test_what_was_handled_before_a_stop_does_not_come_again_after_it(
    database_name: str, deliveries: Deliveries, quick_beats: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SAVE_SECONDS", 1000)  # progress is stored at the end only
    listener = Failing()
    deliver(listener, start="now")
    async with bzz.deliver():
        await listening()
        walk("a", 0)
        await eventually(lambda: len(listener) == 1)
        await deliveries.halt("x", "off", "a holiday")
        place = (await deliveries.states())[0].partitions

        async def has_moved() -> bool:
            return (await deliveries.states())[0].partitions != place

        await eventually(has_moved)
        assert await deliveries.resume("x")
        walk("b", 0)
        await eventually(lambda: any(each[0] == "b" for each in listener.steps))
    assert [each[0] for each in listener.steps] == ["a", "b"]
