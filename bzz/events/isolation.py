"""The failure of one listener does not reach the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bzz.errors import EventCycle
from bzz.events.event import Event
from bzz.events.listeners import Listener

__all__ = ["accepts", "isolated"]

logger = logging.getLogger("bzz.events")


def accepts(listener: Listener, event: Event) -> bool:
    """Return whether the listener takes this event; its ``when`` or ``origin`` may fail as the listener itself may."""
    try:
        return listener.accepts(event)
    except (Exception, asyncio.CancelledError):
        if not (event.isolated or listener.background):
            raise
        logger.exception("listener failed to choose: %s -> %s", event.name, listener.name)
        return False


async def isolated(run: Callable[[], Awaitable[None]], event: Event, listener: Listener) -> None:
    """Run a listener; log what it raises.

    :raises bzz.errors.EventCycle: if it raises that: all listeners in the cycle have their part in it.
    """
    try:
        await run()
    except EventCycle:
        raise
    except Exception:
        logger.exception("listener failed: %s -> %s", event.name, listener.name)
