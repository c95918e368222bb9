"""The last changes, whichever process made them: for the page at ``/``."""

from __future__ import annotations

import os
from collections import deque
from typing import Any

from tornado.web import RequestHandler

import bzz
from bzz import codec

__all__ = ["Changed", "ChangesHandler", "relay"]

_recent: deque[dict[str, Any]] = deque(maxlen=20)


class Changed(bzz.Event, name="airports.changed"):
    """Somebody changed something; the loading of the demo is not told.

    :param what: the model and the deed, such as ``Airport.updated``.
    :param which: the id.
    :param fields: the fields that changed.
    """

    what: str
    which: str
    fields: list[str]


def relay(url: str) -> bzz.RedisRelay:
    """The relay that tells the other processes of the changes of this one, and this one of theirs."""
    made = bzz.RedisRelay(url, name=_process(), channel="airports")
    made.forward(Changed)
    return made


@bzz.on(Changed)
def remember(event: Changed) -> None:
    """Remember a change of this process, or one that the relay brings."""
    _recent.appendleft(
        {
            "at": event.occurred_at,
            "name": event.what,
            "id": event.which,
            "fields": event.fields,
            "process": event.remote.name if event.remote else _process(),
        }
    )


def _process() -> str:
    return f"process {os.getpid()}"


class ChangesHandler(RequestHandler):
    """``/changes``: the last changes as JSON, the newest first."""

    def get(self) -> None:
        """Answer them."""
        self.set_header("Content-Type", "application/json")
        self.write(codec.dumps(list(_recent)))
