"""The stores of revoked sessions.

A token is valid until it expires, wherever a copy of it is. If sign-out is to invalidate the copies, give
``AuthHive.configure`` a store; each guarded request then asks it once.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from bzz.auth.http import unavailable_on
from bzz.auth.mongodb import store_in
from bzz.errors import ConfigurationError, OutcomeUnknown, Unavailable
from bzz.providers.base import Entry

__all__ = ["MemoryRevocation", "MongoRevocation", "RevocationStore", "user_key"]


def user_key(provider: str, user_id: str) -> str:
    """Return the key of a user in a store: ids are unique within one provider only.

    >>> user_key("google", "7")
    'user google:7'
    """
    return f"user {provider}:{user_id}"


class RevocationStore(ABC):
    """Keeps revoked session ids as long as a token of theirs could still be valid."""

    @abstractmethod
    async def revoke(self, session_id: str, until: int) -> None:
        """Keep ``session_id`` until the time ``until``, in seconds since the epoch."""

    @abstractmethod
    async def is_revoked(self, session_id: str) -> bool:
        """Return whether ``session_id`` is revoked."""

    async def revoke_user(self, user: str, before: float, until: int) -> None:
        """Revoke the sessions of ``user`` that began at ``before`` or earlier, and keep that until ``until``.

        :param user: a :func:`user_key`; ``before`` and ``until`` are seconds since the epoch.
        :raises bzz.errors.ConfigurationError: if the store has only the other two methods.
        """
        raise ConfigurationError(f"{type(self).__name__} has no revoke_user")

    async def has_ended(self, session_id: str, user: str, started: float) -> bool:
        """Return whether ``session_id`` is revoked, or all sessions of ``user`` that began at ``started``."""
        return await self.is_revoked(session_id)


class MemoryRevocation(RevocationStore):
    """A store in memory, for development. It is lost with the process."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}
        self._before: dict[str, float] = {}

    async def revoke(self, session_id: str, until: int) -> None:
        now = time.time()
        self._until = {each: end for each, end in self._until.items() if end > now}
        self._until[session_id] = until

    async def revoke_user(self, user: str, before: float, until: int) -> None:
        await self.revoke(user, until)
        self._before = {each: at for each, at in self._before.items() if each in self._until}
        self._before[user] = before

    async def has_ended(self, session_id: str, user: str, started: float) -> bool:
        return await self.is_revoked(session_id) or started <= self._before.get(user, 0.0)

    async def is_revoked(self, session_id: str) -> bool:
        return self._until.get(session_id, 0) > time.time()


class MongoRevocation(RevocationStore):
    """A store in a MongoDB collection, from which a TTL index removes expired entries.

    :param collection: an asynchronous collection, of Motor or of PyMongo's ``AsyncMongoClient``.
    """

    def __init__(self, collection: Any) -> None:
        self._store = store_in(collection, "until")

    async def revoke(self, session_id: str, until: int) -> None:
        await self._put(session_id, until, {})

    async def revoke_user(self, user: str, before: float, until: int) -> None:
        await self._put(user, until, {"before": before})

    async def has_ended(self, session_id: str, user: str, started: float) -> bool:
        with _unavailable():
            found = await self._store.get([session_id, user])
        return session_id in found or (user in found and found[user].value["before"] >= started)

    async def is_revoked(self, session_id: str) -> bool:
        with _unavailable():
            return bool(await self._store.get([session_id]))

    async def _put(self, key: str, until: float, value: Mapping[str, float]) -> None:
        """Store ``value`` until ``until``; if there is an entry already, keep the later times."""
        expected: Entry | None = None
        with _unavailable():
            while not await self._store.put(key, value, expected, expires=until):
                expected = (await self._store.get([key])).get(key)
                if expected is not None:
                    known = expected.value
                    until = max(until, expected.expires or until)
                    value = {**known, **{name: max(own, known.get(name, own)) for name, own in value.items()}}


def _unavailable() -> AbstractContextManager[None]:
    """Answer 503 if the outcome is unknown too: to revoke again does no harm, so the client may repeat it."""
    return unavailable_on("revocation", Unavailable, OutcomeUnknown)
