"""Compare and set: how everything inside a document is changed.

The document is read, the edit is worked out on that reading, and the write goes through only while what it rests on is
unchanged; otherwise all begins again. So the ``from`` of every change is what that very write replaced. Writers in one
process queue up per document; writers in other processes make each other try again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

import pymongo
from pymongo.errors import OperationFailure

from bzz.batching import LOOK_SECONDS, MAX_WAIT_SECONDS
from bzz.errors import Conflict, Unavailable
from bzz.providers.base import Record, Stale
from bzz.providers.mongoengine import hooked, internals
from bzz.providers.mongoengine.bounds import TIMEOUT_SECONDS
from bzz.providers.mongoengine.changes import assignments
from bzz.providers.mongoengine.documents import Documents
from bzz.providers.mongoengine.expressions import unchanged
from bzz.providers.mongoengine.location import MOVED, Location
from bzz.providers.mongoengine.raw import Raw, differ
from bzz.providers.mongoengine.record import StoredRecord

__all__ = ["ATTEMPTS", "TOO_MANY", "Edit", "Edited", "edit", "exclusive", "require_expected"]

ATTEMPTS = 100
_LONGEST_PAUSE = 0.05
TOO_MANY = "Too many others are changing this document; nothing was done."

_locks: WeakValueDictionary[tuple[int, str, str], _Lock] = WeakValueDictionary()


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


@dataclass(frozen=True)
class Edited:
    """A change that has happened: the root document before and after it."""

    before: Raw
    after: Raw


class _Lock(asyncio.Lock):
    """A lock that knows since when it is held."""

    held_since = 0.0


@asynccontextmanager
async def exclusive(documents: Documents, key: object) -> AsyncIterator[bool]:
    """Let one writer of this process at a time at a document; says whether there was a wait.

    :raises bzz.errors.Unavailable: if one writer holds the document for three seconds, or the wait is too long in all.
    """
    loop = asyncio.get_running_loop()
    name = (id(loop), internals.collection_name(documents.model), repr(key))
    lock = _locks.get(name)
    if lock is None:
        lock = _locks[name] = _Lock()
    waited = lock.locked()
    await (_wait_for(lock) if waited else lock.acquire())
    lock.held_since = loop.time()
    try:
        yield waited
    finally:
        lock.release()


async def _wait_for(lock: _Lock) -> None:
    """Acquire a lock that others hold one after the other, as long as each of them is quick."""
    loop = asyncio.get_running_loop()
    end = loop.time() + TIMEOUT_SECONDS
    acquiring = asyncio.ensure_future(lock.acquire())
    try:
        while not acquiring.done():
            await asyncio.wait({acquiring}, timeout=LOOK_SECONDS)
            if not acquiring.done() and loop.time() > min(end, lock.held_since + MAX_WAIT_SECONDS):
                raise Unavailable(TOO_MANY)
        acquiring.result()
    except BaseException:
        if not acquiring.cancel() and not acquiring.cancelled():
            lock.release()
        raise


def require_expected(location: Location, raw: Raw, expected: Record | None) -> None:
    """Raise where ``expected`` is given, and something else (``raw``) is stored at the end of a path.

    :raises bzz.errors.Conflict: where only a position leads there: it may be another item altogether.
    :raises Stale: anywhere else.
    """
    if isinstance(expected, StoredRecord) and differ(expected.raw, raw):
        raise Conflict(MOVED) if location.is_positional else Stale


async def edit(location: Location, make: Callable[[Raw], Edit]) -> Edited:
    """Change a document by compare and set, as often as it takes.

    :param make: works the edit out on the document as it was read; may raise, for instance NotFound.
    :raises bzz.errors.Unavailable: where other writers were faster a hundred times in a row.
    """
    with pymongo.timeout(TIMEOUT_SECONDS):  # waiting for other writers included
        return await _edit(location, make)


async def _edit(location: Location, make: Callable[[Raw], Edit]) -> Edited:
    documents = location.documents
    async with exclusive(documents, location.raw["_id"]) as waited:
        raw = await documents.find_by(location.query) if waited else location.raw
        for attempt in range(ATTEMPTS):
            wanted = make(raw)
            if not wanted.change:
                return Edited(raw, raw)
            done = await _write(location, raw, wanted)
            if done is not None:
                return done
            await asyncio.sleep(random.uniform(0, min(_LONGEST_PAUSE, 0.001 * 2**attempt)))
            raw = await documents.find_by(location.query)
    raise Unavailable(TOO_MANY)


async def _write(location: Location, raw: Raw, wanted: Edit) -> Edited | None:
    documents = location.documents
    if hooked.saves_itself(documents.codec.variant(raw)):
        saved = await hooked.replace(documents, raw, wanted.apply(raw))
        return None if saved is None else Edited(raw, saved)
    collection = await documents.collection()
    after = documents.as_stored(wanted.apply(raw), collection, in_place_of=raw)
    try:
        before = await collection.update({"$and": [location.query, unchanged(raw, wanted.rests_on)]}, wanted.change)
    except OperationFailure as error:
        raise documents.translate(error, assignments(raw, after).get("$set", {})) from error
    if before is None:
        return None
    # Others may have changed, since the document was read, what this edit does not rest on.
    return Edited(before, after if before == raw else documents.as_saved(wanted.apply(before), collection))
