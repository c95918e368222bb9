"""A connection on its way from the event loop's hands into Tornado's."""

from __future__ import annotations

import asyncio
import os
import socket

from tornado.iostream import IOStream

__all__ = ["leave"]


def leave(transport: asyncio.Transport, received: bytes) -> IOStream:
    """Close a transport, but not its connection.

    :param received: what was read from it, and nobody has looked at yet.
    :returns: the connection as Tornado has it, on a duplicate of the socket: the loop closes its own.
    """
    transport.pause_reading()
    duplicate = os.dup(transport.get_extra_info("socket").fileno())
    transport.close()
    return _ReceivedFirst(socket.socket(fileno=duplicate), received)


class _ReceivedFirst(IOStream):
    """A stream that gives the bytes which were received before it was made, and then those of its socket."""

    def __init__(self, connected: socket.socket, received: bytes) -> None:
        self._received = received
        super().__init__(connected)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Called by Tornado: the number of bytes that were put into ``buf``, None where there are none."""
        if not self._received:
            return super().read_from_fd(buf)
        taken = self._received[: len(buf)]
        buf[: len(taken)] = taken
        self._received = self._received[len(taken) :]
        return len(taken)
