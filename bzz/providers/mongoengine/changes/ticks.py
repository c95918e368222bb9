"""How far an idle change stream has come.

A resume token does not say in a documented way which cluster time it stands for. But tokens can be compared (so the
reference of ``watch()`` says), and the server gives the token of any cluster time, as the ``postBatchResumeToken`` of a
stream that begins there and has read nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NamedTuple

from pymongo.errors import PyMongoError

from bzz.change import Position
from bzz.errors import Unavailable
from bzz.providers.changes import Tick
from bzz.providers.mongoengine.changes.commands import Commands

__all__ = ["Ticks"]

TICK_SECONDS = 10.0
"""How often an idle stream is asked how far it has come. MongoDB itself writes something every ten seconds."""


class _Mark(NamedTuple):
    position: Position
    token: str


class Ticks:
    """Tells how far one stream has come.

    :param commands: of its database.
    """

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._mark: _Mark | None = None
        self._look_at = 0.0  # as soon as it is idle: somebody may wait for it to have come far enough

    async def passed(self, token: str, last: Position) -> Tick | None:
        """Return how far a stream has come that has nothing to tell for now, if that is news.

        :param token: up to which it has read.
        :param last: what was told last of it.
        """
        loop = asyncio.get_running_loop()
        if self._mark is None and loop.time() >= self._look_at:
            self._look_at = loop.time() + TICK_SECONDS
            with suppress(PyMongoError, Unavailable):  # the stream itself will notice
                self._mark = await self._now()
        if self._mark is None or token < self._mark.token:
            return None
        position, self._mark = self._mark.position, None
        return Tick(position) if position > last else None

    async def _now(self) -> _Mark:
        time = await self._commands.last_commit()
        pipeline = [{"$changeStream": {"startAtOperationTime": time}}]
        reply = await self._commands.run({"aggregate": 1, "pipeline": pipeline, "cursor": {"batchSize": 0}})
        cursor = reply["cursor"]
        await self._commands.run({"killCursors": "$cmd.aggregate", "cursors": [cursor["id"]]})
        # Changes at that very time may be still to come: 0 stands before them.
        return _Mark(Position(time.time, time.inc, 0), cursor["postBatchResumeToken"]["_data"])
