"""How many feeds there may be, and with which key their positions are sealed: the settings of one application."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tornado.web import Application, RequestHandler

from bzz.errors import TooManyRequests, Unavailable
from bzz.live.positions import Sealer, shared_key
from bzz.providers.changes import Changes

__all__ = ["LiveSettings", "settings_of", "unwatch_feeds", "watch_feeds"]

SETTING = "bzz_live"

RETRY_SECONDS = 5


@dataclass
class LiveSettings:
    """The settings of the feeds of one application.

    :param key: seals positions; None for one that is kept in the database.
    :param max_feeds: how many this process has at a time, and for one user, and for one address.
    """

    key: bytes | None = None
    max_feeds: int = 10_000
    max_feeds_per_user: int = 64
    max_feeds_per_address: int = 1024
    _open: Counter[Hashable] = field(default_factory=Counter)
    _sealers: dict[Changes, Sealer] = field(default_factory=dict)

    async def sealer(self, changes: Changes) -> Sealer:
        """Return what seals the positions of a database."""
        found = self._sealers.get(changes)
        if found is None:
            found = self._sealers[changes] = Sealer(self.key or await shared_key(changes.store))
        return found

    def count(self, handler: RequestHandler) -> Sequence[Hashable]:
        """Count a feed; return what :meth:`uncount` takes when it has ended.

        :raises bzz.errors.Unavailable: where this process has as many as it may have.
        :raises bzz.errors.TooManyRequests: where the user or the address has.
        """
        user = handler.current_user
        keys: list[tuple[Hashable, int]] = [
            ("all", self.max_feeds),
            (("address", handler.request.remote_ip), self.max_feeds_per_address),
        ]
        if user is not None:
            keys.append((("user", _name(user)), self.max_feeds_per_user))
        for key, most in keys:
            if self._open[key] >= most:
                if key == "all":
                    raise Unavailable("There are too many feeds at the moment.", RETRY_SECONDS)
                raise TooManyRequests("You have too many feeds at the moment; close one.", RETRY_SECONDS)
        counted = tuple(key for key, _ in keys)
        self._open.update(counted)
        _tell(1)
        return counted

    def uncount(self, counted: Sequence[Hashable]) -> None:
        """Count a feed out."""
        self._open.subtract(counted)
        _tell(-1)
        for key in counted:
            if not self._open[key]:
                del self._open[key]


_watchers: list[Callable[[int], None]] = []


def watch_feeds(tell: Callable[[int], None]) -> None:
    """Have ``tell`` called with 1 for each feed that begins, and with -1 for each that ends."""
    _watchers.append(tell)


def unwatch_feeds(tell: Callable[[int], None]) -> None:
    """Stop calling ``tell``."""
    _watchers.remove(tell)


def _tell(change: int) -> None:
    for tell in _watchers:
        tell(change)


def settings_of(app: Application) -> LiveSettings:
    """Return the settings of an application, the defaults where it has none."""
    found: LiveSettings = app.settings.setdefault(SETTING, LiveSettings())
    return found


def _name(user: Any) -> Hashable:
    """What tells one user from another: provider and id, or the text of whatever the application has."""
    if isinstance(user, dict) and "id" in user:
        return (str(user.get("provider")), str(user["id"]))
    for name in ("pk", "id"):
        if hasattr(user, name):
            return str(getattr(user, name))
    return str(user)
