"""``text/event-stream`` read back: bytes in, frames out; no sockets (https://html.spec.whatwg.org, section 9.2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Frame", "FrameReader"]

_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Frame:
    """One frame: its event, its data, and the position after it."""

    event: str
    data: str
    id: str


class FrameReader:
    """Reads the frames of one stream, in whatever pieces its bytes come.

    :ivar last_id: the position of the last frame that had one; empty before the first.
    :ivar retry_seconds: how long to wait before a new connection; None where the stream does not say.
    """

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry_seconds: float | None = None
        self._rest = b""
        self._event, self._data, self._id = "", list[str](), last_id

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        r"""Yield the frames that these bytes complete.

        >>> reader = FrameReader()
        >>> list(reader.feed(b"event: up")), list(reader.feed(b"dated\ndata: 1\nid: a\n\n"))
        ([], [Frame(event='updated', data='1', id='a')])
        """
        *lines, self._rest = _LINE_END.split(self._rest + chunk)
        if self._rest == b"" and chunk.endswith(b"\r"):  # its line feed may still come
            self._rest = lines.pop() + b"\r"
        for line in lines:
            if line:
                self._take(line.decode(errors="replace"))
                continue
            self.last_id = self._id  # only now: what breaks off before its end was not seen
            if self._data:
                yield Frame(self._event or "message", "\n".join(self._data), self.last_id)
            self._event, self._data = "", []

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isdigit():
            self.retry_seconds = int(value) / 1000
