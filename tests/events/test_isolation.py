"""What one listener or receiver does wrong stays its own failure, in whatever way it goes wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import bzz
from bzz.errors import Forbidden
from bzz.events import Creating
from bzz.events.bus import Bus
from bzz.signals import Signal, post_create_instance
from tests.events.conftest import Calls


class User: ...


class Incomparable:
    """Raises when it is compared, as an array does where it is taken for one yes or no."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("cannot be compared")

    __hash__ = None  # type: ignore[assignment]  # nothing that compares so has one


def broken(value: Any) -> bool:
    raise ValueError("no such status")


async def await_cancelled(*_: Any) -> None:
    """Await a task that was cancelled."""
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task


@pytest.mark.parametrize("choice", [{"when": (broken, ...)}, {"origin": Incomparable()}], ids=["when", "origin"])
@pytest.mark.parametrize("background", [False, True])
async def test_a_choice_that_raises_is_logged_and_the_others_run(
    own_bus: Bus, calls: Calls, caplog: pytest.LogCaptureFixture, choice: dict[str, Any], background: bool
) -> None:
    own_bus.on("a", background=background, **choice)(calls.listener("choosy"))
    own_bus.on("a")(calls.listener("next"))
    await own_bus.emit("a", old=1, new=2)
    assert calls.made == ["next"]
    assert "listener failed to choose: a -> " in caplog.text


async def test_a_choice_that_raises_loses_no_later_field_event(calls: Calls) -> None:
    bzz.on("User.updated.name", when=(broken, ...))(calls.listener("choosy"))
    bzz.on("User.updated.*")(lambda event: calls.made.append(event.name))
    diff: Any = {"name": {"from": 1, "to": 2}, "age": {"from": 1, "to": 2}}
    await bzz.signals.post_update_instance.report(User, instance=User(), updated_fields=diff, handler=None)
    assert calls.made == ["User.updated.name", "User.updated.age"]


async def test_an_origin_that_cannot_be_compared_does_not_keep_a_request_from_its_answer(
    calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    bzz.on("User.created", origin=Incomparable())(calls.listener("choosy"))
    bzz.on("User.created")(calls.listener("next"))
    assert post_create_instance.has_receivers_for(User)
    await post_create_instance.report(User, instance=User(), handler=None)
    assert calls.made == ["next"]
    assert "cannot be compared" in caplog.text


async def test_a_choice_before_the_deed_that_raises_refuses_it(own_bus: Bus, calls: Calls) -> None:
    own_bus.on("*", origin=Incomparable())(calls.listener("choosy"))
    with pytest.raises(ValueError, match="cannot be compared"):
        await own_bus.emit(Creating(model=User), origin=User)


async def test_a_listener_whose_task_was_cancelled_has_failed_and_the_others_run(
    own_bus: Bus, calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    own_bus.on("a")(await_cancelled)
    own_bus.on("a")(calls.listener("next"))
    await own_bus.emit("a")
    assert calls.made == ["next"]
    assert "waited for something that was cancelled" in caplog.text


async def test_a_background_listener_whose_task_was_cancelled_is_logged(
    own_bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    own_bus.on("a", background=True)(await_cancelled)
    await own_bus.emit("a")
    await own_bus.drain()
    assert "background listener failed: a -> " in caplog.text


async def test_a_listener_before_the_deed_whose_task_was_cancelled_refuses_with_an_ordinary_error(own_bus: Bus) -> None:
    own_bus.on("User.creating")(await_cancelled)
    with pytest.raises(RuntimeError, match="waited for something that was cancelled"):
        await own_bus.emit(Creating(model=User))


async def test_a_receiver_whose_task_was_cancelled_has_failed_and_the_others_run(
    calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    signal = Signal("own")
    signal.connect(await_cancelled)
    after = calls.listener("next")
    signal.connect(after)
    await signal.report("app")
    assert calls.made == ["next"]
    assert "await_cancelled" in caplog.text


@pytest.mark.parametrize("send", ["event", "signal"])
async def test_a_cancellation_of_the_sender_passes_through(own_bus: Bus, calls: Calls, send: str) -> None:
    signal, started = Signal("own"), asyncio.Event()

    async def endless(*_: Any) -> None:
        started.set()
        await asyncio.sleep(60)

    after = calls.listener("next")
    for listener in (endless, after):
        own_bus.on("a")(listener)
        signal.connect(listener)
    task: asyncio.Task[Any] = asyncio.create_task(own_bus.emit("a") if send == "event" else signal.report("app"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert calls.made == []


async def test_a_timeout_inside_a_listener_is_its_own(own_bus: Bus, calls: Calls) -> None:
    @own_bus.on("a")
    async def impatient(event: Any) -> None:
        await asyncio.wait_for(asyncio.sleep(60), 0)

    own_bus.on("a")(calls.listener("next"))
    await own_bus.emit("a")
    assert calls.made == ["next"]


async def test_what_is_refused_is_still_what_the_listener_raised(own_bus: Bus) -> None:
    error = Forbidden()

    @own_bus.on("User.creating")
    async def refuse(event: Any) -> None:
        raise error

    with pytest.raises(Forbidden) as raised:
        await own_bus.emit(Creating(model=User))
    assert raised.value is error
