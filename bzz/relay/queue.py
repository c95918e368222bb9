"""A bounded queue. When it is full, a policy says which item is dropped."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Generic, Literal, Protocol, TypeVar

__all__ = ["MAX_QUEUE_BYTES", "BoundedQueue", "Policy", "Sized"]

Policy = Literal["drop_oldest", "drop_newest"]

MAX_QUEUE_BYTES = 64 * 1024 * 1024
"""The maximum size of all items of a queue."""

MAX_BATCH_BYTES = 1024 * 1024
"""The maximum size of a batch: it has to reach the server within the timeout."""


class Sized(Protocol):
    """An item of a queue."""

    @property
    def size(self) -> int:
        """Its approximate size in bytes."""


I = TypeVar("I", bound=Sized)  # noqa: E741  # an item


class BoundedQueue(Generic[I]):
    """First in, first out, for one loop.

    :param limit: the maximum number of items.
    :param policy: which item is dropped if there are more.
    """

    def __init__(self, limit: int, policy: Policy) -> None:
        self._items: deque[I] = deque()
        self._bytes = 0
        self._limit = limit
        self._policy = policy
        self.filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[I]:
        return iter(self._items)

    def put(self, item: I) -> list[I]:
        """Add an item, and return the items that were dropped."""
        if self._policy == "drop_newest" and self._is_over(1, item.size):
            return [item]
        self._items.append(item)
        self._bytes += item.size
        self.filled.set()
        dropped = []
        while self._is_over(0, 0):
            dropped.append(self._pop())
        return dropped

    def take(self, count: int) -> list[I]:
        """Remove and return the first ``count`` items at most, and about :data:`MAX_BATCH_BYTES` at most."""
        taken: list[I] = []
        size = 0
        while self._items and len(taken) < count and size < MAX_BATCH_BYTES:
            taken.append(self._pop())
            size += taken[-1].size
        if not self._items:
            self.filled.clear()
        return taken

    def _pop(self) -> I:
        item = self._items.popleft()
        self._bytes -= item.size
        return item

    def _is_over(self, more: int, more_bytes: int) -> bool:
        return len(self._items) + more > self._limit or self._bytes + more_bytes > MAX_QUEUE_BYTES
