"""A stream that an engine reads as a file, and so no faster than its client does.

RSGI has a call that sends a stream, and takes whatever it is given: one client that reads slowly would fill the memory.
A file it reads piece by piece, and a FIFO is a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

from tornado.iostream import PipeIOStream

__all__ = ["Fifo"]

_FIRST_LOOK = 0.0005
_LAST_LOOK = 0.05
"""How many seconds lie between two looks whether the engine has opened it, at first and at most."""


class Fifo:
    """One stream, from the moment at which the engine gets its ``path``.

    It is in the temporary directory, and removed as soon as both ends are open: a process that is killed leaves nothing
    but what it was opening at that moment.
    """

    opened: ClassVar[set[Fifo]] = set()
    """All of this process whose end is not said yet."""

    def __init__(self) -> None:
        self.opened.add(self)
        self.path = Path(tempfile.gettempdir(), f"bzz-{uuid4()}")
        os.mkfifo(self.path, 0o600)
        self._stream = asyncio.ensure_future(self._open())

    async def _open(self) -> PipeIOStream:
        """Open the end to write to, as soon as the other end is open."""
        pause = _FIRST_LOOK
        try:
            while True:
                try:
                    return PipeIOStream(os.open(self.path, os.O_WRONLY | os.O_NONBLOCK))
                except OSError as error:
                    if error.errno != errno.ENXIO:
                        raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_LOOK)
        finally:
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()

    async def write(self, data: bytes) -> None:
        """Write; return when the engine has taken all but what a pipe holds.

        :raises tornado.iostream.StreamClosedError: if the engine does not read any more.
        """
        stream = await asyncio.shield(self._stream)
        await stream.write(data)

    async def end(self) -> None:
        """Say that this was all."""
        (await asyncio.shield(self._stream)).close()
        self.opened.discard(self)

    def abort(self) -> None:
        """Let go of it, whether it was read or not."""
        self.opened.discard(self)
        if not self._stream.done():
            self._stream.cancel()
        elif not self._stream.cancelled() and self._stream.exception() is None:
            self._stream.result().close()
