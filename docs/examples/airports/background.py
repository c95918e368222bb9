"""Work beside the server, once requests are taken."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine

__all__ = ["Background"]


class Background:
    """Runs a coroutine for ``on_start`` of :func:`bzz.serve`, on the thread that it is called on.

    :param work: makes the coroutine, for the port.
    """

    def __init__(self, work: Callable[[int], Coroutine[None, None, None]]) -> None:
        self._work = work
        self._failure: Exception | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def __call__(self, port: int) -> None:
        """Run the work until it is done; where it fails, stop the server."""
        with self._lock:
            if self._stopped:
                return
            self._loop = asyncio.new_event_loop()
            self._task = self._loop.create_task(self._work(port))
        try:
            with contextlib.suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._task)
        except Exception as error:
            self._failure = error
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._ended.set()

    def stop(self) -> None:
        """Cancel the work if it still runs, and wait for its end.

        :raises Exception: what it failed with before.
        """
        with self._lock:
            self._stopped = True
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
            self._ended.wait()
            self._loop.close()
        if self._failure is not None:
            raise self._failure
