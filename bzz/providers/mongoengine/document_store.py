"""The documents of one class in the database: found within the model's own hooks, and written.

What MongoDB refuses for its data is translated here for clients. What a path or an edit is, is not known.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from typing import Any

from bson import Decimal128
from pymongo.errors import OperationFailure

from bzz.errors import BadRequest, ConfigurationError, NotFound
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.checks import BAD_VALUE
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.model_collection import ModelCollection
from bzz.providers.mongoengine.querysets import NOTHING, Querysets
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.rejections import rejected
from bzz.providers.mongoengine.shared_pages import SharedPages
from bzz.providers.mongoengine.updates import InPlace, applied
from bzz.providers.public_ids import Identity
from bzz.shape import Field

__all__ = ["DocumentStore"]

_KEYS_OF_A_QUERY = 1000  # a hook's query for each of them must fit into one command of 16 MiB


class DocumentStore(ModelCollection):
    """One class's documents.

    :param codec: the class.
    :param given: the database object that the application handed in, or None for the connection's own.
    """

    def __init__(self, codec: DocumentCodec, given: Any = None) -> None:
        super().__init__(codec.model, given)
        self.codec = codec
        self._querysets = Querysets(self.model)

    # -- finding

    async def find(self, field: Field, key: Any, context: Any) -> tuple[Raw, Raw]:
        """Return the document whose ``field`` is ``key``, and the query that finds it again.

        :raises bzz.errors.NotFound: if there is none within the model's ``objects`` and ``get_instance_queryset``.
        """
        query = await self.query(field, key, context)
        if self._querysets.narrow_one or not self._is_unique(field) or isinstance(query["_id"], Decimal128):  # no hash
            return await self.find_by(query), query
        found = await (await self._open()).fetches.ask(query["_id"])
        if found is None:
            raise NotFound()
        return found, query

    def _is_unique(self, field: Field) -> bool:
        return field is self.codec.shape.pk and field.kind.is_scalar

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
        if not self._querysets.narrow_one:
            return query
        await self._open()  # else the hook's queryset would be the first to make the indexes
        return {"$and": [query, await self._querysets.one(str(key), context)]}

    async def holds(self, key: Any) -> bool:
        """Return whether there is a document with this raw primary key, whoever may see it."""
        return bool(await (await self.collection()).find({"_id": key}, limit=1, keys=["_id"]))

    async def missing(self, keys: Sequence[Any], context: Any) -> list[Any]:
        """Return those of primary keys that name no document that :meth:`find` would give."""
        assert self.codec.pk is not None
        pk = self.codec.pk.declared
        if self._querysets.narrow_one:
            found = await asyncio.gather(*(self.find(pk, key, context) for key in keys), return_exceptions=True)
            for outcome in found:
                if isinstance(outcome, BaseException) and not isinstance(outcome, NotFound):
                    raise outcome
            return [key for key, outcome in zip(keys, found, strict=True) if isinstance(outcome, NotFound)]
        stored = {key: self.codec.store_key(key) for key in keys}
        query = {"_id": {"$in": list(stored.values())}, **self._querysets.own}
        found = [each["_id"] for each in await (await self.collection()).find(query, keys=["_id"])]
        there = found if any(isinstance(raw, Decimal128) for raw in stored.values()) else set(found)
        return [key for key, raw in stored.items() if raw not in there]

    async def identities(self, field: Field, keys: Sequence[Any], context: Any) -> list[Identity]:
        """Return how those documents are known whose ``field`` is one of ``keys``.

        They are those that :meth:`find` would give, one after the other, read in one query for each thousand keys.
        """
        codec = self.codec
        assert codec.shape.public_id is not None
        public = codec.fields[codec.shape.public_id.name]
        collection = await self.collection()
        found: list[Raw] = []
        for start in range(0, len(keys), _KEYS_OF_A_QUERY):
            query = await self._any_of(field, keys[start : start + _KEYS_OF_A_QUERY], context)
            found += await collection.find(query, keys=["_id", public.stored])
        ids = ((codec.key_value(each["_id"]), each.get(public.stored)) for each in found)
        return [Identity(key, public.to_value(bson), public.to_json(bson)) for key, bson in ids]

    async def find_many(self, keys: Sequence[Any], context: Any) -> list[Raw]:
        """Return the documents with these primary keys, as values, that :meth:`find` would give."""
        assert self.codec.pk is not None
        pk, collection = self.codec.pk.declared, await self.collection()
        found: list[Raw] = []
        for start in range(0, len(keys), _KEYS_OF_A_QUERY):
            found += await collection.find(await self._any_of(pk, keys[start : start + _KEYS_OF_A_QUERY], context))
        return found

    async def matching(self, conditions: Sequence[Raw], context: Any) -> list[Any]:
        """Return the primary keys, as values, of documents that meet conditions: those that lists show.

        :raises bzz.errors.BadRequest: if there are more than a thousand.
        """
        scope, _ = await self.list_query(context)
        query = {"$and": [*([scope] if scope else []), *conditions]}
        found = await (await self.collection()).find(query, keys=["_id"], limit=_KEYS_OF_A_QUERY + 1)
        if len(found) > _KEYS_OF_A_QUERY:
            raise BadRequest(
                f"More than {_KEYS_OF_A_QUERY} {self.codec.shape.name} documents are meant: narrow it down."
            )
        keys = [self.codec.key_value(each["_id"]) for each in found]
        gone = await self.missing(keys, context) if keys and self._querysets.narrow_one else []
        return [key for key in keys if key not in gone]

    async def _any_of(self, field: Field, keys: Sequence[Any], context: Any) -> Raw:
        if self._querysets.narrow_one:
            asked = await asyncio.gather(*(self._query_or_none(field, key, context) for key in keys))
            return {"$or": [each for each in asked if each is not None] or [NOTHING]}
        known = self.codec.fields[field.name]
        stored = [bson for key in keys for bson in _bson_of(known, key)]
        return {known.stored: {"$in": stored}, **self._querysets.own}

    async def _query_or_none(self, field: Field, key: Any, context: Any) -> Raw | None:
        try:
            return await self.query(field, key, context)
        except NotFound:
            return None

    async def pages(self) -> SharedPages:
        """Return what gives pages of all documents."""
        return (await self._open()).pages

    async def list_query(self, context: Any) -> tuple[Raw, list[tuple[str, int]]]:
        """Return the query for a list, within the model's ``objects`` and ``get_list_queryset``, and its order."""
        await self._open()  # else a hook's queryset would be the first to make the indexes, and others not wait for it
        return await self._querysets.many(context)

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
        if not change:
            found = await self.find_by(query)
            return found, found
        try:
            return await opened.updates.put(query, change, wanted.inside, len(encoded))
        except OperationFailure as error:
            raise rejected(self.codec, error, applied({}, {"$set": sets})) from error


def _bson_of(field: FieldCodec, key: Any) -> list[Any]:
    try:
        return [field.to_bson(key)]
    except BAD_VALUE:  # such an id could never have been stored
        return []
