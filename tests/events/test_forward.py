"""Other people's signals as events."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import blinker
import mongoengine
import pytest
from mongoengine import signals as mongoengine_signals

import bzz
from bzz.errors import ConfigurationError
from bzz.events import Created
from bzz.signals import Signal
from tests.events.conftest import Calls


class Login(bzz.Event):
    user: str
    sender: Any = None


async def settled() -> None:
    await bzz.drain()


async def test_a_signal_becomes_an_event_by_name() -> None:
    seen: list[Any] = []
    bzz.on("user.login")(seen.append)
    signal = blinker.Signal()
    bzz.forward(signal, "user.login")
    signal.send("app", user="ada", id=7)
    await settled()
    (event,) = seen
    assert (event.origin, event.user, event.payload) == ("app", "ada", {"user": "ada", "id": 7})


async def test_a_signal_becomes_an_event_of_a_class_which_takes_what_it_names() -> None:
    seen: list[Any] = []
    bzz.on(Login)(seen.append)
    signal = blinker.Signal()
    bzz.forward(signal, Login)
    signal.send("app", user="ada", password="secret")
    await settled()
    assert (seen[0].user, seen[0].sender) == ("ada", "app")


@pytest.mark.parametrize(("number", "names"), [(1, ["number.one"]), (2, ["Login"]), (3, [])])
async def test_a_function_chooses_the_event(number: int, names: list[str]) -> None:
    def choose(sender: Any, number: int) -> Any:
        return {1: "number.one", 2: Login(user="ada")}.get(number)

    seen: list[Any] = []
    bzz.on("*")(seen.append)
    signal = blinker.Signal()
    bzz.forward(signal, choose)
    signal.send("app", number=number)
    await settled()
    assert [event.name for event in seen] == names


async def test_one_sender_can_be_chosen(calls: Calls) -> None:
    bzz.on("a")(lambda event: calls.made.append(event.origin))
    signal = blinker.Signal()
    bzz.forward(signal, "a", sender="right")
    signal.send("wrong")
    signal.send("right")
    await settled()
    assert calls.made == ["right"]


async def test_a_forwarding_can_be_ended(calls: Calls) -> None:
    bzz.on("a")(calls.listener("x"))
    signal = blinker.Signal()
    bzz.forward(signal, "a").disconnect()
    signal.send()
    await settled()
    assert calls.made == []
    assert not signal.receivers


async def test_nothing_is_built_where_nobody_listens() -> None:
    built: list[str] = []

    class Costly(bzz.Event):
        def __init__(self) -> None:
            built.append("x")

    signal = blinker.Signal()
    bzz.forward(signal, Costly)
    signal.send()
    await settled()
    assert built == []


async def test_who_awaits_its_receivers_waits_for_the_listeners(calls: Calls) -> None:
    @bzz.on("a")
    async def slow(event: Any) -> None:
        await asyncio.sleep(0)
        calls.made.append("done")

    signal = Signal("own")
    bzz.forward(signal, "a")
    await signal.notify("app")
    assert calls.made == ["done"]


async def test_what_cannot_be_forwarded_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    bzz.on(Login)(lambda event: None)
    signal = blinker.Signal()
    bzz.forward(signal, Login)
    signal.send("app", user=7)
    await settled()
    assert "a signal from 'app' was not forwarded" in caplog.text
    assert "Login: user: int is not an instance of str" in caplog.text


async def test_a_function_that_looks_at_what_was_cancelled_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def choose(sender: Any) -> Any:
        future: asyncio.Future[Any] = asyncio.Future()
        future.cancel()
        return future.result()

    signal = blinker.Signal()
    bzz.forward(signal, choose)
    signal.send("app")
    assert "a signal from 'app' was not forwarded" in caplog.text


async def test_a_signal_from_another_thread_reaches_listeners_on_the_loop() -> None:
    ran_in: list[int] = []
    done = asyncio.Event()

    @bzz.on("a")
    async def listener(event: Any) -> None:
        ran_in.append(threading.get_ident())
        done.set()

    signal = blinker.Signal()
    bzz.forward(signal, "a")
    await bzz.emit("anything")
    await asyncio.to_thread(signal.send, "app")
    await asyncio.wait_for(done.wait(), 5)
    assert ran_in == [threading.get_ident()]


def test_an_application_without_a_loop_has_listeners_too(calls: Calls) -> None:
    @bzz.on("a")
    async def listener(event: Any) -> None:
        calls.made.append("x")

    signal = blinker.Signal()
    bzz.forward(signal, "a")
    signal.send("app")
    assert calls.made == ["x"]


def test_an_application_without_a_loop_has_background_listeners_that_finish(calls: Calls) -> None:
    @bzz.on("a", background=True)
    async def slow(event: Any) -> None:
        await asyncio.sleep(0.01)
        calls.made.append("x")

    signal = blinker.Signal()
    bzz.forward(signal, "a")
    signal.send("app")
    assert calls.made == ["x"]


def test_the_end_of_a_background_listener_that_outlives_its_loop_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    @bzz.on("a", background=True)
    async def endless(event: Any) -> None:
        await asyncio.sleep(60)

    async def end_at_once() -> None:
        await bzz.emit("a")

    asyncio.run(end_at_once())
    assert "cancelled before it was done: a -> " in caplog.text


async def test_signals_of_mongoengine_can_be_forwarded() -> None:
    class Country(mongoengine.Document):
        name = mongoengine.StringField()

    seen: list[Any] = []
    bzz.on("country.made")(seen.append)
    forwarding = bzz.forward(mongoengine_signals.post_init, "country.made", sender=Country)
    country = Country(name="Brasil")
    await settled()
    forwarding.disconnect()
    assert [(event.origin, event.document) for event in seen] == [(Country, country)]


async def test_anything_that_connects_like_a_signal_will_do(calls: Calls) -> None:
    class Homemade:
        def __init__(self) -> None:
            self.receivers: list[Callable[..., Any]] = []

        def connect(self, receiver: Any, /, *, sender: Any = None, weak: bool = True) -> None:
            self.receivers.append(receiver)

        def disconnect(self, receiver: Any, /) -> None:
            self.receivers.remove(receiver)

    bzz.on("a")(calls.listener("x"))
    signal = Homemade()
    forwarding = bzz.forward(signal, "a")
    signal.receivers[0](sender="app", signal=signal)
    forwarding.disconnect()
    await settled()
    assert (calls.made, signal.receivers) == (["x"], [])


@pytest.mark.parametrize("target", ["not a name", 3, None, int, Created])
def test_what_is_no_event_is_refused(target: Any) -> None:
    with pytest.raises(ConfigurationError):
        bzz.forward(blinker.Signal(), target)
