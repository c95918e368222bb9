"""A session of the driver for each partition that a process owns, by a name that the next owner knows.

MongoDB keeps a transaction whose client was killed for a minute, and locks what it wrote: the next owner could not
claim the partition until then. So it has the session ended first.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from bson.binary import UUID_SUBTYPE, Binary
from pymongo.errors import PyMongoError

from bzz.providers.mongoengine.concurrency import Operations

__all__ = ["ClaimSessions"]


@dataclass(frozen=True)
class _Own:
    session: Any
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class ClaimSessions:
    """The sessions of one process.

    :param client: of either driver.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._operations = Operations(client)
        self._own: dict[tuple[str, int], _Own] = {}

    async def begin(self, listener: str, partition: int, last: bytes | None) -> bytes:
        """Begin a session for a partition, and end the one that its last owner had; return the id of the new one.

        :param last: the id of that; None where there was none.
        """
        if last is not None:
            await self._kill(last)
        session = self._client.start_session()
        if inspect.isawaitable(session):
            session = await session  # Motor's
        self._own[listener, partition] = _Own(session)
        return bytes(session.session_id["id"])

    async def _kill(self, id: bytes) -> None:
        with suppress(PyMongoError):  # where this is not allowed, a transaction that was left may last its minute
            await self._operations.run(
                lambda: self._client.admin.command({"killSessions": [{"id": Binary(id, UUID_SUBTYPE)}]})
            )

    @asynccontextmanager
    async def of(self, listener: str, partition: int) -> AsyncIterator[Any]:
        """Give the session of a partition: one transaction at a time, for they would conflict."""
        own = self._own[listener, partition]
        async with own.turn:
            yield own.session
