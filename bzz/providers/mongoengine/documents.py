"""The documents of one class in the database: found within the model's own hooks, inserted, and told about trouble."""

from __future__ import annotations

import asyncio
import copy
import inspect
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import bson
import mongoengine as me
from mongoengine.connection import ConnectionFailure as NotConnected
from mongoengine.queryset import QuerySet
from pymongo.errors import DuplicateKeyError, OperationFailure

from bzz.batching import MAX_WAIT_SECONDS, Batcher
from bzz.errors import TOO_SLOW, ConfigurationError, NotFound, Unavailable
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.client import database
from bzz.providers.mongoengine.codecs.checks import BAD_VALUE
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.failures import reading
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.rejections import UNENCODABLE, duplicate_key, rejected, too_large, unencodable
from bzz.providers.mongoengine.worker import in_thread
from bzz.shape import Field

__all__ = ["Documents"]

_KEYS_OF_A_QUERY = 1000  # a hook's query for each of them must fit into one command of 16 MiB
_NOTHING: Raw = {"_id": {"$in": []}}
_connecting = threading.Lock()
_index_locks: dict[Any, threading.Lock] = {}  # one for each class, so that no class waits for another's indexes


class _Open(NamedTuple):
    """What belongs to one event loop and one connection."""

    loop: asyncio.AbstractEventLoop
    made: Any
    database: Any
    collection: Collection
    fetches: Batcher[Any, Raw | None]
    inserts: Batcher[bytes, None]


