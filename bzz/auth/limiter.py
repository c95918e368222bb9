"""Failed sign-ins, counted per address and per account; after too many of them the answer is 429.

An attempt is counted before the provider is asked and taken back when it succeeds, so a burst of concurrent guesses
meets the limit as well as a slow one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from bzz.auth.http import unavailable_on
from bzz.auth.mongodb import store_in
from bzz.errors import ConfigurationError, OutcomeUnknown, TooManyRequests, Unavailable
from bzz.windows import Windows

__all__ = ["FailureStore", "Limiter", "MemoryFailures", "MongoFailures"]


class FailureStore(ABC):
    """Counts failures by key, in one window per key."""

    @abstractmethod
    async def add(self, key: str, amount: int, window: int) -> tuple[int, float]:
        """Add ``amount`` (1, or -1 to take it back) to the count of ``key``, whose window starts with the first.

        :param window: its length, in seconds.
        :returns: the count in the current window, and the seconds until that ends.
        """


class MemoryFailures(FailureStore):
    """Counts in memory, for at most ``capacity`` keys; beyond that the oldest window is dropped."""

    def __init__(self, capacity: int = 100_000) -> None:
        self._windows = Windows(capacity)

    async def add(self, key: str, amount: int, window: int) -> tuple[int, float]:
        return self._windows.add(key, amount, window)


class MongoFailures(FailureStore):
    """Counts in a MongoDB collection, shared by every process, which a TTL index keeps small.

    :param collection: an asynchronous collection, of Motor or of PyMongo's ``AsyncMongoClient``.
    """

    def __init__(self, collection: Any) -> None:
        self._store = store_in(collection, "end")

    async def add(self, key: str, amount: int, window: int) -> tuple[int, float]:
        with unavailable_on("sign-in limiter", Unavailable, OutcomeUnknown):
            return await self._store.count(key, amount, window)


class Limiter:
    """Limits how many sign-ins may fail.

    :param per_address: failures in a window from one address (for IPv6 from one /64 network).
    :param per_account: failures in a window for one account.
    :param window: seconds.
    :param store: where to count; by default in memory, in each process for itself.
    :raises bzz.errors.ConfigurationError: if a number is below 1.
    """

    def __init__(
        self, per_address: int = 20, per_account: int = 5, window: int = 300, store: FailureStore | None = None
    ) -> None:
        if min(per_address, per_account, window) < 1:
            raise ConfigurationError("per_address, per_account and window of a Limiter are at least 1")
        self._limits = {"address": per_address, "account": per_account}
        self._window = window
        self._store = store or MemoryFailures()

    async def begin(self, kind: str, name: str) -> str:
        """Count an attempt for the ``'address'`` or ``'account'`` called ``name``.

        :returns: what :meth:`forgive` takes.
        :raises bzz.errors.TooManyRequests: if too many sign-ins have failed, with ``Retry-After``.
        """
        key = f"{kind}:{name}"
        count, seconds = await self._store.add(key, 1, self._window)
        if count > self._limits[kind]:
            raise TooManyRequests("Too many sign-ins have failed; try again later.", retry_after=max(1, int(seconds)))
        return key

    async def forgive(self, keys: Iterable[str]) -> None:
        """Take back attempts that did not fail."""
        for key in keys:
            await self._store.add(key, -1, self._window)
