"""What one connection and one process may take."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """What one connection and one process may take. Tornado's own defaults wait an hour for a header, without end for a
    body, and take 100 MB.

    :param header_seconds: how long a client may take to send its headers, and a kept connection may idle.
    :param body_seconds: how long it may take to send a body.
    :param body_bytes: the longest body of any handler; models take 1 MiB at the most.
    :param in_flight: how many requests one process answers at a time; further ones get a 503 at once.
    :param grace_seconds: how long a stop waits for the requests that are being answered, and for the background
        listeners of events.
    """

    header_seconds: float = 30.0
    body_seconds: float = 60.0
    body_bytes: int = 10 * 1024 * 1024
    in_flight: int = 256
    grace_seconds: float = 30.0
