"""Functions that are called with every stored change until they succeed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

__all__ = ["RetryLater", "SwitchOff", "durable"]

F = TypeVar("F", bound=Callable[..., Any])


class RetryLater(Exception):
    """Raised by a listener: this attempt failed, and the next one is not to come too soon.

    :param seconds: the time until then, at least.
    :param reason: what failed, for people.
    """

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.reason = reason


class SwitchOff(Exception):
    """Raised by a listener: it is not to be called any more until somebody switches it on again.

    :param reason: why, for people.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def durable(
    target: Any,
    model: type | None = None,
    /,
    *,
    name: str,
    when: Any = None,
    timeout: float = 30.0,
    concurrency: int = 16,
    max_attempts: int = 10,
    schedule: Sequence[float] = (0, 1, 10, 60),
    start: Any = "now",
    orm: Any = "mongoengine",
) -> Callable[[F], F]:
    """Register a function that is called with each matching event until it succeeds."""
    return lambda function: function
