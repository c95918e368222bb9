"""Updates of single documents that share their round trips: one query for all that wait, then one command.

``findAndModify`` tells what it replaced, but only of one document. ``update`` takes many statements, and tells of none
what it replaced. So what is stored is read first, for all documents at once, and each statement holds only while its
document is still exactly that. If not, the document is updated by itself. What was replaced is therefore as certain as
it is with ``findAndModify``: each diff is the true one, and told once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from bson import ObjectId
from bson.raw_bson import RawBSONDocument

from bzz.batching import Batcher
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.updates import applied, get_at

__all__ = ["SharedUpdates", "Update"]

MAX_SHARED_BYTES = 16 * 1024
"""Larger documents are updated by themselves, since what a statement rests on is sent to the server."""

_SMALL = {"$expr": {"$lte": [{"$bsonSize": "$$ROOT"}, MAX_SHARED_BYTES]}}
_FAILS = {"$toInt": "$$ROOT"}  # where the server works it out, for no document is a number
_SHARED_KEYS = (ObjectId, int, UUID)  # strings may be compared by a collation, and found only slowly without it


_AGAIN: Any = object()
"""Answers an update that its group has not done, and that nobody else has either."""


class Update(NamedTuple):
    """An update of the document with one primary key.

    :ivar change: ``$set`` and ``$unset``, by paths.
    :ivar inside: paths where an embedded document must be stored.
    :ivar size: of the change, in bytes.
    """

    key: Any
    change: Raw
    inside: Sequence[str]
    size: int


Outcome = tuple[Raw, Raw] | None
"""A document as it was, and as it is; None if nothing was done, since it or a document inside it is not there."""


class SharedUpdates:
    """Updates documents of one collection. It belongs to one event loop."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._batcher: Batcher[Update, Any] = Batcher(self._send, writes=True, weigh=lambda each: each.size)

    async def put(self, query: Raw, change: Raw, inside: Sequence[str], size: int) -> Outcome:
        """Update the document that a query finds.

        :param change: see :class:`Update`, and so for the others. One with ``$push`` is sent by itself.
        :raises pymongo.errors.OperationFailure: if the database blames the data.
        """
        if len(query) == 1 and isinstance(query.get("_id"), _SHARED_KEYS) and "$push" not in change:
            outcome: Outcome = await self._batcher.ask(Update(query["_id"], change, inside, size))
            if outcome is not _AGAIN:
                return outcome
        return await self._put_alone(query, change, inside)

    async def _put_alone(self, query: Raw, change: Raw, inside: Sequence[str]) -> Outcome:
        if inside:
            query = {"$and": [query, *({where: {"$type": "object"}} for where in inside)]}
        if "$push" in change:  # which would make a list of nothing
            query = {"$and": [query, *({where: {"$type": "array"}} for where in change["$push"])]}
        before = await self._collection.update(query, change)
        return None if before is None else (before, applied(before, change))

    async def _send(self, updates: Sequence[Update]) -> list[Any]:
        if len(updates) == 1:
            key, change, inside, _ = updates[0]
            return [await self._put_alone({"_id": key}, change, inside)]
        stored = await self._read({each.key for each in updates})
        outcomes: list[Any] = [_AGAIN] * len(updates)
        statements: dict[int, tuple[Raw, list[Raw]]] = {}
        for number, (key, change, inside, _) in enumerate(updates):
            if key not in stored:
                continue
            before, encoded = stored.pop(key)  # a further update of the document comes after this one
            if all(isinstance(get_at(before, where), dict) for where in inside):
                outcomes[number] = before, applied(before, change)
                statements[number] = {"_id": key}, _pipeline(encoded, change)
            else:
                outcomes[number] = None
        if statements:
            numbers = list(statements)
            for failed in await self._collection.update_each(list(statements.values())):
                outcomes[numbers[failed]] = _AGAIN
        return outcomes

    async def _read(self, keys: set[Any]) -> dict[Any, tuple[Raw, RawBSONDocument]]:
        """Return what is stored, decoded and as it is, but for what is too large, or an id and nothing else.

        A document of an id alone is what an upsert would begin with, so that its deletion would go unnoticed.
        """
        found = await self._collection.find_encoded({"_id": {"$in": list(keys)}, **_SMALL}, limit=len(keys))
        stored = {(raw := self._collection.decode(each.raw))["_id"]: (raw, each) for each in found}
        return {key: both for key, both in stored.items() if len(both[0]) > 1}


def _pipeline(stored: RawBSONDocument, change: Raw) -> list[Raw]:
    """Return the change as a pipeline that fails for a document that is not exactly as it was read.

    As an upsert it fails for one that is not there any more, too, and makes none.
    """
    is_same = {"$eq": ["$$ROOT", {"$literal": stored}]}
    pipeline: list[Raw] = [{"$set": {"_id": {"$cond": [is_same, "$_id", _FAILS]}}}]
    if "$set" in change:
        pipeline.append({"$set": {where: {"$literal": value} for where, value in change["$set"].items()}})
    if "$unset" in change:
        pipeline.append({"$unset": list(change["$unset"])})
    return pipeline
