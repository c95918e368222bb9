"""The interface between a relay and what carries its messages: channels and bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

__all__ = ["Transport", "TransportError"]

Message = tuple[str, bytes]


class TransportError(Exception):
    """The server cannot be reached, or the connection broke."""


class Transport(ABC):
    """Carries bytes on named channels to the current subscribers, in order per sender.

    It must not reconnect by itself, since its user must know of lost messages. Every method raises
    :class:`TransportError` if the server cannot be reached.
    """

    @abstractmethod
    async def open(self, channels: Sequence[str]) -> float:
        """Connect, and return once the server has confirmed the subscription of every channel.

        :returns: the time of the server's clock after that, in seconds. All processes get the time of the same clock.
        """

    @abstractmethod
    async def subscribe(self, channel: str) -> None:
        """Add a channel to an open connection, and return once the server has confirmed it."""

    @abstractmethod
    async def receive(self) -> Message:
        """Wait for the next message: its channel and its bytes. One task at a time."""

    @abstractmethod
    async def send(self, messages: Sequence[Message]) -> list[int]:
        """Send messages in order, and return how many subscribers received each one.

        If it fails, any number of the first messages may have been sent.
        """

    @abstractmethod
    async def subscribers(self, channel: str) -> int:
        """Return the number of subscribers of a channel."""

    @abstractmethod
    async def close(self) -> None:
        """Close all connections, without raising. The transport may be opened again."""
