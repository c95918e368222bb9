"""The pieces that a handler writes, sent one after the other at the pace of its client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tornado.iostream import StreamClosedError

__all__ = ["Outbox", "closed_future"]

Sending = Callable[[], Awaitable[None]]


class Outbox:
    """A queue, and a task that works it off while there is something in it.

    :param on_left: called when the client has left, or does not read in time.
    :param on_failed: called with what the engine raised.
    """

    def __init__(self, on_left: Callable[[], None], on_failed: Callable[[Exception], None]) -> None:
        self._on_left = on_left
        self._on_failed = on_failed
        self._loop = asyncio.get_running_loop()
        # Seldom more than one; a deque takes 0.7 KiB where it is empty.
        self._queue: list[tuple[Sending, float | None, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether there is something in it."""
        return self._task is not None

    def put(self, send: Sending, seconds: float | None = None) -> asyncio.Future[None]:
        """Send after what is there already.

        :param seconds: how long that may take.
        :returns: a future that is done when it is sent; its error is StreamClosedError.
        """
        sent = self._loop.create_future()
        self._queue.append((send, seconds, sent))
        if self._task is None:
            self._task = self._loop.create_task(self._work())
        return sent

    async def _work(self) -> None:
        while self._queue:
            send, seconds, sent = self._queue[0]
            try:
                await (send() if seconds is None else asyncio.wait_for(send(), seconds))
            except OSError:  # engines of ASGI 2.4, and pipes, say so if a client has left; a TimeoutError is one, too
                return self._on_left()
            except Exception as error:
                self.drop()
                return self._on_failed(error)
            if self._queue:  # nobody dropped it meanwhile
                self._queue.pop(0)
                if not sent.done():
                    sent.set_result(None)
        self._task = None
        return None

    def drop(self) -> None:
        """Forget what was not sent."""
        dropped, self._queue = self._queue, []
        for _, _, sent in dropped:
            if not sent.done():
                _close(sent)


def closed_future(loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
    """Return what Tornado returns for what is written to a client that has left."""
    future: asyncio.Future[None] = loop.create_future()
    _close(future)
    return future


def _close(future: asyncio.Future[None]) -> None:
    future.set_exception(StreamClosedError())
    future.exception()  # so that asyncio does not miss it if nobody waits
