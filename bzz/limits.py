"""What one connection and one process may take."""

from __future__ import annotations

from dataclasses import dataclass

from bzz.errors import ConfigurationError

__all__ = ["Limits"]

_MOST = 2**31 - 1
"""The largest number that every engine takes; as seconds it is 68 years."""


@dataclass(frozen=True)
class Limits:
    """What one connection and one process may take. Tornado's own defaults wait an hour for a header, without end for a
    body and for a client that does not read, and take 100 MB.

    :param header_seconds: how long a client may take to send its headers, and a kept connection may idle.
    :param body_seconds: how long it may take to send a body.
    :param body_bytes: the longest body of any handler; models take 1 MiB at the most.
    :param write_seconds: how long it may take to read what is written at a time, and a second more for each 64 KiB.
    :param in_flight: how many requests one process answers at a time; further ones get a 503 in a moment.
    :param grace_seconds: how long a stop waits for the requests that are being answered, and for the background
        listeners of events.
    :raises bzz.errors.ConfigurationError: for what is no number, or less than nothing.
    """

    header_seconds: float = 30.0
    body_seconds: float = 60.0
    body_bytes: int = 10 * 1024 * 1024
    write_seconds: float = 60.0
    in_flight: int = 256
    grace_seconds: float = 30.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not 0 <= value <= _MOST:
                raise ConfigurationError(f"{name}: {value!r} must be a number from 0 to {_MOST:,}")

    def time_to_write(self, size: int) -> float:
        """Return how many seconds a client has to read ``size`` bytes.

        >>> Limits().time_to_write(128 * 1024)
        62.0
        """
        return self.write_seconds + size / 65536
