"""The counters of a relay. Dropped messages are logged at most once a minute."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LOG_SECONDS", "Counts", "Stats"]

logger = logging.getLogger("bzz.relay")

LOG_SECONDS = 60.0
"""The least time between two log records about dropped messages."""

HARMLESS = frozenset({"duplicate"})
"""Reasons that are not logged: a message that was sent again, since its sender did not know whether it arrived."""


@dataclass(frozen=True)
class Stats:
    """The statistics of a relay since it was started.

    :param sent: the number of events that were sent.
    :param received: the number of events of other processes that were delivered here.
    :param lost: the number of events that were lost, by ``name/process`` of the sender; processes without losses are
        left out.
    :param dropped: the number of messages that this process dropped, by reason.
    :param queued: the number of messages that wait to be sent.
    """

    sent: int
    received: int
    lost: Mapping[str, int]
    dropped: Mapping[str, int]
    queued: int


class Counts:
    """The counters of one relay.

    :param name: its name in the log.
    """

    def __init__(self, name: str) -> None:
        self.sent = 0
        self.received = 0
        self.dropped: Counter[str] = Counter()
        self._name = name
        self._logged: Counter[str] = Counter()
        self._quiet_until = 0.0

    def drop(self, reason: str, count: int = 1) -> None:
        """Count a dropped message."""
        self.dropped[reason] += count
        if reason not in HARMLESS:
            self.log_dropped()

    def log_dropped(self) -> None:
        """Log what was dropped since the last log record, unless that is less than a minute old."""
        now = time.monotonic()
        if now < self._quiet_until:
            return
        fresh = self.dropped - self._logged
        shown = ", ".join(f"{count} {reason}" for reason, count in fresh.most_common() if reason not in HARMLESS)
        if shown:
            self._quiet_until = now + LOG_SECONDS
            self._logged = self.dropped.copy()
            logger.warning("relay %s dropped messages: %s", self._name, shown)
