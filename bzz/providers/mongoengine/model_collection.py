"""The collection of one class, opened for the event loop that runs and the connection that there is."""

from __future__ import annotations

import asyncio
import threading
from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from mongoengine.connection import ConnectionFailure as NotConnected

from bzz.batching import MAX_WAIT_SECONDS, Batcher
from bzz.errors import TOO_SLOW, Unavailable
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.client import Client, connected
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.shared_pages import SharedPages
from bzz.providers.mongoengine.shared_updates import SharedUpdates
from bzz.providers.mongoengine.worker import in_thread

__all__ = ["ModelCollection"]

_connecting = threading.Lock()
_index_locks: dict[Any, threading.Lock] = {}  # one for each class, so that no class waits for another's indexes


class _Open(NamedTuple):
    """What belongs to one event loop and one connection.

    :ivar made: MongoEngine's own collection object, or None if it has no connection.
    :ivar client: None if the application handed its own database in.
    """

    loop: asyncio.AbstractEventLoop
    made: Any
    client: Client | None
    collection: Collection
    fetches: Batcher[Any, Raw | None]
    inserts: Batcher[bytes, None]
    updates: SharedUpdates
    pages: SharedPages


class ModelCollection:
    """The collection of a class.

    :param model: the class.
    :param given: the database object that the application handed in, or None for the connection's own.
    """

    def __init__(self, model: Any, given: Any = None) -> None:
        self.model = model
        self._given = given
        self._opened: _Open | None = None

    @abstractmethod
    async def _fetch_group(self, collection: Collection, wanted: Sequence[Any]) -> list[Raw | Exception | None]:
        """Return the documents with these primary keys, a copy of its own to each asker."""

    @property
    def collection_name(self) -> str:
        """The name of the collection."""
        return internals.collection_name(self.model)

    def database(self) -> Any:
        """The asynchronous database, on a client of the running loop."""
        return self._given if self._given is not None else connected(internals.connection_alias(self.model)).database

    async def collection(self) -> Collection:
        """Return the collection on the running loop's client, after MongoEngine has made its indexes (once)."""
        return (await self._open()).collection

    async def _open(self) -> _Open:
        known = self._opened
        if (
            known is not None
            and known.loop is asyncio.get_running_loop()
            and known.made is internals.opened_collection(self.model)  # MongoEngine forgets it where it disconnects
            and not (known.client and known.client.keeper.done())
        ):
            return known
        self._opened = self._connect(await in_thread(self._make_indexes))
        return self._opened

    def _connect(self, made: Any) -> _Open:
        client = None if self._given is not None else connected(internals.connection_alias(self.model))
        database = self._given if client is None else client.database
        collection = Collection(database[self.collection_name])
        fetches = Batcher(partial(self._fetch_group, collection))
        inserts = Batcher(collection.insert, writes=True, weigh=len)
        shared = SharedUpdates(collection), SharedPages(collection)
        return _Open(asyncio.get_running_loop(), made, client, collection, fetches, inserts, *shared)

    def _make_indexes(self) -> Any:
        """Make the indexes, unless that has been done; return MongoEngine's own collection object, if there is one."""
        lock = _index_locks.setdefault(self.model, threading.Lock())
        if not lock.acquire(timeout=MAX_WAIT_SECONDS):
            raise Unavailable(TOO_SLOW)
        try:
            with _connecting:  # which MongoEngine does not do by itself
                internals.database(self.model)
            return internals.collection(self.model)
        except NotConnected:
            if self._given is None:
                raise
            return None
        except BaseException:
            internals.forget_collection(self.model)  # MongoEngine sets it first, and then would never make the indexes
            raise
        finally:
            lock.release()
