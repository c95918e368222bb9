"""Commands on one database's primary, the same on both drivers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from bson import Timestamp
from pymongo import ReadPreference

from bzz.providers.mongoengine.concurrency import Operations

__all__ = ["Commands"]

Reply = dict[str, Any]


class Commands:
    """Runs commands. They raise what the driver raises: whoever asks knows best what it means.

    :param database: of either driver.
    """

    def __init__(self, database: Any) -> None:
        self.database = database.with_options(read_preference=ReadPreference.PRIMARY)
        self._operations = Operations(database.client)

    async def run(self, command: Mapping[str, Any]) -> Reply:
        """Run a command that only reads, in bounded time; return the reply."""
        return await self._operations.run(lambda: self.database.command(command))

    async def all_of(self, pipeline: Sequence[Mapping[str, Any]]) -> list[Reply]:
        """Run an aggregation of the database; return all that it gives."""

        async def fetch() -> list[Reply]:
            cursor = self.database.aggregate(pipeline)
            if inspect.isawaitable(cursor):
                cursor = await cursor
            found: list[Reply] = await cursor.to_list(None)
            return found

        return await self._operations.run(fetch)

    async def change(self, command: Mapping[str, Any]) -> Reply:
        """Run a command that changes something, in bounded time; return the reply."""
        return await self._operations.run(lambda: self.database.command(command))

    async def hello(self) -> Reply:
        """Return what the primary says of itself."""
        admin = self.database.client.admin
        return await self._operations.run(lambda: admin.command({"hello": 1}, read_preference=ReadPreference.PRIMARY))

    async def last_write(self) -> Timestamp:
        """Return the cluster time of the last write that the primary has, acknowledged or not."""
        hello = await self.hello()
        found: Timestamp = hello["lastWrite"]["opTime"]["ts"] if "lastWrite" in hello else hello["operationTime"]
        return found

    async def last_commit(self) -> Timestamp:
        """Return the cluster time of the last write that a majority has.

        The primary of a replica set says it. ``mongos`` does not, but tells with a majority read when that was.
        """
        hello = await self.hello()
        if "lastWrite" in hello:
            told: Timestamp = hello["lastWrite"]["majorityOpTime"]["ts"]
            return told
        reply = await self.run(
            {"find": "bzz", "limit": 1, "projection": {"_id": 1}, "readConcern": {"level": "majority"}}
        )
        found: Timestamp = reply["operationTime"]
        return found
