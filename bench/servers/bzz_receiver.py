"""bzz with one receiver connected to each of the signals that are sent afterwards."""

from __future__ import annotations

from typing import Any

from bench.models import User
from bench.servers.bzz_server import make
from bench.servers.setting import PORT
from bzz import signals
from bzz.serving.server import serve

seen: set[Any] = set()


async def note(sender: type, instance: User) -> None:
    """Look at an instance, as a receiver would."""
    seen.add(instance.city)


async def note_all(sender: type, items: list[User]) -> None:
    """Look at each instance of a list."""
    seen.update(user.city for user in items)


if __name__ == "__main__":
    signals.post_get_list.connect(note_all, User)
    for each in ("get", "create", "update", "delete"):
        getattr(signals, f"post_{each}_instance").connect(note, User)
    serve(make, port=PORT)
