"""The asynchronous driver: clients per event loop, and its errors told as bzz's.

This is the only module that knows which driver is there: PyMongo's ``AsyncMongoClient``, made here, or the database
object that the application hands in, PyMongo's or Motor's. Both have the same methods; the one difference used here is
that ``aggregate`` returns a cursor in Motor and an awaitable of one in PyMongo.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any, NamedTuple

import pymongo
from bson.raw_bson import RawBSONDocument
from mongoengine.connection import ConnectionFailure as NotConnected
from mongoengine.connection import _connection_settings
from pymongo import AsyncMongoClient
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WriteError,
)

from bzz.errors import TOO_SLOW, ConfigurationError, OutcomeUnknown, Unavailable

__all__ = ["TIMEOUT_SECONDS", "Collection", "close", "database", "leaves_unknown", "reading", "writing"]

TIMEOUT_SECONDS = 10.0
"""How long one operation may take, unless the connection's own settings say otherwise (``timeoutMS``)."""

CONCURRENT = 32
"""How many operations on one collection are on their way at once. More would be answered later, not sooner: MongoDB has
fewer cores, and where the pool of ``AsyncMongoClient`` is empty, each that waits costs a task and a timer. Motor's own
bound is five for each core."""

CLOSE_SECONDS = 1.0
"""How long a client that is closed may take to say goodbye to its server, which may be away."""

Document = dict[str, Any]

_RENAMED = {"authentication_source": "authSource", "authentication_mechanism": "authMechanism"}
_NOT_FOR_THE_DRIVER = {"name", "mongo_client_class"}

_NOTHING_SENT = (ServerSelectionTimeoutError, NotConnected, InvalidOperation)  # the last by a client that was closed
_DUPLICATE_CODES = (11000, 11001, 12582)

_clients: dict[tuple[int, str], _Client] = {}


class _Client(NamedTuple):
    loop: asyncio.AbstractEventLoop
    settings: Mapping[str, Any]
    database: Any
    keeper: asyncio.Task[None]


def database(alias: str) -> Any:
    """The asynchronous database of a MongoEngine connection, on a client of the running event loop.

    The client is made at the first use, from the settings that ``mongoengine.connect()`` registered for ``alias``, and
    made anew when those were registered anew. It is closed when its loop's tasks are cancelled, as ``asyncio.run``,
    :func:`bzz.serve` and Tornado's ``AsyncTestCase`` do at the end.

    :raises bzz.errors.ConfigurationError: where no such connection is registered.
    """
    settings = _connection_settings.get(alias)
    if settings is None:
        raise ConfigurationError(f"no connection {alias!r}: call mongoengine.connect(alias={alias!r}, ...) first")
    loop = asyncio.get_running_loop()
    known = _clients.get((id(loop), alias))
    if known is None or known.loop is not loop or known.settings is not settings or known.keeper.done():
        _forget_stale(loop, alias)
        known = _clients[id(loop), alias] = _connect(loop, settings)
    return known.database


def _connect(loop: asyncio.AbstractEventLoop, settings: Mapping[str, Any]) -> _Client:
    options = {_RENAMED.get(name, name): value for name, value in settings.items() if value is not None}
    for name in _NOT_FOR_THE_DRIVER:
        options.pop(name, None)
    client: Any = AsyncMongoClient(**options)
    return _Client(loop, settings, client[settings["name"]], loop.create_task(_keep(client)))


async def close() -> None:
    """Close the clients of the running loop; the next use makes new ones.

    For those who end a loop in good order: where its tasks are merely cancelled, a connection that is being made just
    then is dropped, and Python may warn of it.
    """
    keepers = [known.keeper for known in _clients.values() if known.loop is asyncio.get_running_loop()]
    for keeper in keepers:
        keeper.cancel()
    if keepers:
        await asyncio.wait(keepers)


async def _keep(client: Any) -> None:
    """Close a client where it was opened, which is the one place that can: at the end of its loop."""
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        with pymongo.timeout(CLOSE_SECONDS):
            await client.close()


def _forget_stale(loop: asyncio.AbstractEventLoop, alias: str) -> None:
    for key, known in list(_clients.items()):
        if known.loop.is_closed() or key == (id(loop), alias):
            _clients.pop(key, None)  # the loop of another thread may have been faster
            if known.loop is loop:
                known.keeper.cancel()


@contextmanager
def reading() -> Iterator[None]:
    """Tell the driver's trouble while reading as :class:`~bzz.errors.Unavailable`."""
    try:
        yield
    except (*_NOTHING_SENT, ConnectionFailure, ExecutionTimeout, WriteConcernError) as error:  # the last by an index
        raise Unavailable() from error
    except PyMongoError as error:
        if error.timeout:
            raise Unavailable(TOO_SLOW) from error
        raise


@contextmanager
def writing() -> Iterator[None]:
    """Tell the driver's trouble while writing: 503, and whether the write may have happened.

    A server that was never found was sent nothing. Any other lost connection, a time that ran out, and a write concern
    that was not met leave the outcome unknown. Duplicate keys and refused operations pass through.
    """
    try:
        yield
    except _NOTHING_SENT as error:
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
        self._turns = asyncio.Semaphore(CONCURRENT)

    @asynccontextmanager
    async def _within(self, told: Callable[[], AbstractContextManager[None]]) -> AsyncIterator[None]:
        """Wait for a turn, and bound the operation: from here on, since Motor may let it wait for a thread as well."""
        seconds = await self._turn()
        try:
            with told(), pymongo.timeout(seconds):
                yield
        finally:
            self._turns.release()

    async def _turn(self) -> float:
        """Wait for a turn; the seconds that are left then.

        :raises bzz.errors.Unavailable: where there are none.
        """
        start = time.monotonic()
        await self._turns.acquire()
        left = self._seconds - (time.monotonic() - start)
        if left > 0 or not self._seconds:  # no seconds are no bound
            return max(left, 0)
        self._turns.release()
        raise Unavailable(TOO_SLOW)

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
        async with self._within(reading):
            cursor = self.raw.find(query, keys, sort=list(sort) or None, skip=skip, limit=limit, batch_size=limit)
            found: list[Document] = await cursor.to_list(None)
        return found

    async def aggregate(self, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        """All documents that a pipeline gives."""
        async with self._within(reading):
            cursor = self.raw.aggregate(pipeline)
            if inspect.isawaitable(cursor):
                cursor = await cursor
            found: list[Document] = await cursor.to_list(None)
        return found

    async def count(self, query: Mapping[str, Any]) -> int:
        """How many documents match, exactly."""
        async with self._within(reading):
            number: int = await self.raw.count_documents(query)
        return number

    async def update(self, query: Mapping[str, Any], change: Mapping[str, Any]) -> Document | None:
        """Change one document atomically; returns it as it was before, None where nothing matched."""
        async with self._within(writing):
            before: Document | None = await self.raw.find_one_and_update(
                query, change, return_document=pymongo.ReturnDocument.BEFORE
            )
        return before

    async def delete(self, query: Mapping[str, Any]) -> Document | None:
        """Delete one document atomically; returns it, None where nothing matched."""
        async with self._within(writing):
            deleted: Document | None = await self.raw.find_one_and_delete(query)
        return deleted

    async def insert(self, documents: Sequence[bytes]) -> list[OperationFailure | OutcomeUnknown | None]:
        """Insert encoded documents in one round trip, each by itself; returns what went wrong with each.

        Their ids are in them, so that the driver's own retry cannot insert one twice.
        """
        raw = [RawBSONDocument(document) for document in documents]
        async with self._within(writing):
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
