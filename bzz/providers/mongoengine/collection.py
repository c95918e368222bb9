"""The few operations that bzz needs of a collection, the same on every driver, and documents encoded for it.

PyMongo's collections and Motor's have the same methods; the one difference used here is that ``aggregate`` returns a
cursor in Motor and an awaitable of one in PyMongo.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import bson
import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne
from pymongo.collation import Collation
from pymongo.errors import BulkWriteError, OperationFailure

from bzz.errors import Invalid
from bzz.providers.mongoengine.concurrency import Operations
from bzz.providers.mongoengine.failures import TROUBLE, failed_write
from bzz.providers.mongoengine.insert_failures import Failure, outcomes, refused

__all__ = ["Collection", "Without"]

Document = dict[str, Any]

Without = Callable[[], Sequence[str]] | None
"""Returns paths that may be left out of documents; None where all of them is wanted."""

_TOO_LARGE_CODES = (146, 292, 10334, 13548, 17419)
"""Failures of an aggregation that gathers more than the server can hold, or than a document can."""
MAX_DOCUMENT_BYTES = 15 * 1024 * 1024
"""The largest document that is stored: under MongoDB's 16 MiB, so that the envelope fits."""


class Collection:
    """A collection of a driver, whose operations are bounded, and raise bzz's own errors.

    :param raw: the driver's own.
    """

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self._encoded = raw.with_options(codec_options=raw.codec_options.with_options(document_class=RawBSONDocument))
        self._operations = Operations(raw.database.client)

    # -- documents as they are stored

    def encode(self, raw: Document, in_place_of: Document | None = None) -> bytes:
        """Return a document as BSON: alone, so that what cannot be stored is known before a write.

        :param in_place_of: the document that is replaced. One that is larger than what bzz stores, as others may have
            written it, can be made smaller.
        :raises bzz.errors.Invalid: if BSON has no form for it, or it is too large.
        """
        try:
            encoded: bytes = bson.encode(raw, codec_options=self.raw.codec_options)
        except (bson.errors.BSONError, OverflowError, UnicodeError, TypeError, ValueError, RecursionError):
            raise Invalid({"*": ["A value in this data cannot be stored."]}) from None
        if len(encoded) > MAX_DOCUMENT_BYTES and not (in_place_of and len(encoded) < self._size(in_place_of)):
            raise Invalid({"*": [f"The document would be larger than {MAX_DOCUMENT_BYTES} bytes."]})
        return encoded

    def _size(self, raw: Document) -> int:
        return len(bson.encode(raw, codec_options=self.raw.codec_options))

    def decode(self, encoded: bytes | memoryview) -> Document:
        """Return a document that was encoded, as it will be read back."""
        return bson.decode(encoded, codec_options=self.raw.codec_options)

    def as_stored(self, raw: Document, in_place_of: Document | None = None) -> Document:
        """Return a document that is about to be stored, as it will be read back; see :meth:`encode`."""
        return self.decode(self.encode(raw, in_place_of))

    def as_saved(self, raw: Document) -> Document:
        """Return a document that MongoEngine has stored, as it will be read back: of whatever size it is."""
        return self.decode(bson.encode(raw, codec_options=self.raw.codec_options))

    # -- operations

    async def find(
        self,
        query: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (),
        skip: int = 0,
        limit: int = 0,
        keys: Sequence[str] | None = None,
    ) -> list[Document]:
        """Return the documents that match (or only these keys of them), in one round trip where ``limit`` is given."""
        return await self._operations.read(
            lambda: self.raw.find(
                query, keys, sort=list(sort) or None, skip=skip, limit=limit, batch_size=limit
            ).to_list(None),
        )

    async def find_encoded(self, query: Mapping[str, Any], *, limit: int) -> list[RawBSONDocument]:
        """Return the documents that match, exactly as they are stored."""
        return await self._operations.read(
            lambda: self._encoded.find(query, limit=limit, batch_size=limit).to_list(None),
        )

    async def page(
        self,
        query: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]],
        skip: int,
        limit: int,
        without: Without = None,
    ) -> tuple[list[Document], bool]:
        """Return the first documents that match, and whether they are cut: more of them would not go into one reply.

        MongoDB ends a reply at 16 MiB. What is beyond is not read.

        :param without: returns paths that are left out of the documents where they would be cut otherwise.
        """

        async def fetch(keys: Mapping[str, int] | None = None) -> tuple[list[Document], bool]:
            cursor = self.raw.find(query, keys, sort=list(sort), skip=skip, limit=limit, batch_size=limit)
            found: list[Document] = await cursor.to_list(1)
            if not cursor.cursor_id:  # the server has told everything
                found += await cursor.to_list(None)
                return found, False
            own = getattr(cursor, "delegate", cursor)  # PyMongo's, within Motor's or by itself
            if own.retrieved > 1:
                found += await cursor.to_list(own.retrieved - 1)
            await cursor.close()
            return found, True

        found, is_cut = await self._operations.read(fetch)
        left_out = without() if is_cut and without is not None else ()
        if left_out:
            return await self._operations.read(lambda: fetch(dict.fromkeys(left_out, 0)))
        return found, is_cut

    async def would_match(self, raw: Document, query: Mapping[str, Any]) -> bool:
        """Return whether a document that is not stored matches a query."""
        database, own = self.raw.database, self.raw.codec_options  # which commands take from nowhere else
        pipeline = [{"$documents": [{"$literal": raw}]}, {"$match": query}, {"$count": "number"}]
        reply = await self._operations.read(
            lambda: database.command({"aggregate": 1, "pipeline": pipeline, "cursor": {}}, codec_options=own)
        )
        return bool(reply["cursor"]["firstBatch"])

    async def aggregate(self, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        """Return all documents that a pipeline gives."""

        async def fetch() -> list[Document]:
            cursor = self.raw.aggregate(pipeline)
            if inspect.isawaitable(cursor):
                cursor = await cursor
            found: list[Document] = await cursor.to_list(None)
            return found

        return await self._operations.read(fetch)

    async def one_reply(self, pipeline: Sequence[Mapping[str, Any]], size: int) -> list[Document] | None:
        """Return what a pipeline gives; None if it is too large for one reply of the server.

        :param size: how many documents it may give.
        """

        async def fetch() -> list[Document] | None:
            try:
                cursor = self.raw.aggregate(pipeline, batchSize=size + 1)
                if inspect.isawaitable(cursor):
                    cursor = await cursor
                found: list[Document] = await cursor.to_list(1)
            except OperationFailure as error:
                if error.code in _TOO_LARGE_CODES:
                    return None
                raise
            if cursor.cursor_id:
                await cursor.close()
                return None
            return [*found, *await cursor.to_list(None)]

        return await self._operations.read(fetch)

    async def ping(self) -> None:
        """Ask the server for nothing but an answer."""
        await self._operations.read(lambda: self.raw.database.command("ping"))

    async def count(self, query: Mapping[str, Any]) -> int:
        """Return how many documents match, exactly."""
        return await self._operations.read(lambda: self.raw.count_documents(query))

    async def update(
        self, query: Mapping[str, Any], change: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    ) -> Document | None:
        """Change one document atomically; return it as it was before, or None if nothing matched."""
        return await self._operations.write(
            lambda: self.raw.find_one_and_update(query, change, return_document=pymongo.ReturnDocument.BEFORE),
        )

    async def update_each(self, updates: Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]) -> list[int]:
        """Update one document by each pipeline, or let it make one, in one round trip; return which have failed.

        Strings are compared by their bytes, whatever the collation of the collection.
        """
        simple = Collation("simple")
        raw = [UpdateOne(query, pipeline, upsert=True, collation=simple) for query, pipeline in updates]

        async def send() -> list[int]:
            try:
                await self.raw.bulk_write(raw, ordered=False)
            except BulkWriteError as error:
                if error.details.get("writeConcernErrors"):
                    raise
                return [failure["index"] for failure in error.details["writeErrors"]]
            return []

        return await self._operations.write(send)

    async def delete(self, query: Mapping[str, Any]) -> Document | None:
        """Delete one document atomically; return it, or None if nothing matched."""
        return await self._operations.write(lambda: self.raw.find_one_and_delete(query))

    async def insert(self, documents: Sequence[bytes]) -> list[Failure | None]:
        """Insert encoded documents in one round trip, each by itself; return what went wrong with each.

        Where all of them failed alike, that is raised. Their ids are in them, so that the driver's own retry cannot
        insert one twice.
        """
        raw = [RawBSONDocument(document) for document in documents]

        async def send() -> list[Failure | None]:
            try:
                await (self.raw.insert_one(raw[0]) if len(raw) == 1 else self.raw.insert_many(raw, ordered=False))
            except BulkWriteError as error:
                return outcomes(len(raw), error.details)
            return [None] * len(raw)

        return await self._operations.write(send)

    async def insert_together(self, documents: Sequence[bytes]) -> tuple[int, OperationFailure] | None:
        """Insert encoded documents in a transaction: all of them, or none.

        :returns: where the data of one is to blame that none was inserted, its position, and why.
        :raises bzz.errors.BadRequest: if the server has no transactions.
        :raises bzz.errors.Unavailable: if it failed, and no commit was asked for.
        :raises bzz.errors.OutcomeUnknown: if a commit was asked for, and may have been made.
        """
        raw = [RawBSONDocument(document) for document in documents]
        asked_to_commit = False  # at any attempt: the driver makes several

        async def insert(session: Any) -> None:
            nonlocal asked_to_commit
            await self.raw.insert_many(raw, session=session)
            asked_to_commit = True

        async def send() -> tuple[int, OperationFailure] | None:
            session = self.raw.database.client.start_session()
            if inspect.isawaitable(session):
                session = await session  # Motor's
            async with session:
                try:
                    await session.with_transaction(insert)
                except TROUBLE as error:
                    if asked_to_commit:  # a taken value may be of these very documents
                        raise failed_write(error) from error
                    return refused(error)
            return None

        return await self._operations.write(send)
