"""What becomes of an event on its way: changed, refused, failed, caused, silenced, watched."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tornado.web import HTTPError

import bzz
from bzz.errors import ConfigurationError, EventCycle, Forbidden
from bzz.events import Created, Creating, FieldUpdated
from bzz.events.bus import Bus
from tests.events.conftest import Calls


class BeforeMessage(bzz.Event):
    message: str


class User: ...


async def test_the_sender_gets_the_event_as_listeners_left_it(own_bus: Bus) -> None:
    @own_bus.on(BeforeMessage)
    def sign(event: BeforeMessage) -> None:
        event.message += " (signed)"

    event = await own_bus.emit(BeforeMessage(message="Hello"))
    assert event.message == "Hello (signed)"


async def test_a_bare_name_carries_a_payload(own_bus: Bus) -> None:
    @own_bus.on("report.ready")
    async def move(event: Any) -> None:
        event.path = event.path.replace("tmp", "home")

    event = await own_bus.emit("report.ready", path="/tmp/june.pdf", name="June")
    assert (event.path, event.payload["name"], event.name) == ("/home/june.pdf", "June", "report.ready")


async def test_a_payload_for_an_event_that_is_made_already_is_refused(own_bus: Bus) -> None:
    with pytest.raises(TypeError, match="is an event already: give message when it is made"):
        await own_bus.emit(BeforeMessage(message="a"), message="b")  # type: ignore[call-overload]  # what mypy says


async def test_one_listener_that_fails_is_logged_and_the_others_run(
    own_bus: Bus, calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    @own_bus.on("a")
    def broken(event: Any) -> None:
        raise ValueError("no ink")

    own_bus.on("a")(calls.listener("next"))
    await own_bus.emit("a")
    assert calls.made == ["next"]
    assert "listener failed: a -> " in caplog.text
    assert "broken" in caplog.text
    assert "ValueError: no ink" in caplog.text


@pytest.mark.parametrize("error", [Forbidden("not today"), HTTPError(403)])
async def test_what_is_about_to_happen_can_be_refused(own_bus: Bus, calls: Calls, error: Exception) -> None:
    @own_bus.on("User.creating")
    def refuse(event: Any) -> None:
        raise error

    own_bus.on("User.creating")(calls.listener("next"))
    with pytest.raises(type(error)) as raised:
        await own_bus.emit(Creating(model=User))
    assert raised.value is error
    assert calls.made == []


async def test_what_has_happened_cannot_be_refused(own_bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    @own_bus.on("User.created")
    def refuse(event: Any) -> None:
        raise Forbidden("too late")

    await own_bus.emit(Created(model=User, instance=User()))
    assert "too late" in caplog.text


async def test_an_event_knows_the_event_whose_listener_sent_it(own_bus: Bus) -> None:
    seen: list[Any] = []

    @own_bus.on("a")
    async def answer(event: Any) -> None:
        seen.append(await own_bus.emit("b"))

    first = await own_bus.emit("a")
    (second,) = seen
    assert (second.cause, second.depth) == (first, 1)
    assert (first.cause, first.depth) == (None, 0)
    assert (await own_bus.emit("c")).cause is None


async def test_a_request_id_goes_down_to_what_is_caused(own_bus: Bus) -> None:
    seen: list[Any] = []

    @own_bus.on("a")
    async def answer(event: Any) -> None:
        seen.append(await own_bus.emit("b"))

    event = bzz.events.AdHocEvent("a")
    event.request_id = "abc"
    await own_bus.emit(event)
    assert seen[0].request_id == "abc"


async def test_listeners_that_cause_one_another_without_end_are_stopped_and_shown(own_bus: Bus) -> None:
    sent: list[str] = []

    @own_bus.on("ping")
    async def ping(event: Any) -> None:
        sent.append(event.name)
        await own_bus.emit("pong")

    @own_bus.on("pong")
    async def pong(event: Any) -> None:
        sent.append(event.name)
        await own_bus.emit("ping")

    with pytest.raises(
        EventCycle, match="ping -> pong -> ping -> pong -> ping -> pong -> ping -> pong -> ping -> pong"
    ):
        await own_bus.emit("ping")
    assert len(sent) == 9


async def test_a_cycle_of_one_listener_keeps_no_other_from_a_fact(own_bus: Bus) -> None:
    told: list[str] = []

    @own_bus.on("a")
    async def again(event: Any) -> None:
        await own_bus.emit(event)

    @own_bus.on("a")
    async def audit(event: Any) -> None:
        told.append(event.name)

    with pytest.raises(EventCycle):
        await own_bus.emit("a")
    assert len(told) == own_bus.max_depth + 1


async def test_an_event_that_its_own_listener_sends_again_is_stopped(own_bus: Bus) -> None:
    @own_bus.on("a")
    async def again(event: Any) -> None:
        await own_bus.emit(event)

    with pytest.raises(EventCycle) as raised:
        await own_bus.emit("a")
    assert set(raised.value.chain) == {"a"}


async def test_a_chain_of_eight_causes_is_allowed(own_bus: Bus, calls: Calls) -> None:
    for number in range(8):

        @own_bus.on(f"step{number}")
        async def go_on(event: Any, following: int = number + 1) -> None:
            await own_bus.emit(f"step{following}")

    own_bus.on("step8")(calls.listener("arrived"))
    await own_bus.emit("step0")
    assert calls.made == ["arrived"]


async def test_concurrent_chains_have_causes_of_their_own(own_bus: Bus) -> None:
    found: dict[Any, Any] = {}

    @own_bus.on("a")
    async def answer(event: Any) -> None:
        await asyncio.sleep(0)
        inner: Any = await own_bus.emit("b", number=event.number)
        found[inner.number] = inner.cause.number

    await asyncio.gather(*(own_bus.emit("a", number=number) for number in range(20)))
    assert found == {number: number for number in range(20)}


async def test_nothing_is_sent_in_silence_and_the_log_says_so(calls: Calls, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bzz.events")
    bzz.on("a")(calls.listener("heard"))
    with bzz.silent():
        with bzz.silent():
            await bzz.emit("a")
        await bzz.emit("a")
        await asyncio.create_task(bzz.emit("a"))
    assert calls.made == []
    assert "silent: 2 events were not sent: a x2" in caplog.text
    await bzz.emit("a")
    assert calls.made == ["heard"]


async def test_silence_is_of_one_task_only(calls: Calls) -> None:
    bzz.on("a")(calls.listener("heard"))
    quiet = asyncio.Event()

    async def other() -> None:
        await quiet.wait()
        await bzz.emit("a")

    task = asyncio.create_task(other())
    with bzz.silent():
        quiet.set()
        await task
    assert calls.made == ["heard"]


async def test_every_emission_is_logged_at_debug(own_bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bzz.events")
    own_bus.on("a")(lambda event: None)
    event = await own_bus.emit("a")
    assert f"a (id {event.id}, request None, cause None) went to 1 listeners in " in caplog.text


async def test_a_hook_sees_every_event_and_every_listener(own_bus: Bus) -> None:
    seen: list[str] = []

    @own_bus.watch
    @contextmanager
    def hook(event: bzz.Event, listener: str | None) -> Iterator[None]:
        seen.append(f"{event.name} {listener and listener.rpartition('.')[2]} begins")
        try:
            yield
        except ValueError:
            seen.append("failed")
            raise
        seen.append("ends")

    @own_bus.on("a")
    async def broken(event: Any) -> None:
        raise ValueError

    await own_bus.emit("a")
    own_bus.unwatch(hook)
    await own_bus.emit("a")
    assert seen == ["a None begins", "a broken begins", "failed", "ends"]


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        (("draft", "published"), True),
        (("draft", "deleted"), False),
        ((..., "published"), True),
        (("draft", ...), True),
        ((..., ...), True),
        (({"draft", "review"}, {"published"}), True),
        (({"review"}, ...), False),
        ((lambda old: old.startswith("d"), ...), True),
        ((..., str.isupper), False),
        ((None, ...), False),
    ],
)
async def test_a_transition_can_be_chosen(own_bus: Bus, calls: Calls, when: Any, fits: bool) -> None:
    own_bus.on("Post.updated.status", when=when)(calls.listener("x"))

    class Post: ...

    await own_bus.emit(FieldUpdated(model=Post, instance=Post(), field="status", old="draft", new="published"))
    assert bool(calls.made) is fits


async def test_a_set_of_values_takes_values_without_a_hash(own_bus: Bus, calls: Calls) -> None:
    own_bus.on("a", when=({"x"}, ...))(calls.listener("x"))
    await own_bus.emit("a", old=["x"], new=1)
    assert calls.made == []


async def test_one_function_may_listen_for_several_transitions(own_bus: Bus, calls: Calls) -> None:
    listener = calls.listener("x")
    own_bus.on("a", when=(1, 2))(listener)
    own_bus.on("a", when=(2, 1))(listener)
    for old, new in ((1, 2), (2, 1), (2, 2)):
        await own_bus.emit("a", old=old, new=new)
    assert calls.made == ["x", "x"]


async def test_events_without_a_transition_are_not_meant_by_when(own_bus: Bus, calls: Calls) -> None:
    own_bus.on("*", when=(..., ...))(calls.listener("x"))
    await own_bus.emit("a")
    assert calls.made == []


@pytest.mark.parametrize(("target", "when"), [("User.created", (1, 2)), (Created, (1, 2)), ("a", 1), ("a", (1, 2, 3))])
def test_a_transition_that_can_never_happen_is_refused(own_bus: Bus, target: Any, when: Any) -> None:
    with pytest.raises(ConfigurationError, match="when="):
        own_bus.on(target, when=when)
