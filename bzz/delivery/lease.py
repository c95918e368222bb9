"""Whether this process may still act for what it owns, by its own clock."""

from __future__ import annotations

import time

__all__ = ["BEAT_SECONDS", "LEASE_SECONDS", "Expired", "Lease"]

LEASE_SECONDS = 12.0
"""How long a process that dies keeps others from its partitions."""

BEAT_SECONDS = 4.0
"""How often a process says that it is there."""

MARGIN_SECONDS = 1.0
"""How much earlier than the database a process thinks that its lease has ended: what clocks may differ in that time."""


class Expired(Exception):
    """The lease has ended, because this process was stopped or could not reach the database."""


class Lease:
    """The end of a lease, counted from before it was asked for, by a clock that goes on while a process is stopped."""

    def __init__(self) -> None:
        self._until = float("-inf")

    def prolong(self, asked_at: float) -> None:
        """Take note of a lease that the database has given.

        :param asked_at: the time of :func:`time.monotonic` before it was asked.
        """
        self._until = asked_at + LEASE_SECONDS - MARGIN_SECONDS

    def check(self) -> None:
        """Return while the lease is valid.

        :raises Expired: if it has ended.
        """
        if time.monotonic() >= self._until:
            raise Expired()
