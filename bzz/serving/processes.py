"""Several processes on one port: started, started again when they die, and stopped together."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence

from bzz.errors import BzzError

__all__ = ["supervise"]

logger = logging.getLogger("bzz.serving")

QUICK_SECONDS = 1.0
MAX_QUICK_DEATHS = 5


def supervise(run: Callable[[], None], number: int, sockets: Sequence[socket.socket], grace: float) -> None:
    """Run a function in several processes until SIGTERM or SIGINT.

    Must be called before any thread or event loop is started: processes are made by ``fork``.

    :param run: what each process does; it returns after SIGTERM.
    :param sockets: the listening sockets; this process closes its own when it stops.
    :param grace: how many seconds the processes have to stop before they are killed.
    :raises bzz.errors.BzzError: where processes die as fast as they are started.
    """
    stopping: list[int] = []
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda number, frame: stopping.append(number))
    children = {_start(run): time.monotonic() for _ in range(number)}
    quick_deaths = 0
    while not stopping:
        pid = _wait_for_one()
        if pid in children and not stopping:
            quick_deaths = quick_deaths + 1 if time.monotonic() - children.pop(pid) < QUICK_SECONDS else 0
            logger.error("process %d died; starting another", pid)
            if quick_deaths >= MAX_QUICK_DEATHS:
                _stop(children, grace)
                raise BzzError("the processes die as fast as they are started: see the log above")
            children[_start(run)] = time.monotonic()
    for each_socket in sockets:
        each_socket.close()
    _stop(children, grace)


def _start(run: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        run()
        status = 0
    except BaseException:
        logger.exception("a serving process failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _wait_for_one() -> int:
    """The id of a process that ended, or 0 after a while."""
    pid, _ = os.waitpid(-1, os.WNOHANG)
    if not pid:
        time.sleep(0.05)
    return pid


def _stop(children: dict[int, float], grace: float) -> None:
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace + 1
    while children:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        children.pop(pid, None)
        if not pid:
            if time.monotonic() > deadline:
                for left in children:
                    os.kill(left, signal.SIGKILL)
            time.sleep(0.01)
