"""The frames of a feed as bytes: ``text/event-stream`` (https://html.spec.whatwg.org, section 9.2).

Values in, bytes out; no sockets. The rules:

- ``retry`` and a comment come first, so that proxies and clients see that the answer has begun.
- A frame is ``event``, ``data`` (one line of JSON) and, where it marks a true position, ``id``.
- A frame after which the client has to begin anew has an empty ``id``: a browser's EventSource then forgets the
  position it knew, and does not send it again.
"""

from __future__ import annotations

from typing import Any, Literal

from bzz.codec import dumps

__all__ = ["OPENING", "PING", "READY", "ResetReason", "event", "identified", "reset"]

RETRY_MILLISECONDS = 2000

OPENING = b"retry: %d\n: the feed begins\n\n" % RETRY_MILLISECONDS

ResetReason = Literal[
    "dropped",
    "forbidden",
    "history-lost",
    "incomplete",
    "position",
    "scope",
    "shutdown",
    "slow",
    "too-large",
    "unavailable",
]
"""Why a feed ends. The last position still holds after ``shutdown``, ``slow`` and ``unavailable`` only."""

_RESUMABLE = ("shutdown", "slow", "unavailable")


def event(name: str, data: Any) -> bytes:
    """Return a frame but for its id and its end, see :func:`identified`.

    :param data: a value that JSON can hold.

    >>> event("ping", {})
    b'event: ping\\ndata: {}\\n'
    """
    return b"event: %s\ndata: %s\n" % (name.encode(), dumps(data))


def identified(frame: bytes, position: str | None = None) -> bytes:
    """Return a whole frame.

    :param frame: from :func:`event`.
    :param position: sealed, where the frame marks one.

    >>> identified(event("ping", {}), "v1.1.2.0.x")
    b'event: ping\\ndata: {}\\nid: v1.1.2.0.x\\n\\n'
    """
    return frame + b"\n" if position is None else b"%sid: %s\n\n" % (frame, position.encode())


def reset(reason: ResetReason) -> bytes:
    """Return the last frame of a feed, which says why it ends.

    >>> reset("slow")
    b'event: reset\\ndata: {"reason":"slow"}\\n\\n'
    >>> reset("scope")
    b'event: reset\\ndata: {"reason":"scope"}\\nid: \\n\\n'
    """
    return identified(event("reset", {"reason": reason}), None if reason in _RESUMABLE else "")


READY = event("ready", {})
PING = event("ping", {})
