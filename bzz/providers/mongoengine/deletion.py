"""Deleting a whole document by compare and set, by the driver or through MongoEngine."""

from __future__ import annotations

from bzz.errors import PreconditionFailed, Unavailable
from bzz.providers.base import Precondition, Record, Written
from bzz.providers.mongoengine import orm_writes, written
from bzz.providers.mongoengine.compare_and_set import ATTEMPTS, TOO_MANY, exclusive, require_expected
from bzz.providers.mongoengine.located import Located
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import state_of
from bzz.providers.mongoengine.updates import unchanged

__all__ = ["PATIENCE", "delete_document"]

PATIENCE = 4
"""How often a plain DELETE of a class that deletes itself begins again, because others were faster or the class's own
code has changed the document, before it is enough that the document is there."""


async def delete_document(located: Located, precondition: Precondition | None, expected: Record | None) -> Written:
    """Delete the document at the end of a path, as often as it takes.

    :raises bzz.errors.NotFound: where somebody else has deleted it.
    :raises bzz.errors.PreconditionFailed: where ``precondition`` says no to what is stored.
    :raises Stale: where something else than ``expected`` is stored.
    :raises bzz.errors.Unavailable: where other writers were faster a hundred times in a row.
    """
    documents, raw = located.documents, located.raw
    is_plain = precondition is None and expected is None
    async with exclusive(documents, raw["_id"]) as waited:
        if waited:
            raw = await documents.find_by(located.query)
        for attempt in range(ATTEMPTS):
            if precondition is not None and not precondition(state_of(documents.codec.variant(raw), raw)):
                raise PreconditionFailed()
            require_expected(located, raw, expected)
            gone = await _delete_once(located, raw, is_plain, attempt)
            if gone is not None:
                return written.deleted(documents.codec, gone)
            raw = await documents.find_by(located.query)
    raise Unavailable(TOO_MANY)


async def _delete_once(located: Located, raw: Raw, is_plain: bool, attempt: int) -> Raw | None:
    documents = located.documents
    if orm_writes.deletes_itself(documents.codec.variant(raw)):
        return await orm_writes.delete(documents, raw, in_any_state=is_plain and attempt >= PATIENCE)
    query = located.query if is_plain else {"$and": [located.query, unchanged(raw)]}
    return await (await documents.collection()).delete(query)
