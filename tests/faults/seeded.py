"""Providers with a fault each: what a harness has to see before it is believed."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path as File
from typing import Any, ClassVar

from bzz.errors import NotFound, Unavailable
from bzz.live import subscription
from bzz.providers.base import Options, Page, Record, Store
from bzz.providers.changes import Changes, Commit, Matches, Position, Scope, Tick, Wanted
from bzz.providers.deliveries import Deliveries
from bzz.providers.history import History
from bzz.providers.mongoengine.provider import MongoEngineProvider

LATE_SECONDS = 1
"""So long that at any moment most writers wait for nothing else."""

OFTEN = 3
"""One request in so many goes wrong."""

RARELY = 5
"""One change in so many is lost."""


class Seeded(MongoEngineProvider):
    """Counts."""

    def __init__(self, model: type, options: Options) -> None:
        super().__init__(model, options)
        self._count = itertools.count(1)

    def _is_time(self) -> bool:
        return next(self._count) % OFTEN == 0


class LosesWrites(Seeded):
    """Acknowledges updates, some of which are gone afterwards."""

    async def update(self, *args: Any, **kwargs: Any) -> Any:
        changed = await super().update(*args, **kwargs)
        if self._is_time():
            await asyncio.to_thread(_forget, changed.record.instance)
        return changed


def _forget(instance: Any) -> None:
    collection = getattr(type(instance), "_get_collection", None)
    if collection is not None:  # embedded documents have none
        collection().update_one({"_id": instance.pk}, {"$unset": {"text": 1, "age": 1}})


class AnswersLate(Seeded):
    """Has written long before it answers: no fault, but a stop that does not wait is one then."""

    async def create(self, *args: Any, **kwargs: Any) -> Any:
        created = await super().create(*args, **kwargs)
        await asyncio.sleep(LATE_SECONDS)
        return created

    async def update(self, *args: Any, **kwargs: Any) -> Any:
        changed = await super().update(*args, **kwargs)
        await asyncio.sleep(LATE_SECONDS)
        return changed


class WaitsForFile(Seeded):
    """Answers reads when there is a file; no fault.

    :cvar gate: the file.
    """

    gate: ClassVar[File]

    async def get(self, *args: Any, **kwargs: Any) -> Record:
        while not self.gate.exists():  # noqa: ASYNC110  # another process makes it
            await asyncio.sleep(0.01)
        return await super().get(*args, **kwargs)


class CallsDoneUndone(Seeded):
    """Says of every update but the first that nothing was done, although it was."""

    _is_first = True

    async def update(self, *args: Any, **kwargs: Any) -> Any:
        changed = await super().update(*args, **kwargs)
        if not self._is_first:
            raise Unavailable()
        self._is_first = False
        return changed


class IgnoresPreconditions(Seeded):
    """Writes whatever the entity tag."""

    async def update(self, *args: Any, precondition: Any = None, **kwargs: Any) -> Any:
        return await super().update(*args, **kwargs)


class TellsStaleChanges(Seeded):
    """Tells that each change began where the one before began."""

    _before: Any = None

    async def update(self, *args: Any, **kwargs: Any) -> Any:
        changed = await super().update(*args, **kwargs)
        for each in changed.updated_fields.values():
            each["from"], self._before = self._before, each["from"]
        return changed


class ChoosesNoKeys(Seeded):
    """Has every document stored before anybody knows its id."""

    def new_key(self, path: Any) -> Any:
        return None


class ForgetsFields(Seeded):
    """Does not always store the age of a document that is made."""

    async def create(self, path: Any, values: Any, context: Any) -> Any:
        if self._is_time() and "age" in values:
            values = {name: value for name, value in values.items() if name != "age"}
        return await super().create(path, values, context)


class ShowsHidden(Seeded):
    """Hides nothing."""

    def __init__(self, model: type, options: Options) -> None:
        super().__init__(model, replace(options, hidden=()))


class MixesAnswers(Seeded):
    """Gives some the answer that another one was given."""

    _last: Record | None = None

    async def get(self, *args: Any, **kwargs: Any) -> Record:
        record = await super().get(*args, **kwargs)
        if self._is_time() and self._last is not None:
            return self._last
        self._last = record
        return record


class LogsDocuments(Seeded):
    """Logs what is stored."""

    async def get(self, *args: Any, **kwargs: Any) -> Record:
        record = await super().get(*args, **kwargs)
        if hasattr(record.instance, "to_mongo"):
            logging.getLogger("seeded").info("read %s", record.instance.to_mongo())
        return record


class Breaks(Seeded):
    """Has a mistake in its code."""

    async def page(self, *args: Any, **kwargs: Any) -> Page:
        if self._is_time():
            raise KeyError("seeded")
        return await super().page(*args, **kwargs)


class Keeps(Seeded):
    """Keeps four kilobytes of every read."""

    _kept: ClassVar[list[bytearray]] = []

    async def get(self, *args: Any, **kwargs: Any) -> Record:
        self._kept.append(bytearray(4096))
        return await super().get(*args, **kwargs)


class FindsNothing(Seeded):
    """Says that a document is not there although it is."""

    async def get(self, *args: Any, **kwargs: Any) -> Record:
        if self._is_time():
            raise NotFound()
        return await super().get(*args, **kwargs)


class KeepsOfFeeds(Seeded):
    """Keeps a task and sixteen kilobytes of every client of a feed."""

    _kept: ClassVar[list[Any]] = []

    async def scope(self, *args: Any, **kwargs: Any) -> Scope:
        self._kept.append((bytearray(16384), asyncio.create_task(asyncio.Event().wait())))
        return await super().scope(*args, **kwargs)


class BreaksFeeds(Seeded):
    """Has a mistake in its code."""

    async def scope(self, *args: Any, **kwargs: Any) -> Scope:
        if self._is_time():
            raise KeyError("seeded")
        return await super().scope(*args, **kwargs)


class WaitsForAll(Seeded):
    """Keeps whatever waits for clients of feeds."""

    def __init__(self, model: type, options: Options) -> None:
        super().__init__(model, options)
        subscription.MAX_BYTES = sys.maxsize


class LosesChanges(Seeded):
    """Does not tell every change to feeds."""

    def changes(self) -> Changes:
        return _of(super().changes(), Losing)


class SkipsMissed(Seeded):
    """Tells a feed that goes on where it was what happens from then on, and not what it has missed."""

    def changes(self) -> Changes:
        return _of(super().changes(), Skipping)


class Losing(Changes):
    """Changes of which one in :data:`RARELY` is lost.

    :param real: the changes of the database.
    """

    def __init__(self, real: Changes) -> None:
        self._real = real
        self._count = itertools.count(1)

    async def prepare(self, collections: Collection[str]) -> None:
        await self._real.prepare(collections)

    @property
    def store(self) -> Store:
        return self._real.store

    async def now(self) -> Position:
        return await self._real.now()

    @property
    def deliveries(self) -> Deliveries:
        return self._real.deliveries

    @property
    def history(self) -> History:
        return self._real.history

    async def existing(self, collection: str, at: Position, after: Any = None) -> AsyncGenerator[Sequence[Commit]]:
        return await self._real.existing(collection, at, after)

    def is_behind(self, key: Any, other: Any) -> bool:
        return self._real.is_behind(key, other)

    async def stream(
        self, collections: Collection[str], after: Position | None = None, wanted: Wanted = None
    ) -> AsyncGenerator[Commit | Tick]:
        async with aclosing(self._real.stream(collections, after, wanted)) as stream:
            async for each in stream:
                if isinstance(each, Tick) or next(self._count) % RARELY:
                    yield each

    async def match(self, commit: Commit, scopes: Sequence[Scope]) -> list[Matches]:
        return await self._real.match(commit, scopes)


class Skipping(Losing):
    """Changes of which those in the past are not told."""

    async def stream(
        self, collections: Collection[str], after: Position | None = None, wanted: Wanted = None
    ) -> AsyncGenerator[Commit | Tick]:
        async with aclosing(self._real.stream(collections, None, wanted)) as stream:
            async for each in stream:
                yield each


_made: dict[Changes, Changes] = {}


def _of(real: Changes, faulty: type[Losing]) -> Changes:
    return _made.setdefault(real, faulty(real))
