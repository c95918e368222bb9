"""The asynchronous driver: clients per event loop, and its errors told as bzz's.

This is the only module that knows which driver is there: Motor, made here, or whatever database object the application
hands in (Motor's or PyMongo's ``AsyncDatabase``). Both have the same methods; the one difference used here is that
``aggregate`` returns a cursor in Motor and an awaitable of one in PyMongo.
"""

from __future__ import annotations

import asyncio
import atexit
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pymongo
from bson.raw_bson import RawBSONDocument
from mongoengine.connection import ConnectionFailure as NotConnected
from mongoengine.connection import _connection_settings
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WriteError,
)

from bzz.errors import ConfigurationError, OutcomeUnknown, Unavailable

__all__ = ["TIMEOUT_SECONDS", "Collection", "close", "database", "leaves_unknown", "reading", "writing"]

TIMEOUT_SECONDS = 10.0
"""How long one operation may take, unless the connection's own settings say otherwise (``timeoutMS``)."""

Document = dict[str, Any]

_RENAMED = {"authentication_source": "authSource", "authentication_mechanism": "authMechanism"}
_NOT_FOR_THE_DRIVER = {"name", "mongo_client_class"}

_DUPLICATE_CODES = (11000, 11001, 12582)

_clients: dict[tuple[int, str], tuple[asyncio.AbstractEventLoop, Mapping[str, Any], Any]] = {}


def database(alias: str) -> Any:
    """The asynchronous database of a MongoEngine connection, on a client of the running event loop.

    Made at the first use, from the settings that ``mongoengine.connect()`` registered for ``alias``; made anew when
    those settings were registered anew.

    :raises bzz.errors.ConfigurationError: where no such connection is registered.
    """
    settings = _connection_settings.get(alias)
    if settings is None:
        raise ConfigurationError(f"no connection {alias!r}: call mongoengine.connect(alias={alias!r}, ...) first")
    loop = asyncio.get_running_loop()
    known = _clients.get((id(loop), alias))
    if known is None or known[0] is not loop or known[1] is not settings:
        known = _connect(loop, alias, settings)
    return known[2][settings["name"]]


def _connect(loop: asyncio.AbstractEventLoop, alias: str, settings: Mapping[str, Any]) -> Any:
    _close_stale(loop, alias)
    options = {_RENAMED.get(name, name): value for name, value in settings.items() if value is not None}
    for name in _NOT_FOR_THE_DRIVER:
        options.pop(name, None)
    known = (loop, settings, AsyncIOMotorClient(**options))
    _clients[id(loop), alias] = known
    return known


def _close_stale(loop: asyncio.AbstractEventLoop, alias: str) -> None:
    for key, (owner, _, client) in list(_clients.items()):
        if owner.is_closed() or key == (id(loop), alias):
            _clients.pop(key, None)  # the loop of another thread may have been faster
            client.close()


@atexit.register
def close() -> None:
    """Close every client that was made here: for tests and for orderly shutdown; the next use makes new ones."""
    while _clients:
        _clients.popitem()[1][2].close()


@contextmanager
def reading() -> Iterator[None]:
    """Tell the driver's trouble while reading as :class:`~bzz.errors.Unavailable`."""
    try:
        yield
    except (ConnectionFailure, ExecutionTimeout, NotConnected, WriteConcernError) as error:  # the last by an index
        raise Unavailable() from error
    except PyMongoError as error:
        if error.timeout:
            raise Unavailable("The database is too slow; nothing was done.") from error
        raise


@contextmanager
def writing() -> Iterator[None]:
    """Tell the driver's trouble while writing: 503, and whether the write may have happened.

    A server that was never found was sent nothing. Any other lost connection, a time that ran out, and a write concern
    that was not met leave the outcome unknown. Duplicate keys and refused operations pass through.
    """
    try:
        yield
    except (ServerSelectionTimeoutError, NotConnected) as error:
        raise Unavailable() from error
    except PyMongoError as error:
        if leaves_unknown(error):
            raise OutcomeUnknown() from error
        raise


def leaves_unknown(error: BaseException | None) -> bool:
    """Whether a write that ended in this error may have happened all the same."""
    if isinstance(error, (ConnectionFailure, ExecutionTimeout, WriteConcernError)):
        return True
    retryable = isinstance(error, OperationFailure) and error.has_error_label("RetryableWriteError")
    return isinstance(error, PyMongoError) and (error.timeout or retryable)


class Collection:
    """The few operations that bzz needs of a collection, on either driver, with errors as said above."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        own = raw.database.client.options.timeout
        self._seconds = TIMEOUT_SECONDS if own is None else own

    @contextmanager
    def _within(self, told: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        """Bound an operation from here on: Motor may let it wait for a thread first."""
        with told(), pymongo.timeout(self._seconds):
            yield

    async def find(
        self,
        query: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (),
        skip: int = 0,
        limit: int = 0,
        keys: Sequence[str] | None = None,
    ) -> list[Document]:
        """The documents that match (or only these keys of them), in one round trip where ``limit`` is given."""
        with self._within(reading):
            cursor = self.raw.find(query, keys, sort=list(sort) or None, skip=skip, limit=limit, batch_size=limit)
            found: list[Document] = await cursor.to_list(None)
        return found

    async def aggregate(self, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        """All documents that a pipeline gives."""
        with self._within(reading):
            cursor = self.raw.aggregate(pipeline)
            if inspect.isawaitable(cursor):
                cursor = await cursor
            found: list[Document] = await cursor.to_list(None)
        return found

    async def count(self, query: Mapping[str, Any]) -> int:
        """How many documents match, exactly."""
        with self._within(reading):
            number: int = await self.raw.count_documents(query)
        return number

    async def update(self, query: Mapping[str, Any], change: Mapping[str, Any]) -> Document | None:
        """Change one document atomically; returns it as it was before, None where nothing matched."""
        with self._within(writing):
            before: Document | None = await self.raw.find_one_and_update(
                query, change, return_document=pymongo.ReturnDocument.BEFORE
            )
        return before

    async def delete(self, query: Mapping[str, Any]) -> Document | None:
        """Delete one document atomically; returns it, None where nothing matched."""
        with self._within(writing):
            deleted: Document | None = await self.raw.find_one_and_delete(query)
        return deleted

    async def insert(self, documents: Sequence[bytes]) -> list[OperationFailure | OutcomeUnknown | None]:
        """Insert encoded documents in one round trip, each by itself; returns what went wrong with each.

        Their ids are in them, so that the driver's own retry cannot insert one twice.
        """
        raw = [RawBSONDocument(document) for document in documents]
        with self._within(writing):
            try:
                await (self.raw.insert_one(raw[0]) if len(raw) == 1 else self.raw.insert_many(raw, ordered=False))
            except DuplicateKeyError as error:
                return [error]
            except BulkWriteError as error:
                return _told_apart(len(raw), error.details)
        return [None] * len(raw)


def _told_apart(number: int, details: Mapping[str, Any]) -> list[OperationFailure | OutcomeUnknown | None]:
    unmet = bool(details.get("writeConcernErrors"))
    outcomes: list[OperationFailure | OutcomeUnknown | None] = [OutcomeUnknown() if unmet else None] * number
    for failure in details.get("writeErrors", ()):
        kind = DuplicateKeyError if failure["code"] in _DUPLICATE_CODES else WriteError
        outcomes[failure["index"]] = kind(failure["errmsg"], failure["code"], failure)
    return outcomes
