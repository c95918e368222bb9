"""Notes who wrote, in the process that has written: what the database tells of a change does not say it.

The note is stored behind the answer. A process that dies before that leaves a change of which nobody knows who made it.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from weakref import WeakKeyDictionary

from bzz.change import Change
from bzz.delivery.history.digest import digest_of
from bzz.delivery.history.recorder import Recorder, recorder_of
from bzz.delivery.history.who import writer_of
from bzz.delivery.retrying import until_stored
from bzz.events.bus import bus
from bzz.model.base import ResourceHandler
from bzz.providers.base import Written

__all__ = ["Writers"]

logger = logging.getLogger("bzz.delivery")

GIVE_UP_SECONDS = 60.0
"""How long a note is tried to be stored while the database is away."""

AT_A_TIME = 16
"""How many notes are stored at a time."""

MOST_WAITING = 10_000
"""How many notes may wait to be stored, so that a database that is away does not fill the memory."""


class Writers:
    """Stores who made the writes of requests; is told by :func:`bzz.model.base.watch_writes`."""

    def __init__(self) -> None:
        self._begun: WeakKeyDictionary[ResourceHandler, float] = WeakKeyDictionary()
        self._slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
        self._waiting = 0

    def begin(self, handler: ResourceHandler) -> None:
        """Called when a request that may write was let in."""
        self._begun[handler] = time.monotonic()

    def written(self, handler: ResourceHandler, written: Written) -> None:
        """Called after each write."""
        recorder = recorder_of(written.change.model)
        who = None if recorder is None else writer_of(handler)
        if recorder is None or who is None:
            return
        if self._waiting >= MOST_WAITING:
            logger.warning("%s: who wrote %s is not kept: too much waits", recorder.name, written.change.id)
            return
        self._waiting += 1
        began = self._begun.get(handler, time.monotonic())
        bus.loops.here().task(self._note(recorder, written.change, who, began), f"{recorder.name}: {written.change.id}")

    async def _note(self, recorder: Recorder, change: Change, who: str, began: float) -> None:
        try:
            async with self._slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_A_TIME)):
                if change.kind in ("created", "deleted") or change.diff:  # else nothing was stored
                    await self._store(recorder, change, who, began)
        except Exception:
            logger.exception("%s: who wrote %s could not be stored", recorder.name, change.id)
        finally:
            self._waiting -= 1

    async def _store(self, recorder: Recorder, change: Change, who: str, began: float) -> None:
        name, digest = uuid.uuid4().hex, digest_of(recorder.provider.collection, change)
        found = recorder.provider.changes().history
        async with asyncio.timeout(GIVE_UP_SECONDS):
            await until_stored(lambda: found.sign(name, digest, who, began))
