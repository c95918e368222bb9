"""The signals: order, awaiting, chosen arguments, failures; and that they are still blinker's."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import types
from collections.abc import Callable
from typing import Any

import blinker
import pytest

from bzz import signals
from bzz.signals import Signal


class User:
    pass


class Team:
    pass


@pytest.fixture
def signal() -> Signal:
    return Signal("test")


@pytest.fixture
def calls() -> list[Any]:
    return []


def caller(calls: list[Any], name: Any) -> Callable[..., None]:
    def receiver(sender: Any) -> None:
        calls.append(name)

    return receiver


def async_caller(calls: list[Any], name: Any) -> Callable[..., Any]:
    async def receiver(sender: Any) -> None:
        await asyncio.sleep(0)
        calls.append(name)

    return receiver


def test_there_are_thirteen_signals_each_under_its_own_name() -> None:
    found = {name: each for name in signals.__all__ if isinstance(each := getattr(signals, name), Signal)}
    assert (len(found), [name for name, each in found.items() if each.name != name]) == (13, [])


def test_each_signal_says_what_it_sends() -> None:
    found = [getattr(signals, name) for name in signals.__all__ if name != "Signal"]
    assert [each.name for each in found if not (each.__doc__ or "").endswith("handler.")] == []


async def test_receivers_run_in_the_order_in_which_they_were_connected(signal: Signal, calls: list[Any]) -> None:
    for number in range(100):
        make = async_caller if number % 2 else caller
        signal.connect(make(calls, number), sender=blinker.ANY if number % 3 else User, weak=False)
    await signal.notify(User)
    assert calls == list(range(100))


async def test_a_receiver_that_is_connected_again_goes_last(signal: Signal, calls: list[Any]) -> None:
    first, second = caller(calls, "first"), caller(calls, "second")
    signal.connect(first, sender=User)
    signal.connect(second, sender=User)
    signal.disconnect(first, sender=User)
    signal.connect(first, sender=User)
    await signal.notify(User)
    assert calls == ["second", "first"]


async def test_a_receiver_that_leaves_one_sender_keeps_its_place_for_another(signal: Signal, calls: list[Any]) -> None:
    first, second = caller(calls, "first"), caller(calls, "second")
    signal.connect(first, sender=User)
    signal.connect(first, sender=Team)
    signal.connect(second, sender=Team)
    signal.disconnect(first, sender=User)
    await signal.notify(Team)
    assert calls == ["first", "second"]


async def test_a_receiver_connected_twice_runs_once(signal: Signal, calls: list[Any]) -> None:
    receiver = caller(calls, "once")
    signal.connect(receiver)
    signal.connect(receiver, sender=User)
    await signal.notify(User)
    assert calls == ["once"]


async def test_a_coroutine_ends_before_the_next_receiver_starts(signal: Signal, calls: list[Any]) -> None:
    async def slow(sender: Any) -> None:
        calls.append("slow starts")
        await asyncio.sleep(0)
        calls.append("slow ends")

    signal.connect(slow)
    next_one = caller(calls, "next")
    signal.connect(next_one)
    await signal.notify(User)
    assert calls == ["slow starts", "slow ends", "next"]


async def test_a_receiver_hears_only_the_sender_that_it_asked_for(signal: Signal, calls: list[Any]) -> None:
    receiver = caller(calls, "heard")
    signal.connect(receiver, sender=User)
    await signal.notify(Team)
    assert calls == []


async def test_listening_while_a_signal_is_being_sent_is_safe(signal: Signal, calls: list[Any]) -> None:
    late = caller(calls, "late")

    def recruiter(sender: Any) -> None:
        signal.connect(late)

    signal.connect(recruiter)
    await signal.notify(User)
    assert calls == []
    await signal.notify(User)
    assert calls == ["late"]


async def test_two_notifications_at_once_do_not_mix(signal: Signal, calls: list[Any]) -> None:
    async def receiver(sender: Any, number: int) -> None:
        await asyncio.sleep(0)
        calls.append(number)

    signal.connect(receiver)
    await asyncio.gather(*(signal.notify(User, number=number) for number in range(20)))
    assert sorted(calls) == list(range(20))


class Listener:
    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls

    def hear(self, sender: Any, instance: Any) -> None:
        self.calls.append(instance)

    async def __call__(self, sender: Any, instance: Any) -> None:
        self.calls.append(instance)


def receivers(calls: list[Any]) -> dict[str, Callable[..., Any]]:
    def named(sender: Any, instance: Any) -> None:
        calls.append(instance)

    def keyword_only(sender: Any, *, instance: Any) -> None:
        calls.append(instance)

    def positional_sender(sender: Any, /, instance: Any) -> None:
        calls.append(instance)

    def everything(sender: Any, **arguments: Any) -> None:
        calls.append(arguments["instance"] if arguments.keys() == {"instance", "handler"} else arguments)

    def starred(*senders: Any, instance: Any) -> None:
        calls.append(instance)

    def with_default(sender: Any, instance: Any, added_later: None = None) -> None:
        calls.append(instance)

    def leading(extra: str, sender: Any, instance: Any) -> None:
        calls.append(instance)

    @functools.wraps(named)
    def decorated(*args: Any, **arguments: Any) -> None:
        named(*args, **arguments)

    return {
        "names": named,
        "keyword only": keyword_only,
        "positional sender": positional_sender,
        "takes all": everything,
        "starred": starred,
        "default": with_default,
        "partial": functools.partial(leading, "extra"),
        "decorated": decorated,
        "bound method": Listener(calls).hear,
        "callable object": Listener(calls),
        "lambda": lambda sender, instance: calls.append(instance),
    }


@pytest.mark.parametrize("kind", receivers([]))
async def test_a_receiver_is_handed_the_arguments_that_it_names(signal: Signal, calls: list[Any], kind: str) -> None:
    receiver = receivers(calls)[kind]
    signal.connect(receiver, weak=False)
    await signal.notify(User, instance="ann", handler="handler")
    await signal.notify(User, instance="bob", handler="handler")
    assert calls == ["ann", "bob"]


async def test_a_builtin_may_be_a_receiver(signal: Signal, calls: list[Any]) -> None:
    signal.connect(calls.append, weak=False)
    await signal.notify(User, instance="ann")
    assert calls == [User]


async def test_a_callable_without_a_signature_is_handed_everything(signal: Signal) -> None:
    stored: dict[str, Any] = {}
    signal.connect(stored.update, weak=False)
    await signal.notify([("sender", User)], instance="ann")
    assert stored == {"sender": User, "instance": "ann"}


async def test_the_same_function_may_listen_bound_and_unbound(signal: Signal, calls: list[Any]) -> None:
    def hear(first: Any, second: Any = None, instance: Any = None) -> None:
        calls.append((first, second, instance))

    loud = Listener(calls)
    bound = types.MethodType(hear, loud)
    signal.connect(bound)
    signal.connect(hear)
    await signal.notify(User, second="second", instance="ann")
    assert calls == [(loud, User, "ann"), (User, "second", "ann")]


async def test_the_first_receiver_that_refuses_stops_the_rest(signal: Signal, calls: list[Any]) -> None:
    async def refuse(sender: Any) -> None:
        raise PermissionError

    late = caller(calls, "late")
    signal.connect(refuse)
    signal.connect(late)
    with pytest.raises(PermissionError):
        await signal.notify(User)
    assert calls == []


async def test_a_report_goes_on_after_a_failure_and_logs_it(
    signal: Signal, calls: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(sender: Any) -> None:
        raise ZeroDivisionError

    late = async_caller(calls, "late")
    signal.connect(fail)
    signal.connect(late)
    await signal.report(User)
    assert (calls, len(caplog.records)) == (["late"], 1)
    record = caplog.records[0]
    assert (record.name, record.levelno, record.exc_info and record.exc_info[0]) == (
        "bzz.signals",
        logging.ERROR,
        ZeroDivisionError,
    )


async def test_a_report_does_not_swallow_a_cancellation(signal: Signal) -> None:
    started = asyncio.Event()

    async def endless(sender: Any) -> None:
        started.set()
        await asyncio.sleep(60)

    signal.connect(endless)
    task = asyncio.create_task(signal.report(User))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_connect_via_connects_for_one_sender(signal: Signal, calls: list[Any]) -> None:
    @signal.connect_via(User)
    def receiver(sender: Any) -> None:
        calls.append(sender)

    await signal.notify(User)
    await signal.notify(Team)
    assert calls == [User]


async def test_connected_to_connects_for_one_block(signal: Signal, calls: list[Any]) -> None:
    with signal.connected_to(caller(calls, "inside"), sender=User):
        await signal.notify(User)
    await signal.notify(User)
    assert (calls, signal.has_receivers_for(User)) == (["inside"], False)


async def test_a_muted_signal_reaches_nobody(signal: Signal, calls: list[Any]) -> None:
    receiver = caller(calls, "heard")
    signal.connect(receiver)
    with signal.muted():
        await signal.notify(User)
        await signal.report(User)
    assert calls == []


async def test_a_receiver_that_nobody_holds_is_gone(signal: Signal, calls: list[Any]) -> None:
    signal.connect(caller(calls, "gone"))
    gc.collect()
    await signal.notify(User)
    assert (calls, list(signal.receivers)) == ([], [])


async def test_a_failing_receiver_does_not_stop_others_from_a_notification_elsewhere(
    signal: Signal, calls: list[Any]
) -> None:
    def fail(sender: Any) -> None:
        raise ZeroDivisionError

    receiver = caller(calls, "heard")
    signal.connect(fail, sender=Team)
    signal.connect(receiver, sender=User)
    await signal.notify(User)
    assert calls == ["heard"]


def test_nobody_listens_to_a_new_signal(signal: Signal) -> None:
    assert not signal.has_receivers_for(User)


def test_nobody_listens_after_the_last_receiver_left_its_only_sender(signal: Signal, calls: list[Any]) -> None:
    receiver = caller(calls, "left")
    signal.connect(receiver, sender=User)
    signal.disconnect(receiver, sender=User)
    assert not signal.has_receivers_for(User)
