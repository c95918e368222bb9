"""The last changes, whichever process made them: for the page at ``/``."""

from __future__ import annotations

from collections import deque
from typing import Any

from tornado.web import RequestHandler

import bzz
from bzz import codec
from bzz.events import Created, Deleted, Updated

__all__ = ["ChangesHandler", "connect", "relay"]

_recent: deque[dict[str, Any]] = deque(maxlen=20)


def connect() -> None:
    """Start remembering changes: those of this process, and those that a relay brings."""
    for kind in (Created, Updated, Deleted):
        bzz.on(kind)(remember)


def remember(event: Created[Any] | Updated[Any] | Deleted[Any]) -> None:
    """Remember one change."""
    _recent.appendleft(
        {
            "at": event.occurred_at,
            "name": event.name,
            "id": str(getattr(event.instance, "pk", "")),
            "fields": sorted(getattr(event, "diff", ())),
            "process": event.remote.name if event.remote else "this process",
        }
    )


def relay(url: str, name: str) -> bzz.RedisRelay:
    """The relay that tells the other process of the changes of this one."""
    made = bzz.RedisRelay(url, name=name, channel="airports")
    made.forward("*.created", "*.updated", "*.deleted")
    return made


class ChangesHandler(RequestHandler):
    """``/changes``: the last changes as JSON, the newest first."""

    def get(self) -> None:
        """Answer them."""
        self.set_header("Content-Type", "application/json")
        self.write(codec.dumps(list(_recent)))
