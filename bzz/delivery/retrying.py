"""What has to be stored is stored, however long the database is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bzz.errors import OutcomeUnknown, Unavailable

__all__ = ["until_stored"]

logger = logging.getLogger("bzz.delivery")

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0

T = TypeVar("T")


async def until_stored(operation: Callable[[], Awaitable[T]]) -> T:
    """Do what may be repeated until it is known to be done; what else it raises is raised."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return await operation()
        except (Unavailable, OutcomeUnknown) as error:
            logger.warning("the database is away: %s", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
