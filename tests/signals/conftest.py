"""Receivers that are gone when the test is, and a record of what they were told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bzz.providers.mongoengine import internals
from bzz.signals import Signal
from tests.rest.conftest import alone, api

__all__ = ["alone", "api"]

Connect = Callable[..., None]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The classes of the instances that bzz makes, one for each."""
    seen: list[Any] = []

    def noted(name: str) -> Callable[..., Any]:
        make = getattr(internals, name)

        def note_and_make(made: Any, *arguments: Any, **options: Any) -> Any:
            seen.append(made if isinstance(made, type) else type(made))
            return make(made, *arguments, **options)

        return note_and_make

    for name in ("construct", "construct_new", "from_stored", "set_up"):
        monkeypatch.setattr(internals, name, noted(name))
    return seen


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects receivers until the test ends: ``connect(signal, function, sender=Model)``."""
    with ExitStack() as stack:

        def start(signal: Signal, receiver: Callable[..., Any], **sender: Any) -> None:
            stack.enter_context(signal.connected_to(receiver, **sender))

        yield start
