"""What a relay has done: counted, and what was dropped told in the log at most once a minute."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LOG_SECONDS", "Counts", "Stats"]

logger = logging.getLogger("bzz.relay")

LOG_SECONDS = 60.0
"""How long the log is silent about dropped messages after it told of some."""

HARMLESS = frozenset({"duplicate"})
"""Reasons that are counted and not logged: a message that was sent again since nobody knew whether it had arrived."""


@dataclass(frozen=True)
class Stats:
    """What a relay has done since it was started.

    :param sent: how many events were handed to the transport.
    :param received: how many events of other processes were sent to the listeners here.
    :param lost: how many events of each other process never got here, by ``name/process``; those that lost none are
        left out.
    :param dropped: how many messages this process threw away, by reason.
    :param queued: how many messages wait to be sent.
    """

    sent: int
    received: int
    lost: Mapping[str, int]
    dropped: Mapping[str, int]
    queued: int


class Counts:
    """Counters of one relay.

    :param name: what the log calls it.
    """

    def __init__(self, name: str) -> None:
        self.sent = 0
        self.received = 0
        self.dropped: Counter[str] = Counter()
        self._name = name
        self._told: Counter[str] = Counter()
        self._quiet_until = 0.0

    def drop(self, reason: str, count: int = 1) -> None:
        """Count a message that is thrown away."""
        self.dropped[reason] += count
        if reason not in HARMLESS:
            self.tell()

    def tell(self) -> None:
        """Log what was dropped since the log last told, unless that is less than a minute ago."""
        now = time.monotonic()
        if now < self._quiet_until:
            return
        fresh = self.dropped - self._told
        shown = ", ".join(f"{count} {reason}" for reason, count in fresh.most_common() if reason not in HARMLESS)
        if shown:
            self._quiet_until = now + LOG_SECONDS
            self._told = self.dropped.copy()
            logger.warning("relay %s dropped messages: %s", self._name, shown)
