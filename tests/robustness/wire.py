"""A TCP proxy on loopback between a driver and its MongoDB, which can delay, cut and refuse."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from types import TracebackType


class Wire:
    """Forwards to ``port`` on loopback; as a context manager it listens and stops.

    :ivar uri: where drivers connect to.
    """

    def __init__(self, port: int) -> None:
        self.target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._address = self._listener.getsockname()
        self.uri = f"mongodb://127.0.0.1:{self._address[1]}/?directConnection=true"
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: set[socket.socket] = set()
        self._drop_from: set[socket.socket] = set()
        self._cut_after: bytes | None = None
        self._stays_down = self._delivers = False
        self.cuts = 0

    def hold(self) -> None:
        """Let nothing through, with connections open, until :meth:`release`."""
        self._flowing.clear()

    def release(self) -> None:
        """Let everything flow again."""
        self._flowing.set()

    def cut_after(self, command: bytes, *, stay_down: bool) -> None:
        """Forward the next message that holds ``command``, let the server act on it, and cut before its answer.

        :param stay_down: whether new connections are refused from then on, so that no retry comes through.
        """
        self._stays_down = stay_down
        self._cut_after = command

    def down_after(self, command: bytes) -> None:
        """Answer the next message that holds ``command``, and then be down."""
        self._delivers = True
        self.cut_after(command, stay_down=True)

    def cut(self) -> None:
        """Close every connection and take no new ones until :meth:`mend`."""
        self._listener.close()
        self._close_all()

    def _close_all(self) -> None:
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Take connections again."""
        self._listener = socket.create_server(self._address)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def __enter__(self) -> Wire:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()
        self.cut()

    def _accept(self, listener: socket.socket) -> None:
        poll = 0.05  # seconds, after which a closed listener is noticed
        while listener.fileno() >= 0:
            with contextlib.suppress(OSError, ValueError):
                if select.select([listener], [], [], poll)[0]:
                    self._join(listener.accept()[0])

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            near.close()
            return
        self._open |= {near, far}
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=(source, sink, source is near), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_question: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                if source in self._drop_from:
                    if self._delivers:
                        sink.sendall(data)
                    self._drop()
                    break
                if is_question and self._cut_after is not None and self._cut_after in data:
                    self._cut_after = None
                    self._drop_from.add(sink)
                sink.sendall(data)
        for each in (source, sink):
            self._open.discard(each)
            each.close()

    def _drop(self) -> None:
        self.cuts += 1
        (self.cut if self._stays_down else self._close_all)()
