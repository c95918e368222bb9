"""Sending a signal: to nobody, to one receiver, to many."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bzz.signals import Signal


class Sender:
    """Stands in for a model."""


def drive(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run to its end a coroutine that never waits: a loop would cost more than what is measured."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


def test_asking_whether_anybody_listens(benchmark: BenchmarkFixture) -> None:
    signal = Signal("quiet")
    assert benchmark(signal.has_receivers_for, Sender) is False


@pytest.mark.parametrize("count", [1, 10])
def test_sending_to_coroutines(benchmark: BenchmarkFixture, count: int) -> None:
    signal, heard = Signal("loud"), []

    def receiver() -> Any:
        async def receive(sender: type, instance: object) -> None:
            heard.append(instance)

        return receive

    receivers = [receiver() for _ in range(count)]
    for each in receivers:
        signal.connect(each, Sender)
    benchmark(lambda: drive(signal.notify(Sender, instance=1, handler=None)))
    assert heard


def test_sending_to_a_plain_function(benchmark: BenchmarkFixture) -> None:
    signal, heard = Signal("plain"), []

    @signal.connect_via(Sender)
    def receive(sender: type, **arguments: Any) -> None:
        heard.append(arguments)

    benchmark(lambda: drive(signal.report(Sender, instance=1, handler=None)))
    assert heard
