"""Requests counted in Redis, by the storage of ``limits`` (https://limits.readthedocs.io) on redis-py.

A Redis that is away stops nobody: requests pass uncounted, and are no slower for it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import time
from typing import Any, NamedTuple

from bzz.errors import ConfigurationError, MissingExtra
from bzz.extras import needs
from bzz.rate_limits.counters import Counter

with needs("limits"):
    from limits.aio.storage import RedisStorage
    from limits.errors import ConfigurationError as Misconfigured
    from limits.errors import StorageError

__all__ = ["RedisCounter"]

logger = logging.getLogger("bzz.rate_limits")

ANSWER_SECONDS = 0.5
"""How long a request waits for Redis at the most."""

PAUSE_SECONDS = 1.0
"""How long nobody asks a Redis that did not answer; then one request tries."""

CONNECTIONS = 16
"""How many a process has; further requests wait for one of them, which takes less than to make so many more."""

REMEMBERED = 10_000
"""Of how many windows a process remembers the end."""

PREFIX = "bzz-rate-limits"


class _OfLoop(NamedTuple):
    """What one event loop has.

    :ivar turns: who may use a connection.
    :ivar keeper: closes the connections when the tasks of the loop are cancelled.
    """

    storage: RedisStorage
    turns: asyncio.Semaphore
    keeper: asyncio.Task[None]


class RedisCounter(Counter):
    """Counts in Redis, for all processes that use it.

    :param url: as :class:`bzz.RedisRelay` takes it.
    :raises bzz.errors.ConfigurationError: if it is none.
    """

    def __init__(self, url: str) -> None:
        self._uri = f"async+redis+{url}" if url.startswith("unix:") else f"async+{url}"
        self._made: dict[asyncio.AbstractEventLoop, _OfLoop] = {}
        self._ends: dict[str, float] = {}
        self._ask_again = 0.0
        self._is_away = False
        if importlib.util.find_spec("redis") is None:
            raise MissingExtra("redis", "limits")
        self._make()  # which connects to nothing

    async def add(self, key: str, seconds: int) -> tuple[int, float] | None:
        now = time.monotonic()
        if self._is_away:
            if now < self._ask_again:
                return None
            self._ask_again = now + PAUSE_SECONDS
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                here = self._here()
                async with here.turns:
                    counted = await self._count(here.storage, key, seconds)
        except (StorageError, OSError, TimeoutError) as error:
            self._note_away(error)
            return None
        self._note_here()
        return counted

    async def _count(self, storage: RedisStorage, key: str, seconds: int) -> tuple[int, float]:
        """Count a request. When its window ends is asked once for each window, which saves the others a command."""
        count = await storage.incr(key, seconds)
        now = time.monotonic()
        end = now + seconds if count == 1 else self._ends.pop(key, 0.0)
        if end <= now:
            left = await storage.get_expiry(key) - time.time()
            end = now + min(seconds, left + 0.5)  # Redis rounds to whole seconds, and nobody is to come back too early
        self._ends.pop(key, None)
        self._ends[key] = end
        if len(self._ends) > REMEMBERED:
            del self._ends[next(iter(self._ends))]
        return count, min(end - now, seconds)

    def _note_away(self, error: Exception) -> None:
        self._ask_again = time.monotonic() + PAUSE_SECONDS
        if not self._is_away:
            self._is_away = True
            cause = error.storage_error if isinstance(error, StorageError) else error
            said = str(cause) or f"no answer in {ANSWER_SECONDS} s"
            logger.warning("Redis does not count requests (%s): all are let in until it does", said)

    def _note_here(self) -> None:
        if self._is_away:
            self._is_away = False
            logger.warning("Redis counts requests again")

    def _here(self) -> _OfLoop:
        """Return what the running loop has."""
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            others = {each: its for each, its in self._made.items() if not each.is_closed()}
            storage = self._make()
            keeper = loop.create_task(_close_at_end(storage.bridge))
            self._made = {**others, loop: _OfLoop(storage, asyncio.Semaphore(CONNECTIONS), keeper)}
        return self._made[loop]

    def _make(self) -> RedisStorage:
        options: dict[str, Any] = {
            "retry": None,  # who waits for an answer has no time for another attempt
            "socket_timeout": ANSWER_SECONDS / 2,  # redis-py may lose a cancellation, and waits for 5 s then
            "socket_connect_timeout": ANSWER_SECONDS / 2,
        }
        try:
            return RedisStorage(self._uri, wrap_exceptions=True, implementation="redispy", key_prefix=PREFIX, **options)
        except (Misconfigured, ValueError, TypeError) as error:
            raise ConfigurationError(f"storage: {error}") from None


async def _close_at_end(bridge: Any) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await bridge.get_connection().aclose()
