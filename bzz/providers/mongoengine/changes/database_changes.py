"""The committed changes of one MongoDB database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from typing import Any, cast
from weakref import WeakKeyDictionary

from bson import Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo.errors import InvalidOperation, PyMongoError
from pymongo.write_concern import WriteConcern

from bzz.change import Position
from bzz.errors import Unavailable
from bzz.providers.base import Store
from bzz.providers.changes import Changes, Commit, HistoryLost, Matches, Scope, Tick, Wanted
from bzz.providers.deliveries import Deliveries
from bzz.providers.history import History
from bzz.providers.mongoengine.changes.change_stream import ChangeStream
from bzz.providers.mongoengine.changes.commands import Commands
from bzz.providers.mongoengine.changes.commits import CommitReader, StoredCommit, existing_document
from bzz.providers.mongoengine.changes.deliveries import MongoDeliveries
from bzz.providers.mongoengine.changes.history import MongoHistory
from bzz.providers.mongoengine.changes.images import collation_of, keep_images, require_change_streams
from bzz.providers.mongoengine.changes.key_order import sort_key
from bzz.providers.mongoengine.changes.matching import match, try_query
from bzz.providers.mongoengine.changes.scopes import StoredScope
from bzz.providers.mongoengine.changes.snapshot import position_after, read_snapshot
from bzz.providers.mongoengine.changes.ticks import Ticks
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.failures import reading
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.store import MongoStore
from bzz.providers.paging import Key

__all__ = ["DatabaseChanges", "changes_of"]

logger = logging.getLogger("bzz.database")

STORE = "bzz"
"""The collection of the small store."""

TRIED_QUERIES = 4096
"""How many queries are remembered as such that can be asked of single documents."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0


class DatabaseChanges(Changes):
    """The changes of one database, as one client sees it.

    :param database: of either driver.
    """

    def __init__(self, database: Any) -> None:
        self.commands = Commands(database)
        self._database = database
        self._documents: dict[str, DocumentStore] = {}
        self._collations: dict[str, Raw | None] = {}
        self._tried: dict[str, None] = {}
        self._store = MongoStore(database.with_options(write_concern=WriteConcern("majority"))[STORE])
        self._deliveries = MongoDeliveries(database)
        self._history = MongoHistory(database)

    @property
    def store(self) -> Store:
        return self._store

    @property
    def deliveries(self) -> Deliveries:
        return self._deliveries

    @property
    def history(self) -> History:
        return self._history

    def know(self, documents: DocumentStore) -> None:
        """Have :meth:`prepare` make the collection of a model as the model wants it."""
        self._documents.setdefault(documents.collection_name, documents)

    async def prepare(self, collections: Collection[str]) -> None:
        await require_change_streams(self.commands)
        for name in collections:
            if name in self._documents:
                await self._documents[name].collection()
            await keep_images(self.commands, name)
            self._collations[name] = await collation_of(self.commands, name)

    async def now(self) -> Position:
        with reading():
            return position_after(await self.commands.last_commit())

    async def stream(
        self,
        collections: Collection[str],
        after: Position | None = None,
        wanted: Wanted = None,
    ) -> AsyncGenerator[Commit | Tick]:
        last = await self._start(after)
        stream = ChangeStream(self._database, collections, Timestamp(last.seconds, last.increment))
        reader = CommitReader(collections, self._database.codec_options, wanted)
        ticks = Ticks(self.commands)
        start = last
        try:
            await stream.open()
            yield Tick(start)
            while True:
                event = await stream.read()
                if event is None:
                    tick = await ticks.passed(stream.token, last)
                    if tick is not None:
                        last = tick.position
                        yield tick
                    continue
                for commit in reader.commits(event):
                    if commit.position > start:
                        last = max(last, commit.position)
                        if isinstance(commit, Commit) or not stream.has_more:  # of many ticks the last one says it
                            yield commit
        finally:
            await stream.close()

    async def _start(self, after: Position | None) -> Position:
        """The position to begin after; waits for the database where it is away.

        :raises bzz.providers.changes.HistoryLost: for a position that the database has not reached: it is an older
            copy, or another one.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                if after is None:
                    return position_after(await self.commands.last_commit())
                if after > position_after(await self.commands.last_write()):
                    raise HistoryLost("the database has not come to this position yet")
                return after
            except InvalidOperation:  # the client was closed
                raise Unavailable() from None
            except (PyMongoError, Unavailable) as error:
                logger.warning(
                    "The changes of %s cannot be followed yet: %s", self._database.name, type(error).__name__
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def existing(self, collection: str, at: Position, after: Any = None) -> AsyncGenerator[Sequence[Commit]]:
        # As an expression, since $gt of a query passes over all keys of other types.
        query = {} if after is None else {"$expr": {"$gt": ["$_id", {"$literal": after}]}}
        options = self._database.codec_options
        simple = {"locale": "simple"}  # by which keys are compared here, too
        position, batches = await read_snapshot(
            self.commands, collection, query, [Key("_id", 1)], options.with_options(document_class=RawBSONDocument),
            at, collation=simple,
        )  # fmt: skip

        async def read() -> AsyncGenerator[Sequence[Commit]]:
            async with aclosing(batches):
                async for batch in batches:
                    yield [
                        existing_document(cast("RawBSONDocument", each), collection, position, options)
                        for each in batch
                    ]

        return read()

    def is_behind(self, key: Any, other: Any) -> bool:
        options = self._database.codec_options
        return bool(sort_key(key, options) > sort_key(other, options))

    async def match(self, commit: Commit, scopes: Sequence[Scope]) -> list[Matches]:
        own = cast("Sequence[StoredScope]", scopes)
        return await match(self.commands, cast("StoredCommit", commit), own, self._collations.get(commit.collection))

    async def try_scope(self, scope: StoredScope, query: Raw) -> None:
        """Check that a scope can be asked of single documents.

        :raises bzz.errors.BadRequest: if it cannot.
        """
        if scope.is_all or scope.classes is not None or scope.key in self._tried:
            return
        await try_query(self.commands, query, scope.query)
        if len(self._tried) >= TRIED_QUERIES:
            del self._tried[next(iter(self._tried))]
        self._tried[scope.key] = None


_known: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[int, str], DatabaseChanges]] = WeakKeyDictionary()


def changes_of(database: Any) -> DatabaseChanges:
    """Return the changes of a database on the running event loop: the same ones for all who ask."""
    known = _known.setdefault(asyncio.get_running_loop(), {})
    key = (id(database.client), database.name)
    if key not in known:
        known[key] = DatabaseChanges(database)  # which keeps the client, so that its id stays its own
    return known[key]
