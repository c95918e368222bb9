"""Writers of documents whose every change has a number, so that each of them can be missed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bzz.delivery.partitions import PARTITIONS
from tests.faults import SEED
from tests.faults.running import PATIENCE

__all__ = ["Turns"]

LIFE = 12
"""Every so many steps a document is deleted; the next one creates it anew."""


class Turns:
    """So many documents, each with one writer, who goes from step to step: created, updated, ..., deleted, created, ...

    :ivar steps: the last step of each document, as its writer knows it: acknowledged by a majority.
    :ivar odd: what was acknowledged and is not stored, as sentences.
    """

    def __init__(self, uri: str, database: str, number: int, pause: float = 0.5) -> None:
        self.steps: dict[str, int] = {}
        self.odd: list[str] = []
        self._client: AsyncMongoClient[Any] = AsyncMongoClient(uri, timeoutMS=3000)
        self._partitions = self._client[database]["bzz_listeners"]
        self._turns = self._client[database].get_collection(
            "turn", write_concern=WriteConcern("majority"), read_concern=ReadConcern("majority")
        )
        self._keys = [ObjectId() for _ in range(number)]
        self._pause = pause
        self._done = self._answered = 0
        self._stopping = False
        self._waits: Callable[[], bool] = lambda: False

    @property
    def number(self) -> int:
        """How many changes there are, as far as their writers know."""
        return sum(self.steps.values()) + len(self.steps)

    @asynccontextmanager
    async def at_work(self, waits: Callable[[], bool] = lambda: False) -> AsyncIterator[None]:
        """Have them write until the end of the block.

        :param waits: whether they have to wait: MongoDB forgets what is followed more slowly than it is written.
        """
        self._stopping, self._waits = False, waits
        tasks = [
            asyncio.ensure_future(self._work(each, random.Random(f"{SEED} {at}"))) for at, each in enumerate(self._keys)
        ]
        try:
            yield
        finally:
            self._stopping = True
            await asyncio.gather(*tasks)

    async def until_listened(self) -> None:
        """Wait until a durable listener is known: from then on it is told everything."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while await self._partitions.count_documents({"kind": "partition"}) < PARTITIONS:
            assert asyncio.get_running_loop().time() < deadline, "nobody listens"
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def until_done(self, more: int) -> None:
        """Wait until so many more writes were acknowledged."""
        await self._until(lambda: self._done, more)

    async def until_answered(self) -> None:
        """Wait until more writes were answered than can have been on their way, whatever the answers."""
        await self._until(lambda: self._answered, len(self._keys) + 1)

    async def _until(self, count: Callable[[], int], more: int) -> None:
        wanted, loop = count() + more, asyncio.get_running_loop()
        deadline = loop.time() + 2 * PATIENCE
        while count() < wanted:
            assert loop.time() < deadline, f"the writers do not go on: {self._done} writes"
            await asyncio.sleep(0.01)

    async def _work(self, key: ObjectId, choice: random.Random) -> None:
        step = -1
        while not self._stopping:
            step = await self._settled(key, step + 1)
            self.steps[str(key)] = step
            self._done += 1
            while self._waits() and not self._stopping:  # noqa: ASYNC110  # nothing says when it ends
                await asyncio.sleep(0.1)
            await asyncio.sleep(choice.random() * 2 * self._pause)

    async def _settled(self, key: ObjectId, step: int) -> int:
        """Take a step, however often that has to be tried; return it when a majority has it."""
        while True:
            try:
                if await self._take(key, step):
                    self._answered += 1
                    return step
                found = await self._turns.find_one({"_id": key})
            except PyMongoError:
                self._answered += 1
                await asyncio.sleep(0.05)
                continue
            if _is_at(found, step):  # by an attempt of which nobody knew
                return step
            if not _is_at(found, step - 1):
                self.odd.append(f"{key}: {found} is stored where step {step - 1} was acknowledged")
                return step

    async def _take(self, key: ObjectId, step: int) -> bool:
        where = {"_id": key, "step": step - 1}
        if _is_absent(step - 1):
            try:
                await self._turns.insert_one({"_id": key, "step": step})
            except DuplicateKeyError:
                return False
            return True
        if _is_absent(step):
            return (await self._turns.delete_one(where)).deleted_count == 1
        return (await self._turns.update_one(where, {"$set": {"step": step}})).matched_count == 1

    async def wrong(self) -> list[str]:
        """What was acknowledged and is not stored at the end, as sentences."""
        found = {each["_id"]: each async for each in self._turns.find()}
        stored = [(key, step, found.get(ObjectId(key))) for key, step in self.steps.items()]
        lost = [
            f"{key}: {each} is stored, and {step} was acknowledged"
            for key, step, each in stored
            if not _is_at(each, step)
        ]
        return [*self.odd, *lost]


def _is_at(document: Any, step: int) -> bool:
    return document is None if _is_absent(step) else document is not None and document["step"] == step


def _is_absent(step: int) -> bool:
    return step % LIFE == LIFE - 1
