"""The port or Unix socket on which a server listens."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tornado.netutil import bind_sockets, bind_unix_socket

__all__ = ["Endpoint", "port_of"]


@dataclass(frozen=True)
class Endpoint:
    """A port of an address, or a Unix socket.

    :param port: 0 takes a free one.
    """

    port: int
    address: str
    unix_socket: Path | None
    _made: list[tuple[int, int]] = field(default_factory=list)  # what tells the socket file from a later one

    def bind(self) -> list[socket.socket]:
        """Return listening sockets.

        :raises OSError: if it is taken; a socket file on which no server listens is not.
        """
        if self.unix_socket is None:
            return bind_sockets(self.port, self.address)
        if self.is_reached():
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), str(self.unix_socket))
        try:
            bound = bind_unix_socket(str(self.unix_socket))
        except ValueError:  # it is another kind of file
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), str(self.unix_socket)) from None
        self._made[:] = [_mark(self.unix_socket)]
        return [bound]

    def release(self, sockets: Iterable[socket.socket]) -> None:
        """Close the sockets, and remove the file of a Unix socket, unless another server has made its own meanwhile."""
        for each in sockets:
            each.close()
        if self.unix_socket is not None:
            with suppress(FileNotFoundError):
                if _mark(self.unix_socket) in self._made:
                    self.unix_socket.unlink()

    def is_reached(self) -> bool:
        """Return whether a server listens there."""
        try:
            if self.unix_socket is None:
                socket.create_connection((self.address, self.port), timeout=1).close()
            else:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(str(self.unix_socket))
        except OSError:
            return False
        return True


def _mark(file: Path) -> tuple[int, int]:
    """Return what tells a file from a later one of its name, which may have its inode."""
    found = file.stat()
    return found.st_ino, found.st_mtime_ns


def port_of(sockets: Sequence[socket.socket]) -> int:
    """Return the port of listening sockets; 0 for a Unix socket."""
    name = sockets[0].getsockname()
    return int(name[1]) if isinstance(name, tuple) else 0