class Documents:
    """One class's documents.

    :param codec: the class.
    :param given: the database object that the application handed in, or None for the connection's own.
    """

    def __init__(self, codec: DocumentCodec, given: Any = None) -> None:
        self.codec = codec
        self.model: Any = codec.model
        self._given = given
        self._base = _class_query(self.model)
        self._has_manager = _has_manager(self.model)
        self._is_narrowed = self._has_manager or hasattr(self.model, "get_instance_queryset")
        self._opened: _Open | None = None
        self._ordering = [_order_key(self.model, name) for name in internals.ordering(self.model)]

    async def collection(self) -> Collection:
        """The collection on the running loop's client, after MongoEngine has made its indexes (once)."""
        return (await self._open()).collection

    def _ready(self) -> _Open | None:
        """What was opened before, where it still holds for this loop and connection."""
        known = self._opened
        if known is None or known.made is not internals.opened_collection(self.model):
            return None
        return known if known.loop is asyncio.get_running_loop() and known.database is self._database() else None

    async def _open(self) -> _Open:
        ready = self._ready()
        if ready is None:
            ready = self._opened = self._connect(await in_thread(self._make_indexes))
        return ready

    def _connect(self, made: Any) -> _Open:
        db = self._database()
        collection = Collection(db[internals.collection_name(self.model)])
        fetches = Batcher(partial(self._fetch_group, collection))
        inserts = Batcher(collection.insert, writes=True, weigh=len)
        return _Open(asyncio.get_running_loop(), made, db, collection, fetches, inserts)

    def _database(self) -> Any:
        return self._given if self._given is not None else database(internals.connection_alias(self.model))

    def _make_indexes(self) -> Any:
        """Make the indexes, unless that has been done; returns MongoEngine's own collection object, if there is one."""
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
        """The document whose ``field`` is ``key``, and the query that finds it again.

        :raises bzz.errors.NotFound: if there is none within the model's ``objects`` and ``get_instance_queryset``.
        """
        if self._is_narrowed or not self._is_unique(field):
            query = await self.query(field, key, context)
            return await self.find_by(query), query
        query = self._own_query(field, key)
        found = await (await self._open()).fetches.ask(query["_id"])
        if found is None:
            raise NotFound()
        return found, query

    def _is_unique(self, field: Field) -> bool:
        return field is self.codec.shape.pk and field.is_scalar

    async def _fetch_group(self, collection: Collection, wanted: Sequence[Any]) -> list[Raw | Exception | None]:
        """The documents with these primary keys, each asker's its own copy."""
        keys = list(set(wanted))
        query = {"_id": keys[0] if len(keys) == 1 else {"$in": keys}, **self._base}
        found = {each["_id"]: each for each in await collection.find(query, limit=len(keys))}
        given: set[Any] = set()
        answers: list[Raw | Exception | None] = []
        for key in wanted:
            raw = found.get(key)
            answers.append(copy.deepcopy(raw) if key in given else raw)
            given.add(key)
        return answers

    async def find_by(self, query: Raw) -> Raw:
        """The document that a query from :meth:`query` finds.

        :raises bzz.errors.NotFound: if no document matches.
        """
        found = await (await self.collection()).find(query, limit=1)
        if not found:
            raise NotFound()
        return found[0]

    def _own_query(self, field: Field, key: Any) -> Raw:
        known = self.codec.fields[field.name]
        try:
            return {known.stored: known.to_bson(key), **self._base}
        except BAD_VALUE:  # such an id could never have been stored
            raise NotFound() from None

    async def query(self, field: Field, key: Any, context: Any) -> Raw:
        """The MongoDB query for one document, within the model's ``objects`` and ``get_instance_queryset``."""
        own = self._own_query(field, key)
        hook = getattr(self.model, "get_instance_queryset", None)
        if hook is not None:
            return {"$and": [own, await self._asked(lambda found: hook(self.model, found, str(key), context), hook)]}
        return {"$and": [own, await self._asked(_as_it_is)]} if self._has_manager else own

    async def holds(self, key: Any) -> bool:
        """Whether there is a document with this raw primary key, whoever may see it."""
        return bool(await (await self.collection()).find({"_id": key}, limit=1, keys=["_id"]))

    async def missing(self, keys: Sequence[Any], context: Any) -> list[Any]:
        """Which of these primary keys name no document that :meth:`find` would give."""
        assert self.codec.pk is not None
        pk = self.codec.pk.declared
        if self._is_narrowed:
            found = await asyncio.gather(*(self.find(pk, key, context) for key in keys), return_exceptions=True)
            for outcome in found:
                if isinstance(outcome, BaseException) and not isinstance(outcome, NotFound):
                    raise outcome
            return [key for key, outcome in zip(keys, found, strict=True) if isinstance(outcome, NotFound)]
        stored = {key: self.codec.store_key(key) for key in keys}
        query = {"_id": {"$in": list(stored.values())}, **self._base}
        there = {each["_id"] for each in await (await self.collection()).find(query, keys=["_id"])}
        return [key for key, raw in stored.items() if raw not in there]

    async def named(self, field: Field, keys: Sequence[Any], context: Any) -> list[Raw]:
        """The primary key and public id of all documents whose ``field`` is one of ``keys``, raw.

        They are those that :meth:`find` would give, one after the other, read in one query for each thousand keys.
        """
        return [
            each
            for start in range(0, len(keys), _KEYS_OF_A_QUERY)
            for each in await self._named(field, keys[start : start + _KEYS_OF_A_QUERY], context)
        ]

    async def _named(self, field: Field, keys: Sequence[Any], context: Any) -> list[Raw]:
        assert self.codec.shape.public_id is not None
        if self._is_narrowed:
            asked = await asyncio.gather(*(self._query_or_none(field, key, context) for key in keys))
            query: Raw = {"$or": [each for each in asked if each is not None] or [_NOTHING]}
        else:
            known = self.codec.fields[field.name]
            stored = [bson for key in keys for bson in _bson_of(known, key)]
            query = {known.stored: {"$in": stored}, **self._base}
        public = self.codec.fields[self.codec.shape.public_id.name].stored
        return await (await self.collection()).find(query, keys=["_id", public])

    async def _query_or_none(self, field: Field, key: Any, context: Any) -> Raw | None:
        try:
            return await self.query(field, key, context)
        except NotFound:
            return None

    async def list_query(self, context: Any) -> tuple[Raw, list[tuple[str, int]]]:
        """The MongoDB query for a list, within the model's ``objects`` and ``get_list_queryset``, and its order."""
        hook = getattr(self.model, "get_list_queryset", None)
        ordering: list[tuple[str, int]] = []
        if hook is not None:
            query = await self._asked(lambda found: hook(found, context), hook, ordering)
        elif self._has_manager:
            query = await self._asked(_as_it_is, ordering=ordering)
        else:
            query = dict(self._base)
        return query, ordering or self._ordering

    async def _asked(self, ask: Callable[[Any], Any], hook: Any = None, ordering: list[Any] | None = None) -> Raw:
        """What the queryset that a hook makes of ``objects`` asks for.

        Plain hooks run in a worker thread, for they may read, and so does a manager.
        """
        await (
            self._open()
        )  # else the hook's queryset would be the first to make the indexes, and others not wait for it
        try:
            if inspect.iscoroutinefunction(hook):
                with reading():
                    answer = await ask(await in_thread(lambda: self.model.objects))
            else:
                answer = await in_thread(lambda: ask(self.model.objects))
            return await in_thread(lambda: _raw_query(answer, ordering))
        except me.DoesNotExist:
            raise NotFound() from None

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
        """Insert a document; returns it as MongoDB holds it.

        :raises bzz.errors.Conflict: a unique value is taken.
        :raises bzz.errors.Invalid: MongoDB refuses the data.
        """
        opened = await self._open()
        encoded = self._encode(raw, opened.collection)
        if len(encoded) > MAX_DOCUMENT_BYTES:
            raise too_large(MAX_DOCUMENT_BYTES)
        try:
            await opened.inserts.ask(encoded)
        except OperationFailure as error:
            raise self.translate(error, raw) from error
        return bson.decode(encoded, codec_options=opened.collection.raw.codec_options)

    def as_stored(self, raw: Raw, collection: Collection, in_place_of: Raw | None = None) -> Raw:
        """Return ``raw`` as it will be read back: encoded alone, so that what cannot be stored is known before a write.

        :param in_place_of: the document that is replaced. One that is larger than what bzz stores, as others may have
            written it, can be made smaller.
        :raises bzz.errors.Invalid: if BSON has no form for it, or it is too large.
        """
        encoded = self._encode(raw, collection)
        if len(encoded) > MAX_DOCUMENT_BYTES and not (
            in_place_of and len(encoded) < len(self._encode(in_place_of, collection))
        ):
            raise too_large(MAX_DOCUMENT_BYTES)
        return bson.decode(encoded, codec_options=collection.raw.codec_options)

    def as_saved(self, raw: Raw, collection: Collection) -> Raw:
        """Return ``raw``, which MongoEngine has stored, as it will be read back: of whatever size it is."""
        return bson.decode(self._encode(raw, collection), codec_options=collection.raw.codec_options)

    def _encode(self, raw: Raw, collection: Collection) -> bytes:
        options = collection.raw.codec_options
        try:
            return bson.encode(raw, codec_options=options)
        except UNENCODABLE:
            raise unencodable(self.codec, raw, options) from None

    def translate(self, error: OperationFailure, written: Raw) -> Exception:
        """Return what the client is told of a refused write; the error itself if the client is not to blame.

        :param written: what the write would have stored.
        """
        if isinstance(error, DuplicateKeyError):
            return duplicate_key(self.codec, error)
        return rejected(self.codec, error, written)


