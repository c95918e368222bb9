"""The seam between a relay and what carries its messages: a few verbs on channels and bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

__all__ = ["Transport", "TransportError"]

Message = tuple[str, bytes]


class TransportError(Exception):
    """The server can't be reached, or the connection broke. The message says why."""


class Transport(ABC):
    """Carries bytes on named channels to everybody who is subscribed at that moment, in order per sender.

    It does not reconnect by itself: whoever uses it must know that it broke. Every method raises
    :class:`TransportError` where the server can't be reached.
    """

    @abstractmethod
    async def open(self, channels: Sequence[str]) -> float:
        """Connect, and return once the server has confirmed the subscription of every channel.

        :returns: the time by the server's clock after that, in seconds: the same clock for everybody who asks.
        """

    @abstractmethod
    async def subscribe(self, channel: str) -> None:
        """Add a channel to an open connection, and return once the server has confirmed it."""

    @abstractmethod
    async def receive(self) -> Message:
        """Wait for the next message: its channel and its bytes. One task at a time."""

    @abstractmethod
    async def send(self, messages: Sequence[Message]) -> list[int]:
        """Send messages in order, and return to how many subscribers each one went.

        Where it fails, any number of the first may have been sent.
        """

    @abstractmethod
    async def subscribers(self, channel: str) -> int:
        """Return how many are subscribed to a channel."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of all connections; never raises. The transport may be opened again."""
