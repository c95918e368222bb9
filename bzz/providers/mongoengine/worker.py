"""Blocking database work: MongoEngine's own, and that of the hooks that a model brings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

import pymongo

from bzz.errors import TOO_SLOW, Unavailable
from bzz.providers.mongoengine.bounds import TIMEOUT_SECONDS
from bzz.providers.mongoengine.failures import reading

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(work: Callable[[], T], told: Callable[[], AbstractContextManager[None]] = reading) -> T:
    """Run ``work`` in a worker thread, within :data:`TIMEOUT_SECONDS` from now.

    Waiting for a thread counts: while the database is silent, all of them may be taken.

    :param told: tells the driver's trouble as bzz's.
    :raises bzz.errors.Unavailable: where no thread came free in time.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS

    def bounded() -> T:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Unavailable(TOO_SLOW)
        with told(), pymongo.timeout(left):
            return work()

    return await asyncio.to_thread(bounded)
