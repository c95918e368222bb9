"""Listeners that run after the response: bounded, named, logged and waited for. One :class:`Background` per loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tornado.web import RequestHandler

from bzz.request import request_context

__all__ = ["CONCURRENT", "RESPONSE_SECONDS", "Background", "response_of"]

logger = logging.getLogger("bzz.events")

CONCURRENT = 64
"""How many background listeners run at once on one loop; the others wait their turn."""

RESPONSE_SECONDS = 60.0
"""How long a listener waits for a response that is never finished, for instance if its handler was cancelled."""


class Background:
    """The background listeners of one event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._hurry = asyncio.Event()

    def start(
        self,
        work: Callable[[], Awaitable[None]],
        name: str,
        response: asyncio.Event | None = None,
        request_id: str | None = None,
    ) -> None:
        """Run ``work`` as a task called ``name``, once ``response`` is set; what it raises is logged."""
        with request_context(None, request_id):
            self.task(self._run(work, name, response, request_id), name)

    def task(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run ``work`` at once, as a task that :meth:`drain` waits for. Log its cancellation."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            logger.warning("cancelled before it was done: %s", task.get_name())

    async def _run(
        self,
        work: Callable[[], Awaitable[None]],
        name: str,
        response: asyncio.Event | None,
        request_id: str | None,
    ) -> None:
        with request_context(None, request_id):
            if response is not None and not self._hurry.is_set():
                await _first(response, self._hurry)
            async with self._slots:
                try:
                    await work()
                except Exception:
                    logger.exception("background listener failed: %s", name)

    async def drain(self, deadline: float) -> list[str]:
        """Wait until all listeners are done, those included that would wait for a response.

        :param deadline: in seconds.
        :returns: the names of those that were still running when it passed.
        """
        end = asyncio.get_running_loop().time() + deadline
        self._hurry.set()
        try:
            while pending := self._others():
                left = end - asyncio.get_running_loop().time()
                if left <= 0:
                    return _report(pending, deadline)
                await asyncio.wait(pending, timeout=left)
        finally:
            self._hurry.clear()
        return []

    def _others(self) -> set[asyncio.Task[Any]]:
        return {task for task in self._tasks if task is not asyncio.current_task()}


def _report(pending: set[asyncio.Task[Any]], deadline: float) -> list[str]:
    names = sorted(task.get_name() for task in pending)
    logger.warning("after %g s %d background listeners still run: %s", deadline, len(names), "; ".join(names))
    return names


async def _first(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=RESPONSE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


def response_of(handler: Any) -> asyncio.Event | None:
    """Return an event that is set when ``handler`` has answered; None if it is not a Tornado handler.

    Tornado calls ``on_finish`` after the response was sent; there is no other notification.
    """
    if not isinstance(handler, RequestHandler) or handler._finished:  # there is no public attribute
        return None
    sent, inner = asyncio.Event(), handler.on_finish

    def on_finish() -> None:
        try:
            inner()
        finally:
            sent.set()

    handler.on_finish = on_finish  # type: ignore[method-assign]  # for this one request
    return sent
