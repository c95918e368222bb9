"""Sessions that ended before their tokens did: the stores of revoked session ids.

A token is good until it expires, wherever a copy of it is. An application that wants sign-out to end the copies too
gives ``AuthHive.configure`` a store; each guarded request then asks it once.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from datetime import datetime, timezone
from typing import Any

__all__ = ["MemoryRevocation", "MongoRevocation", "RevocationStore"]


class RevocationStore(ABC):
    """Remembers revoked session ids for as long as a token of theirs could still be used."""

    @abstractmethod
    async def revoke(self, session_id: str, until: int) -> None:
        """Remember ``session_id`` until the time ``until``, in seconds since the epoch."""

    @abstractmethod
    async def is_revoked(self, session_id: str) -> bool:
        """Whether ``session_id`` was revoked and is still remembered."""


class MemoryRevocation(RevocationStore):
    """A store in this process's memory: for development, and lost with the process."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}

    async def revoke(self, session_id: str, until: int) -> None:
        now = time.time()
        self._until = {each: end for each, end in self._until.items() if end > now}
        self._until[session_id] = until

    async def is_revoked(self, session_id: str) -> bool:
        return self._until.get(session_id, 0) > time.time()


class MongoRevocation(RevocationStore):
    """A store in a MongoDB collection whose TTL index removes what has expired.

    :param collection: an asynchronous collection, of Motor or of PyMongo's ``AsyncMongoClient``.
    """

    def __init__(self, collection: Any) -> None:
        self._collection = collection
        self._indexed = False

    async def revoke(self, session_id: str, until: int) -> None:
        if not self._indexed:
            await self._collection.create_index("until", expireAfterSeconds=0)
            self._indexed = True
        end = datetime.fromtimestamp(until, timezone.utc)
        await self._collection.update_one({"_id": session_id}, {"$max": {"until": end}}, upsert=True)

    async def is_revoked(self, session_id: str) -> bool:
        return await self._collection.find_one({"_id": session_id}, {"_id": 1}) is not None
