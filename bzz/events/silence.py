"""Blocks in which no events are sent."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar

from bzz.events.event import Event

__all__ = ["is_silent", "silent"]

logger = logging.getLogger("bzz.events")

_silence: ContextVar[Counter[str] | None] = ContextVar("bzz_silence", default=None)


def is_silent(event: Event) -> bool:
    """Return whether :func:`silent` keeps ``event`` from being sent, and count it if so."""
    unsent = _silence.get()
    if unsent is None:
        return False
    unsent[event.name] += 1
    logger.debug("%s is not sent: silent", event.name)
    return True


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Send no events within the block, from this task and those that it starts. Other tasks are not affected.

    The log says how many were not sent, and the name of each at DEBUG. Signals are sent as usual.
    """
    unsent: Counter[str] = Counter()
    token = _silence.set(unsent)
    try:
        yield
    finally:
        _silence.reset(token)
        names = ", ".join(f"{name} x{count}" for name, count in unsent.most_common())
        logger.info("silent: %d events were not sent%s", unsent.total(), names and f": {names}")
