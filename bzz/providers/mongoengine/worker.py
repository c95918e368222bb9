"""Blocking database work: MongoEngine's own, and that of the hooks that a model brings."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import copy_context
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import pymongo

from bzz.errors import TOO_SLOW, Unavailable
from bzz.providers.mongoengine.concurrency import TIMEOUT_SECONDS, CapacityLimiter
from bzz.providers.mongoengine.failures import reading

__all__ = ["in_thread"]

T = TypeVar("T")

CONCURRENT = min(32, (os.cpu_count() or 1) + 4)
"""How many threads of one event loop work at once: as many as asyncio's own executor has."""

MOST = 64
"""How many there may be with those that are late."""


class _Threads(NamedTuple):
    """Those of one event loop, and not asyncio's own, where what hangs would hold up everybody else."""

    executor: ThreadPoolExecutor
    limiter: CapacityLimiter


_known: WeakKeyDictionary[asyncio.AbstractEventLoop, _Threads] = WeakKeyDictionary()


async def in_thread(work: Callable[[], T], translated: Callable[[], AbstractContextManager[None]] = reading) -> T:
    """Run ``work`` in a worker thread, within :data:`TIMEOUT_SECONDS` from now.

    Waiting for a thread counts: while the database is silent, all of them may be taken.

    :param translated: within it, the driver's errors become bzz's.
    :raises bzz.errors.Unavailable: where no thread came free in three seconds.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS

    def bounded() -> T:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Unavailable(TOO_SLOW)
        with translated(), pymongo.timeout(left):
            return work()

    loop = asyncio.get_running_loop()
    executor, limiter = _threads_of(loop)
    turn = await limiter.acquire()
    try:
        return await loop.run_in_executor(executor, copy_context().run, bounded)
    finally:
        limiter.release(turn)


def _threads_of(loop: asyncio.AbstractEventLoop) -> _Threads:
    known = _known.get(loop)
    if known is None:
        known = _known[loop] = _Threads(ThreadPoolExecutor(MOST, "bzz-worker"), CapacityLimiter(CONCURRENT, MOST))
    return known
