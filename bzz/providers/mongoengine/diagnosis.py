"""What MongoDB says of one model's collection, and of itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pymongo.errors import OperationFailure

from bzz.errors import ConfigurationError
from bzz.providers.diagnosis import Diagnosis
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.changes.commands import Commands
from bzz.providers.mongoengine.changes.images import require_change_streams
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.failures import reading
from bzz.providers.mongoengine.filters import stored_path

__all__ = ["diagnose"]

_NO_COLLECTION = 26


async def diagnose(documents: DocumentStore, paths: Sequence[str]) -> Diagnosis:
    """Return what is found; see :class:`bzz.providers.diagnosis.Diagnosed`.

    Indexes that the model declares count too: MongoEngine makes them at the first request.
    """
    commands = Commands(documents.database())
    with reading():
        stored = await _stored_indexes(commands, documents.collection_name)
        count = (await commands.run({"count": documents.collection_name}))["n"]
    first = {_first_key(each) for each in (*stored, *_declared_indexes(documents.model))}
    return Diagnosis(tuple(_unindexed(documents.codec, paths, first)), int(count), await _cannot(commands))


async def _stored_indexes(commands: Commands, collection: str) -> list[list[str]]:
    try:
        reply = await commands.run({"listIndexes": collection})
    except OperationFailure as error:
        if error.code == _NO_COLLECTION:
            return []
        raise
    return [list(each["key"]) for each in reply["cursor"]["firstBatch"] if "partialFilterExpression" not in each]


def _declared_indexes(model: Any) -> list[list[str]]:
    if not internals.meta(model).get("auto_create_index", True):
        return []
    return [[str(key) for key, *_ in each] for each in model.list_indexes()]


def _first_key(index: Sequence[str]) -> str:
    """Return the key that a filter must name to be served; that of the class stands in every query of a subclass."""
    return next((key for key in index if key != internals.CLASS_KEY), internals.CLASS_KEY)


def _unindexed(codec: DocumentCodec, paths: Sequence[str], first: Collection[str]) -> Iterator[str]:
    for path in paths:
        if stored_path(codec, path)[0] not in first:
            yield path


async def _cannot(commands: Commands) -> tuple[str, ...]:
    try:
        await require_change_streams(commands)
    except ConfigurationError as error:
        return (str(error),)
    return ()
