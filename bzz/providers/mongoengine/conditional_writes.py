"""Writes that rest on what was read: how documents are edited inside, and deleted, by compare and set.

An edit says what it rests on. It goes through MongoDB's driver, or through MongoEngine where the class has code of its
own. What is edited is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, replace

import pymongo
from pymongo.errors import OperationFailure

from bzz.providers.base import Written
from bzz.providers.compare_and_set import Conditions, compare_and_set
from bzz.providers.mongoengine import internals, orm_writes
from bzz.providers.mongoengine.concurrency import TIMEOUT_SECONDS
from bzz.providers.mongoengine.located import Located
from bzz.providers.mongoengine.raw import Raw, differ
from bzz.providers.mongoengine.record import DocumentRecord
from bzz.providers.mongoengine.rejections import rejected
from bzz.providers.mongoengine.scoping import keys_of, require_within, touches
from bzz.providers.mongoengine.updates import assignments, unchanged
from bzz.providers.records import Edited, deleted

__all__ = ["PATIENCE", "Edit", "delete_document", "edit"]

PATIENCE = 4
"""How often a plain DELETE of a class that deletes itself begins again, because others were faster or the class's own
code has changed the document, before it is enough that the document is there."""


@dataclass(frozen=True)
class Edit:
    """A change to one root document.

    :param apply: makes the document as it will be, of any state of it that is unchanged in what the edit rests on.
    :param change: the MongoDB update, or pipeline of updates, that makes it so; empty where nothing changes.
    :param rests_on: the paths that must be unchanged; None for the whole document.
    """

    apply: Callable[[Raw], Raw]
    change: Raw | list[Raw]
    rests_on: Collection[str] | None = None


async def edit(located: Located, make: Callable[[Raw], Edit]) -> Edited[DocumentRecord]:
    """Change a document by compare and set, and return the records of it.

    :param make: works the edit out on the document as it was read; may raise, for instance NotFound.
    :raises bzz.errors.Unavailable: if other writers were faster a hundred times in a row.
    """
    codec = located.documents.codec

    async def write(raw: Raw, attempt: int) -> Edited[DocumentRecord] | None:
        wanted = make(raw)
        if located.scope is not None and wanted.change:
            wanted = await _within(located, located.scope, raw, wanted)
        done = await _write(located, raw, wanted) if wanted.change else (raw, raw)
        return None if done is None else Edited(*(DocumentRecord(codec, each) for each in done))

    with pymongo.timeout(TIMEOUT_SECONDS):  # waiting for other writers included
        return await compare_and_set(_key(located), located.raw, located.read_again, write)


async def _within(located: Located, scope: Raw, raw: Raw, wanted: Edit) -> Edit:
    """Return an edit that also rests on what its judgement rests on: that it stays in the scope of the user.

    :raises bzz.errors.Forbidden: if it does not.
    """
    after = wanted.apply(raw)
    changed = {key for key in {**raw, **after} if differ(raw.get(key), after.get(key))}
    if not touches(scope, changed):
        return wanted
    await require_within(await located.documents.collection(), scope, after)
    return wanted if wanted.rests_on is None else replace(wanted, rests_on={*wanted.rests_on, *keys_of(scope)})


def _key(located: Located) -> Hashable:
    return internals.collection_name(located.documents.model), repr(located.raw["_id"])


async def _write(located: Located, raw: Raw, wanted: Edit) -> tuple[Raw, Raw] | None:
    documents = located.documents
    if orm_writes.saves_itself(documents.codec.variant(raw)):
        saved = await orm_writes.replace(documents, raw, wanted.apply(raw))
        return None if saved is None else (raw, saved)
    collection = await documents.collection()
    after = collection.as_stored(wanted.apply(raw), in_place_of=raw)
    try:
        before = await collection.update({"$and": [located.query, unchanged(raw, wanted.rests_on)]}, wanted.change)
    except OperationFailure as error:
        raise rejected(documents.codec, error, assignments(raw, after).get("$set", {})) from error
    if before is None:
        return None
    # Others may have changed, since the document was read, what this edit does not rest on.
    return before, after if before == raw else collection.as_saved(wanted.apply(before))


async def delete_document(located: Located, conditions: Conditions) -> Written:
    """Delete the document at the end of a path, as often as it takes.

    :raises bzz.errors.NotFound: if somebody else has deleted it.
    :raises bzz.errors.PreconditionFailed: if the precondition says no to what is stored.
    :raises Stale: if something else than what was expected is stored.
    :raises bzz.errors.Unavailable: if other writers were faster a hundred times in a row.
    """
    is_plain = conditions == Conditions()

    async def write(raw: Raw, attempt: int) -> Raw | None:
        conditions.require(DocumentRecord(located.documents.codec, raw))
        return await _delete_once(located, raw, is_plain, attempt)

    gone = await compare_and_set(_key(located), located.raw, located.read_again, write)
    return deleted(DocumentRecord(located.documents.codec, gone))


async def _delete_once(located: Located, raw: Raw, is_plain: bool, attempt: int) -> Raw | None:
    documents = located.documents
    if orm_writes.deletes_itself(documents.codec.variant(raw)):
        in_any_state = is_plain and attempt >= PATIENCE
        return await orm_writes.delete(documents, raw, in_any_state=in_any_state, scope=located.scope or {})
    query = located.query if is_plain else {"$and": [located.query, unchanged(raw)]}
    return await (await documents.collection()).delete(query)
