"""Has the durable listeners of a process run, while an application is served or a block lasts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from bzz.asgi.lifespan import CONTEXTS, at_start
from bzz.delivery.listener import declared
from bzz.delivery.own_writes import OwnWrites
from bzz.delivery.owner import Owner
from bzz.delivery.source import roots_of, sources_of
from bzz.errors import OutcomeUnknown, Unavailable
from bzz.model.base import unwatch_writes, watch_writes

__all__ = ["deliver"]

logger = logging.getLogger("bzz.delivery")

START_SECONDS = 5.0
"""How long the database may take before a process begins without it: until then it answers nobody, not even who asks
whether it lives."""

GRACE_SECONDS = 10.0
"""How long calls that are being made may take at a stop."""


@asynccontextmanager
async def deliver() -> AsyncIterator[None]:
    """Have all durable listeners that this process has declared run until the end of the block.

    What is written in the block they are told, if the database is there when it begins, and ready within five seconds.

    ``bzz.serve`` and the adapters for other servers do this by themselves. It is for processes that serve nothing::

        async with bzz.deliver():
            await asyncio.Event().wait()

    :raises bzz.errors.ConfigurationError: where a listener's models are not known, or the database cannot tell its
        changes, with the remedy.
    """
    listeners = declared()
    own_writes = OwnWrites(roots_of(listeners))
    owners = [Owner(each, source, own_writes) for each in listeners for source in sources_of(each)]
    # All of them before any is stored, since a mistake in the next one ends the start.
    end = asyncio.get_running_loop().time() + START_SECONDS
    prepared = [each for each in owners if await _is_there(each.prepare(), each, end)]
    await asyncio.gather(*(_is_there(each.enroll(), each, end) for each in prepared))
    watch_writes(own_writes)
    for each in owners:
        each.start()
    try:
        yield
    finally:
        await asyncio.gather(*(each.stop(GRACE_SECONDS) for each in owners))
        unwatch_writes(own_writes)


async def _is_there(work: Awaitable[None], owner: Owner, end: float) -> bool:
    """Do what needs the database, and return true; false where it is away, and the owner does it later."""
    try:
        async with asyncio.timeout_at(end):
            await work
    except (Unavailable, OutcomeUnknown, TimeoutError) as error:
        logger.warning("%s waits for the database%s", owner.name, f": {error}" if str(error) else "")
        return False
    return True


class _Delivering:
    """Among the contexts of an application, which may be entered again after they were left."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> None:
        await self._stack.enter_async_context(deliver())

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()


async def _attach(application: Any) -> None:
    """Called before an application takes requests."""
    contexts = application.settings.setdefault(CONTEXTS, []) if hasattr(application, "settings") else []
    if declared() and not any(isinstance(each, _Delivering) for each in contexts):
        contexts.append(_Delivering())


at_start(_attach)