MAX_DOCUMENT_BYTES = 15 * 1024 * 1024
"""The largest document that is stored: under MongoDB's 16 MiB, so that the envelope fits."""


def _bson_of(field: FieldCodec, key: Any) -> list[Any]:
    try:
        return [field.to_bson(key)]
    except BAD_VALUE:  # such an id could never have been stored
        return []


def _order_key(model: Any, name: str) -> tuple[str, int]:
    """The stored path and direction of one name in a model's ``ordering``, by MongoEngine's own translation."""
    path = name.lstrip("+-").replace("__", ".")
    with suppress(me.errors.LookUpError):  # MongoEngine, too, lets a name pass that it does not know
        path = internals.stored_path(model, path)
    return path, -1 if name.startswith("-") else 1


def _has_manager(model: Any) -> bool:
    """Whether a class has an ``objects`` of its own, by ``@queryset_manager``, that needs no arguments."""
    manager = inspect.getattr_static(model, "objects")
    own = getattr(manager, "get_queryset", None)
    return own is not None and len(inspect.signature(own).parameters) <= 2  # MongoEngine's own rule


def _as_it_is(queryset: Any) -> Any:
    return queryset


def _class_query(model: Any) -> Raw:
    if not internals.allows_inheritance(model):
        return {}
    return {internals.CLASS_KEY: {"$in": list(internals.family(model))}}


def _raw_query(answer: Any, ordering: list[Any] | None) -> Raw:
    if answer is None:
        return _NOTHING
    if not isinstance(answer, QuerySet):
        raise TypeError(f"the hook must return a queryset, not {type(answer).__name__}")
    if ordering is not None and internals.is_sliced(answer):
        raise TypeError("get_list_queryset must return a queryset without a limit: pages are for the client to choose")
    if ordering is not None:
        ordering.extend(internals.sort_order(answer))
    return _NOTHING if internals.finds_nothing(answer) else internals.query(answer)
