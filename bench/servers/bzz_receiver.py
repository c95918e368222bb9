"""bzz with one receiver connected to each of the signals that are sent afterwards."""

from __future__ import annotations

from typing import Any

from tornado.web import Application

import bzz
from bench.models import User
from bench.servers import bzz_server
from bench.servers.setting import ENGINE, PORT
from bzz import signals

seen: set[Any] = set()


async def note(sender: type, instance: User) -> None:
    """Look at an instance, as a receiver would."""
    seen.add(instance.city)


async def note_all(sender: type, items: list[User]) -> None:
    """Look at each instance of a list."""
    seen.update(user.city for user in items)


def make() -> Application:
    """The application of ``bzz_server``, and who listens."""
    signals.post_get_list.connect(note_all, User)
    for each in ("get", "create", "update", "delete"):
        getattr(signals, f"post_{each}_instance").connect(note, User)
    return bzz_server.make()


if __name__ == "__main__":
    bzz.serve(make, port=PORT, server=ENGINE)
