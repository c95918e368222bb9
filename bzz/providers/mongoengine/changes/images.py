"""Pre- and post-images: MongoDB keeps both sides of each change of a collection, where it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo.errors import OperationFailure

from bzz.errors import ConfigurationError
from bzz.providers.mongoengine.changes.commands import Commands
from bzz.providers.mongoengine.failures import reading

__all__ = ["collation_of", "keep_images", "require_change_streams"]

_WHO = "live=True and durable listeners"
_IMAGES = "changeStreamPreAndPostImages"
_MONGODB_6 = 17  # its wire version
_NOT_AUTHORIZED = 13
_EXISTS = 48


async def require_change_streams(commands: Commands) -> None:
    """Check that the server can tell its changes.

    :raises bzz.errors.ConfigurationError: if it is a standalone one, or older than MongoDB 6.0, or the
        connection's user may not watch the database.
    """
    with reading():
        hello = await commands.hello()
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise ConfigurationError(
            f"{_WHO} need a MongoDB replica set, and this server is a standalone one: start mongod with --replSet,"
            " and run rs.initiate() once (a set of one member is enough)"
        )
    if hello["maxWireVersion"] < _MONGODB_6:
        raise ConfigurationError(f"{_WHO} need MongoDB 6.0 or later, and this server is older: upgrade it")
    database = commands.database.name
    with reading(), _rights(f"watch the database {database!r}", f"the role 'read' on {database!r}"):
        reply = await commands.run({"aggregate": 1, "pipeline": [{"$changeStream": {}}], "cursor": {"batchSize": 0}})
        await commands.run({"killCursors": "$cmd.aggregate", "cursors": [reply["cursor"]["id"]]})


async def keep_images(commands: Commands, collection: str) -> None:
    """Have the server keep images of a collection, which is made if it does not exist. All its other options stay.

    :raises bzz.errors.ConfigurationError: if the connection's user may not do that.
    """
    name = f"{commands.database.name}.{collection}"
    with (
        reading(),
        _rights(
            f"have the images of {name} kept",
            f"the role 'dbAdmin', or run it yourself: db.runCommand({{collMod: {collection!r}, {_IMAGES}:"
            " {enabled: true}})",
        ),
    ):
        options = await _options(commands, collection)
        if options is None and await _create(commands, collection):
            return
        if not (options or {}).get(_IMAGES, {}).get("enabled"):
            await commands.change({"collMod": collection, _IMAGES: {"enabled": True}})


async def _options(commands: Commands, collection: str) -> dict[str, Any] | None:
    reply = await commands.run({"listCollections": 1, "filter": {"name": collection}})
    found: list[dict[str, Any]] = reply["cursor"]["firstBatch"]
    return found[0].get("options", {}) if found else None


async def _create(commands: Commands, collection: str) -> bool:
    """Make the collection; False where another process was faster."""
    try:
        await commands.change({"create": collection, _IMAGES: {"enabled": True}})
    except OperationFailure as error:
        if error.code != _EXISTS:
            raise
        return False
    return True


@contextmanager
def _rights(what: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code != _NOT_AUTHORIZED:
            raise
        raise ConfigurationError(
            f"the user of the MongoDB connection may not {what}, which {_WHO} need: give it {remedy}"
        ) from error


async def collation_of(commands: Commands, collection: str) -> dict[str, Any] | None:
    """Return the collation by which the queries of a collection compare texts; None for the plain one."""
    with reading():
        found: dict[str, Any] | None = (await _options(commands, collection) or {}).get("collation")
        return found
