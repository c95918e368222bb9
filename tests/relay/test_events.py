"""Events of one process reach the listeners of the others, once, in order, and never come back."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import mongoengine as me
import pytest
from bson import ObjectId

import bzz
from bzz.events import Created, Creating, Deleted, FieldUpdated, Remote, Updated
from bzz.relay import Document
from bzz.testing import capture
from tests.relay.conftest import MakeRelay, remote, until


class Invoice(bzz.Event, name="invoice.paid"):
    number: int
    amount: Decimal
    lines: tuple[str, ...] = ()
    kind: str = "standard"  # names that relays use themselves
    marks: int = 0
    values: int = 0


class Secretive(me.Document):
    name = me.StringField()
    password = me.StringField()
    meta = {"collection": "relayed_secretive"}  # noqa: RUF012  # MongoEngine reads it as it is


class Plain:
    """A model of no ORM."""


@pytest.fixture
async def seen(relay: MakeRelay, stack: AsyncExitStack) -> list[Any]:
    """What arrives at a relay called receiver."""
    arrived: list[Any] = []
    bzz.on("*")(remote(arrived))
    await stack.enter_async_context(relay("receiver"))
    return arrived


async def test_an_event_without_a_class_arrives_with_its_origin_and_where_it_comes_from(
    relay: MakeRelay, seen: list[Any], stack: AsyncExitStack
) -> None:
    sender = relay("sender")
    sender.forward("report.*")
    await stack.enter_async_context(sender)
    sent = await bzz.emit("report.ready", path="june.pdf", cost=Decimal("1.20"), origin="shop")
    await until(lambda: seen)
    (event,) = seen
    assert (event.name, event.payload, event.origin) == (
        "report.ready", {"path": "june.pdf", "cost": Decimal("1.20")}, "shop"
    )  # fmt: skip
    assert (event.id, event.occurred_at, event.request_id) == (sent.id, sent.occurred_at, None)
    assert event.remote == Remote("sender", sender.running.process, 1)
    assert sent.remote is None


async def test_an_event_of_a_class_arrives_as_one(relay: MakeRelay, seen: list[Any], stack: AsyncExitStack) -> None:
    sender = relay("sender")
    sender.forward(Invoice)
    await stack.enter_async_context(sender)
    await bzz.emit(Invoice(number=7, amount=Decimal("9.90"), lines=("a", "b")))
    await until(lambda: seen)
    assert isinstance(seen[0], Invoice)
    assert (seen[0].number, seen[0].amount, seen[0].lines) == (7, Decimal("9.90"), ("a", "b"))
    assert (seen[0].kind, seen[0].marks) == ("standard", 0)


async def test_an_event_leaves_as_its_listeners_left_it(
    relay: MakeRelay, seen: list[Any], stack: AsyncExitStack
) -> None:
    sender = relay("sender")
    sender.forward(Invoice)
    await stack.enter_async_context(sender)

    @bzz.on(Invoice)
    async def add(event: Invoice) -> None:
        if event.remote is None:
            event.number += 1

    await bzz.emit(Invoice(number=1, amount=Decimal(1)))
    await until(lambda: seen)
    assert seen[0].number == 2


async def test_only_what_is_forwarded_leaves(relay: MakeRelay, seen: list[Any], stack: AsyncExitStack) -> None:
    sender = relay("sender")
    sender.forward("a.*", re.compile(r"b\.\d"))
    await stack.enter_async_context(sender)
    for name in ("c.1", "a.1", "b.x", "b.1", "a.2.c"):
        await bzz.emit(name)
    await until(lambda: len(seen) == 3)
    assert [event.name for event in seen] == ["a.1", "b.1", "a.2.c"]


async def test_an_event_from_elsewhere_is_not_sent_back(relay: MakeRelay, stack: AsyncExitStack) -> None:
    relays = [relay(name) for name in ("one", "two", "three")]
    for each in relays:
        each.forward("ping")
        await stack.enter_async_context(each)
    await bzz.emit("ping")  # all three are in this process, so each of them sends it once
    await until(lambda: sum(each.stats.received for each in relays) == 6)
    await asyncio.sleep(0.2)  # had it gone round, more would come
    assert [each.stats.sent for each in relays] == [1, 1, 1]


async def test_model_events_arrive_with_model_document_and_changes(
    relay: MakeRelay, seen: list[Any], stack: AsyncExitStack
) -> None:
    sender = relay("sender")
    sender.forward("Secretive.*", Updated[Plain])
    await stack.enter_async_context(sender)
    document = Secretive(id=ObjectId(), name="Ada", password="")
    diff = {"name": {"from": "Eda", "to": "Ada"}}
    await bzz.emit(Created(model=Secretive, instance=document, arguments=("secretive",)))
    await bzz.emit(Updated(model=Secretive, instance=document, diff=diff))
    await bzz.emit(FieldUpdated(model=Secretive, instance=document, field="name", old="Eda", new="Ada", diff=diff))
    await bzz.emit(Updated(model=Plain, instance=None, diff={"n": {"from": 1, "to": 2}}))
    await until(lambda: len(seen) == 4)
    created, updated, field, plain = seen
    assert isinstance(created, Created)
    assert (created.model, created.origin, created.arguments) == (Secretive, Secretive, ("secretive",))
    assert (created.instance.pk, created.instance.name, created.handler) == (document.pk, "Ada", None)
    assert isinstance(updated, Updated)
    assert updated.diff == diff
    assert (field.name, field.old, field.new) == ("Secretive.updated.name", "Eda", "Ada")
    assert (plain.model, plain.diff) == (Plain, {"n": {"from": 1, "to": 2}})


async def test_what_has_no_class_here_comes_by_its_name(
    relay: MakeRelay, seen: list[Any], stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = relay("sender")
    sender.forward("*")
    await stack.enter_async_context(sender)
    monkeypatch.setattr("bzz.relay.events.class_named", lambda name: None if "Invoice" in name else Deleted)
    monkeypatch.setattr("bzz.relay.events.model_named", lambda name: None)
    monkeypatch.setattr("bzz.providers.mongoengine.portable.model_named", lambda name: None)
    await bzz.emit(Invoice(number=7, amount=Decimal(1)))
    await bzz.emit(Deleted(model=Secretive, instance=Secretive(name="Ada")))
    await until(lambda: len(seen) == 2)
    assert (seen[0].name, seen[0].number) == ("invoice.paid", 7)
    assert (seen[1].name, seen[1].payload["model"]) == ("Secretive.deleted", "Secretive")
    assert isinstance(seen[1].instance, Document)


async def test_hidden_values_leave_only_where_they_are_named(
    relay: MakeRelay, channel: str, seen: list[Any], stack: AsyncExitStack, database_name: str
) -> None:
    bzz.ModelHive.routes_for("mongoengine", Secretive, hidden=["password"])
    sender = relay("sender")
    sender.forward("Secretive.*", "login")
    await stack.enter_async_context(sender)
    document = Secretive(id=ObjectId(), name="Ada", password="hush")
    diff = {"name": {"from": "", "to": "Ada"}, "password": {"from": "", "to": "hush"}}

    async def tell() -> None:
        await bzz.emit("login", who=[document])
        await bzz.emit(Updated(model=Secretive, instance=document, diff=diff))
        await bzz.emit(FieldUpdated(model=Secretive, instance=document, field="password", old="", new="hush"))
        await bzz.emit(FieldUpdated(model=Secretive, instance=document, field="name", old="", new="Ada", diff=diff))

    await tell()
    await until(lambda: len(seen) == 3)
    login, updated, field = seen
    assert login.who[0].password is None
    assert (updated.instance.name, updated.instance.password) == ("Ada", None)
    assert updated.diff.keys() == field.diff.keys() == {"name"}
    assert field.field == "name"
    sender.forward("Secretive.*", reveal=["Secretive.password"])
    await tell()
    await until(lambda: len(seen) == 7)
    assert seen[3].who[0].password == "hush"
    assert seen[4].diff == diff
    assert (seen[5].field, seen[5].new) == ("password", "hush")


async def test_events_before_the_deed_stay_at_home(relay: MakeRelay, seen: list[Any], stack: AsyncExitStack) -> None:
    sender = relay("sender")
    sender.forward("Plain.*")
    with pytest.raises(bzz.ConfigurationError, match="does not travel: nobody elsewhere could refuse"):
        sender.forward(Creating)
    await stack.enter_async_context(sender)
    await bzz.emit(Creating(model=Plain))
    await bzz.emit("Plain.done")
    await until(lambda: seen)
    assert [event.name for event in seen] == ["Plain.done"]


async def test_an_event_that_was_refused_does_not_leave(
    relay: MakeRelay, seen: list[Any], stack: AsyncExitStack
) -> None:
    class Order(bzz.Event):
        isolated = False

    sender = relay("sender")
    sender.forward(Order, "after")
    await stack.enter_async_context(sender)

    @bzz.on(Order)
    async def refuse(event: Order) -> None:
        raise PermissionError

    with pytest.raises(PermissionError):
        await bzz.emit(Order())
    await bzz.emit("after")
    await until(lambda: seen)
    assert [event.name for event in seen] == ["after"]


async def test_an_event_that_cannot_be_written_is_counted_and_others_know_of_it(
    relay: MakeRelay, seen: list[Any], stack: AsyncExitStack
) -> None:
    sender = relay("sender")
    sender.forward("*")
    await stack.enter_async_context(sender)
    await bzz.emit("bad", what=object())
    await bzz.emit("bad", what="\ud800")
    await bzz.emit("good")
    await until(lambda: seen)
    assert sender.stats.dropped == {"unencodable": 2}
    assert seen[0].remote.number == 3


async def test_a_circle_of_listeners_over_two_processes_is_stopped(
    relay: MakeRelay, stack: AsyncExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    ours, theirs = relay("ours"), relay("theirs")
    ours.forward("ping")
    theirs.forward("pong")

    @bzz.on("ping")
    async def ping(event: bzz.Event) -> None:
        if event.remote is not None:
            await bzz.emit("pong")

    @bzz.on("pong")
    async def pong(event: bzz.Event) -> None:
        if event.remote is not None:
            await bzz.emit("ping")

    await stack.enter_async_context(ours)
    await stack.enter_async_context(theirs)
    with capture("p?ng") as events:
        await bzz.emit("ping")
        await until(lambda: "set off a loop" in caplog.text)
    ours_first = [event for event in events if event.remote is None]
    assert [event.name for event in ours_first] == ["ping", "pong"] * 4 + ["ping"]
    assert [event.depth for event in ours_first] == list(range(9))
    causes, link = [], ours_first[-1].cause
    while link is not None:
        causes.append(link.name)
        link = link.cause
    assert causes == ["pong", "ping"] * 4
    assert "ping -> pong -> ping" in caplog.text


async def test_an_event_sent_in_a_thread_leaves_too(relay: MakeRelay, seen: list[Any], stack: AsyncExitStack) -> None:
    sender = relay("sender")
    sender.forward("from.thread")
    await stack.enter_async_context(sender)
    await asyncio.to_thread(lambda: asyncio.run(_emit()))
    await until(lambda: seen)
    assert seen[0].n == 5


async def _emit() -> None:
    await bzz.emit("from.thread", n=5)


async def test_a_slow_listener_holds_up_neither_the_sender_nor_a_question(
    relay: MakeRelay, stack: AsyncExitStack
) -> None:
    sender, receiver = relay("sender"), relay("receiver")
    sender.forward("work")
    sender.answers("how.many")(lambda question: 3)
    got: list[Any] = []

    @bzz.on("work")
    async def slow(event: bzz.Event) -> None:
        if event.remote is not None:
            got.append(await receiver.ask("how.many", timeout=10))

    await stack.enter_async_context(sender)
    await stack.enter_async_context(receiver)
    await bzz.emit("work")
    await until(lambda: got)
    assert [answer.value for answer in got[0].ok] == [3]


@pytest.mark.parametrize("failure", [ValueError("wrong"), asyncio.CancelledError()])
async def test_a_listener_that_fails_does_not_stop_the_relay(
    relay: MakeRelay, seen: list[Any], stack: AsyncExitStack, failure: BaseException
) -> None:
    sender = relay("sender")
    sender.forward("bad", "good")
    await stack.enter_async_context(sender)

    @bzz.on("bad")
    async def fail(event: bzz.Event) -> None:
        if event.remote is not None:
            raise failure

    await bzz.emit("bad")
    await bzz.emit("good")
    await until(lambda: seen and seen[-1].name == "good")


async def test_nothing_is_forwarded_after_the_end(relay: MakeRelay, seen: list[Any]) -> None:
    sender = relay("sender")
    sender.forward("tick")
    async with sender:
        await bzz.emit("tick", n=1)
    await bzz.emit("tick", n=2)
    async with sender:
        await bzz.emit("tick", n=3)
    await until(lambda: len(seen) == 2)
    assert [(event.n, event.remote.number) for event in seen] == [(1, 1), (3, 1)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": ""}, "name: '' must be a text of 1 to 64 characters"),
        ({"channel": 5}, "channel: 5 must be a text"),
        ({"queue_size": 0}, "queue_size: 0 must be a number of at least 1"),
        ({"policy": "block"}, "policy: 'block' is neither 'drop_oldest' nor 'drop_newest'"),
        ({"keys": {"k": b"short"}}, "keys: the key 'k' must have at least 16 bytes"),
        ({"keys": {"a b": b"x" * 16}}, "keys: the id 'a b' must be made of letters, digits and ._- only"),
        ({"url": "http://here"}, "this is no URL of a Redis server"),
    ],
)
def test_a_mistake_in_the_settings_is_told_when_the_relay_is_made(options: dict[str, Any], message: str) -> None:
    with pytest.raises(bzz.ConfigurationError, match=re.escape(message)):
        bzz.RedisRelay(**{"url": "redis://localhost", "name": "x", **options})
