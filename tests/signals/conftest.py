"""Receivers that are gone when the test is, and a record of what they were told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bzz.signals import Signal
from tests.rest.conftest import alone, api

__all__ = ["alone", "api"]

Connect = Callable[..., None]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects receivers until the test ends: ``connect(signal, function, sender=Model)``."""
    with ExitStack() as stack:

        def start(signal: Signal, receiver: Callable[..., Any], **sender: Any) -> None:
            stack.enter_context(signal.connected_to(receiver, **sender))

        yield start
