"""Compare and set: how a write comes to rest on exactly what it has read.

What is stored is read, the write is worked out on that reading, and it goes through only while what it rests on is
unchanged; otherwise all begins again. So the ``from`` of every change is what that very write replaced. Writers in one
process queue up per key, so that they do not get into each other's way; writers in other processes make each other try
again. How a provider reads and writes is not known here.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from bzz.batching import LOOK_SECONDS, MAX_WAIT_SECONDS
from bzz.errors import PreconditionFailed, Unavailable
from bzz.providers.base import Precondition, Record, Stale
from bzz.providers.records import StoredRecord

__all__ = ["ATTEMPTS", "Conditions", "compare_and_set"]

ATTEMPTS = 100
QUEUE_SECONDS = 10.0
"""How long a writer waits for all those before it, as long as each of them is quick."""

_LONGEST_PAUSE = 0.05
_TOO_MANY = "Too many others are changing this document; nothing was done."

S = TypeVar("S")
T = TypeVar("T")

_locks: WeakValueDictionary[tuple[int, Hashable], _Lock] = WeakValueDictionary()


class Conditions(NamedTuple):
    """What a caller of the seam wants a write to rest on: see :meth:`bzz.providers.base.Provider.update`."""

    precondition: Precondition | None = None
    expected: Record | None = None

    def require(self, stored: StoredRecord[Any]) -> None:
        """Refuse the write if it may not replace what is stored.

        :raises bzz.errors.PreconditionFailed: if the precondition says no to it.
        :raises bzz.providers.base.Stale: if it is not what was expected.
        """
        if self.precondition is not None and not self.precondition(stored.state):
            raise PreconditionFailed()
        if self.expected is not None and not stored.is_same(self.expected):
            raise Stale


async def compare_and_set(
    key: Hashable, known: S, read: Callable[[], Awaitable[S]], write: Callable[[S, int], Awaitable[T | None]]
) -> T:
    """Write what was worked out on a reading, as often as it takes, and return what ``write`` returns.

    :param key: what is written. One writer of this process at a time is let at it.
    :param known: a reading that was just made. It is made again if another writer was before this one.
    :param read: reads anew; what it raises ends the write.
    :param write: writes if the reading is still what is stored, or else returns None. It also gets the number of the
        attempt, from 0; what it raises ends the write.
    :raises bzz.errors.Unavailable: if other writers were faster a hundred times in a row, if one writer holds the key
        for three seconds, or if the wait is too long in all.
    """
    async with _one_writer(key) as waited:
        found = await read() if waited else known
        for attempt in range(ATTEMPTS):
            done = await write(found, attempt)
            if done is not None:
                return done
            await asyncio.sleep(random.uniform(0, min(_LONGEST_PAUSE, 0.001 * 2**attempt)))
            found = await read()
    raise Unavailable(_TOO_MANY)


class _Lock(asyncio.Lock):
    """A lock that knows since when it is held."""

    held_since = 0.0


@asynccontextmanager
async def _one_writer(key: Hashable) -> AsyncIterator[bool]:
    """Let one writer of this loop at a time at a key; says whether there was a wait."""
    loop = asyncio.get_running_loop()
    name = (id(loop), key)
    lock = _locks.get(name)
    if lock is None:
        lock = _locks[name] = _Lock()
    waited = lock.locked()
    await (_wait_for(lock) if waited else lock.acquire())
    lock.held_since = loop.time()
    try:
        yield waited
    finally:
        lock.release()


async def _wait_for(lock: _Lock) -> None:
    """Acquire a lock that others hold one after the other, as long as each of them is quick."""
    loop = asyncio.get_running_loop()
    end = loop.time() + QUEUE_SECONDS
    acquiring = asyncio.ensure_future(lock.acquire())
    try:
        while not acquiring.done():
            await asyncio.wait({acquiring}, timeout=LOOK_SECONDS)
            if not acquiring.done() and loop.time() > min(end, lock.held_since + MAX_WAIT_SECONDS):
                raise Unavailable(_TOO_MANY)
        acquiring.result()
    except BaseException:
        if not acquiring.cancel() and not acquiring.cancelled():
            lock.release()
        raise
