"""The documents of one class in the database: found within the model's own hooks, and written.

What MongoDB refuses for its data is translated here for clients. What a path or an edit is, is not known.
"""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from bson import Decimal128
from mongoengine.connection import ConnectionFailure as NotConnected
from pymongo.errors import OperationFailure

from bzz.batching import MAX_WAIT_SECONDS, Batcher
from bzz.errors import TOO_SLOW, ConfigurationError, NotFound, Unavailable
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.client import Client, connected
from bzz.providers.mongoengine.codecs.checks import BAD_VALUE
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.documents_by_key import DocumentsByKey
from bzz.providers.mongoengine.querysets import Querysets
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.rejections import rejected
from bzz.providers.mongoengine.scoping import Scoping
from bzz.providers.mongoengine.shared_pages import SharedPages
from bzz.providers.mongoengine.shared_updates import SharedUpdates
from bzz.providers.mongoengine.updates import InPlace, applied
from bzz.providers.mongoengine.worker import in_thread
from bzz.providers.options import ScopeOf
from bzz.shape import Field

__all__ = ["DocumentStore"]


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


class DocumentStore(DocumentsByKey):
    """One class's documents.

    :param codec: the class.
    :param given: the database object that the application handed in, or None for the connection's own.
    :param scope: returns what documents have to meet to be there for a request.
    """

    def __init__(self, codec: DocumentCodec, given: Any = None, scope: ScopeOf | None = None) -> None:
        self.codec = codec
        self.model: Any = codec.model
        self._given = given
        self._querysets = Querysets(self.model)
        self.scoping = Scoping(codec, scope)
        self._opened: _Open | None = None

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

    # -- finding

    async def find(self, field: Field, key: Any, context: Any) -> tuple[Raw, Raw]:
        """Return the document whose ``field`` is ``key``, and the query that finds it again.

        :raises bzz.errors.NotFound: if there is none within the model's ``objects`` and ``get_instance_queryset``.
        """
        query = await self.query(field, key, context)
        is_unique = field is self.codec.shape.pk and field.kind.is_scalar
        asks_more = self._querysets.narrow_one or self.scoping.is_declared
        if asks_more or not is_unique or isinstance(query["_id"], Decimal128):  # no hash
            return await self.find_by(query), query
        found = await (await self._open()).fetches.ask(query["_id"])
        if found is None:
            if isinstance(query["_id"], str):  # by a collation it may be another text
                return await self.find_by(query), query
            raise NotFound()
        return found, query

    async def _fetch_group(self, collection: Collection, wanted: Sequence[Any]) -> list[Raw | Exception | None]:
        """Return the documents with these primary keys, a copy of its own to each asker."""
        keys = list(set(wanted))
        query = {"_id": keys[0] if len(keys) == 1 else {"$in": keys}, **self._querysets.own}
        found = {each["_id"]: each for each in await collection.find(query, limit=len(keys))}
        given: set[Any] = set()
        answers: list[Raw | Exception | None] = []
        for key in wanted:
            raw = found.get(key)
            answers.append(copy.deepcopy(raw) if key in given else raw)
            given.add(key)
        return answers

    async def find_by(self, query: Raw) -> Raw:
        """Return the document that a query from :meth:`query` finds.

        :raises bzz.errors.NotFound: if no document matches.
        """
        found = await (await self.collection()).find(query, limit=1)
        if not found:
            raise NotFound()
        return found[0]

    async def query(self, field: Field, key: Any, context: Any) -> Raw:
        """Return the MongoDB query for one document, within the model's ``objects`` and ``get_instance_queryset``.

        :raises bzz.errors.NotFound: if no document could ever have such a key.
        """
        known = self.codec.fields[field.name]
        try:
            query = {known.stored: known.to_bson(key), **self._querysets.own}
        except BAD_VALUE:
            raise NotFound() from None
        if self._querysets.narrow_one:
            await self._open()  # else the hook's queryset would be the first to make the indexes
            query = {"$and": [query, await self._querysets.one(str(key), context)]}
        return await self.scoping.within(query, context) if self.scoping.is_declared else query

    async def scope(self, context: Any) -> Raw | None:
        """Return what documents match that are there for a request by the rules of the model; None for all."""
        return await self.scoping.query(context) if self.scoping.is_declared else None

    async def holds(self, key: Any, context: Any) -> bool:
        """Return whether there is a document with this raw primary key within the scope, whatever hooks say."""
        query = await self.scoping.within({"_id": key}, context)
        return bool(await (await self.collection()).find(query, limit=1, keys=["_id"]))

    async def pages(self) -> SharedPages:
        """Return what gives pages of all documents."""
        return (await self._open()).pages

    async def list_query(self, context: Any) -> tuple[Raw, list[tuple[str, int]]]:
        """Return the query for a list, within the model's ``objects`` and ``get_list_queryset``, and its order."""
        await self._open()  # else a hook's queryset would be the first to make the indexes, and others not wait for it
        query, order = await self._querysets.many(context)
        own = await self.scoping.query(context, "list") if self.scoping.is_declared else None
        return query if own is None else {"$and": [query, own]} if query else own, order

    # -- writing

    def require_own_database(self) -> None:
        """Refuse to let MongoEngine write where it and these routes mean different databases.

        :raises bzz.errors.ConfigurationError: if they do; no read would find the write.
        """
        if self._given is None:
            return
        own = internals.database(self.model).name
        if self._given.name != own:
            raise ConfigurationError(
                f"{self.model.__name__} is saved by MongoEngine, in the database {own!r}, but"
                f" its routes were given database={self._given.name!r}; give both the same"
            )

    async def insert(self, raw: Raw) -> Raw:
        """Insert a document; return it as MongoDB holds it.

        :raises bzz.errors.Conflict: a unique value is taken.
        :raises bzz.errors.Invalid: MongoDB refuses the data.
        """
        opened = await self._open()
        encoded = opened.collection.encode(raw)
        try:
            await opened.inserts.ask(encoded)
        except OperationFailure as error:
            raise rejected(self.codec, error, raw) from error
        return opened.collection.decode(encoded)

    async def put(self, query: Raw, wanted: InPlace) -> tuple[Raw, Raw] | None:
        """Put values in their places in one round trip, and return the document as it was, and as it is.

        :param query: from :meth:`query`.
        :returns: None if nothing was done, since the document or one that is embedded in it is not there.
        :raises bzz.errors.Conflict: if a unique value is taken.
        :raises bzz.errors.Invalid: if MongoDB refuses the data.
        """
        opened = await self._open()
        encoded = opened.collection.encode(wanted.sets)
        sets = opened.collection.decode(encoded)
        change = {operator: keys for operator, keys in (("$set", sets), ("$unset", wanted.unsets)) if keys}
        if wanted.pushes:
            pushes = opened.collection.decode(opened.collection.encode(wanted.pushes))
            change["$push"] = {where: {"$each": items} for where, items in pushes.items()}
        if not change:
            found = await self.find_by(query)
            return found, found
        try:
            return await opened.updates.put(query, change, wanted.inside, len(encoded))
        except OperationFailure as error:
            raise rejected(self.codec, error, applied({}, {"$set": sets})) from error
