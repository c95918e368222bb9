"""Documents of one class that are asked for together: by keys, and by conditions.

A single document is found, and written, in :mod:`bzz.providers.mongoengine.document_store`.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from bson import Decimal128

from bzz.errors import BadRequest, NotFound
from bzz.providers.mongoengine.codecs.checks import BAD_VALUE
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.querysets import NOTHING, Querysets
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.scoping import Scoping
from bzz.providers.public_ids import Identity
from bzz.shape import Field

__all__ = ["DocumentsByKey"]

_KEYS_OF_A_QUERY = 1000  # a hook's query for each of them must fit into one command of 16 MiB


class DocumentsByKey:
    """What the documents of a class are asked for together; the methods that are declared here are the store's."""

    codec: DocumentCodec
    _querysets: Querysets
    scoping: Scoping

    @abstractmethod
    async def collection(self) -> Collection: ...

    @abstractmethod
    async def find(self, field: Field, key: Any, context: Any) -> tuple[Raw, Raw]: ...

    @abstractmethod
    async def query(self, field: Field, key: Any, context: Any) -> Raw: ...

    @abstractmethod
    async def list_query(self, context: Any) -> tuple[Raw, list[tuple[str, int]]]: ...

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
        query = await self.scoping.within(
            {"_id": {"$in": list(stored.values())}, **self._querysets.own}, context, "get"
        )
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
        return await self.scoping.within({known.stored: {"$in": stored}, **self._querysets.own}, context, "get")

    async def _query_or_none(self, field: Field, key: Any, context: Any) -> Raw | None:
        try:
            return await self.query(field, key, context)
        except NotFound:
            return None


def _bson_of(field: FieldCodec, key: Any) -> list[Any]:
    try:
        return [field.to_bson(key)]
    except BAD_VALUE:  # such an id could never have been stored
        return []
