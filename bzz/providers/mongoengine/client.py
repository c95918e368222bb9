"""The clients that bzz makes itself: PyMongo's ``AsyncMongoClient``, one for each event loop and connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import pymongo
import pymongo.database
from pymongo import AsyncMongoClient

from bzz.errors import ConfigurationError
from bzz.providers.mongoengine import internals

__all__ = ["Client", "check_database", "close", "connected"]

CLOSE_SECONDS = 1.0
"""How long a client that is closed may take to say goodbye to its server, which may be away."""

logger = logging.getLogger("bzz.providers.mongoengine")

_RENAMED = {"authentication_source": "authSource", "authentication_mechanism": "authMechanism"}
_NOT_FOR_THE_DRIVER = {"name", "mongo_client_class"}

_clients: dict[tuple[int, str], Client] = {}


class Client(NamedTuple):
    """A client of one event loop.

    :ivar database: the one that the connection names.
    :ivar keeper: is done when the client is closed.
    """

    loop: asyncio.AbstractEventLoop
    settings: Mapping[str, Any]
    database: Any
    keeper: asyncio.Task[None]


def check_database(given: Any) -> None:
    """Check that an application gave an asynchronous database object.

    :raises bzz.errors.ConfigurationError: if it is something else, such as a database of PyMongo's ``MongoClient``.
    """
    if not (hasattr(given, "client") and hasattr(given, "name")) or isinstance(given, pymongo.database.Database):
        kind = type(given)
        raise ConfigurationError(
            f"database: one of AsyncMongoClient or Motor is expected, not {kind.__module__}.{kind.__name__}"
        )


def connected(alias: str) -> Client:
    """Return the client of a MongoEngine connection for the running event loop.

    The client is made at the first use, from the settings that ``mongoengine.connect()`` registered for ``alias``, and
    made anew when those were registered anew. It is closed when its loop's tasks are cancelled, as ``asyncio.run``,
    :func:`bzz.serve` and Tornado's ``AsyncTestCase`` do at the end.

    :raises bzz.errors.ConfigurationError: where no such connection is registered.
    """
    settings = internals.connection_settings(alias)
    if settings is None:
        raise ConfigurationError(f"no connection {alias!r}: call mongoengine.connect(alias={alias!r}, ...) first")
    loop = asyncio.get_running_loop()
    known = _clients.get((id(loop), alias))
    if known is None or known.loop is not loop or known.settings is not settings or known.keeper.done():
        _forget_stale(loop, alias)
        known = _clients[id(loop), alias] = _connect(loop, settings)
    return known


def _connect(loop: asyncio.AbstractEventLoop, settings: Mapping[str, Any]) -> Client:
    options = {_RENAMED.get(name, name): value for name, value in settings.items() if value is not None}
    for name in _NOT_FOR_THE_DRIVER:
        options.pop(name, None)
    client: Any = AsyncMongoClient(**options)
    return Client(loop, settings, client[settings["name"]], loop.create_task(_keep(client)))


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
        # Not awaited without end: where its tasks were cancelled at a bad moment, the driver waits for a lock for ever.
        _, late = await asyncio.wait([asyncio.create_task(_say_goodbye(client))], timeout=2 * CLOSE_SECONDS)
        if late:
            logger.warning("a client of MongoDB could not be closed in order: its server is away")


async def _say_goodbye(client: Any) -> None:
    with pymongo.timeout(CLOSE_SECONDS):
        await client.close()


def _forget_stale(loop: asyncio.AbstractEventLoop, alias: str) -> None:
    for key, known in list(_clients.items()):
        if known.loop.is_closed() or key == (id(loop), alias):
            _clients.pop(key, None)  # the loop of another thread may have been faster
            if known.loop is loop:
                known.keeper.cancel()
