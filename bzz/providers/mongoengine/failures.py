"""What goes wrong between here and MongoDB, as bzz's own errors.

There is one rule for what the server says. For the codes below it is the client's data, which those who know the model
report as such. Anything else is the database's trouble, a 503, and logged with its code. What a write that failed has
done is unknown, unless it is certain that it was refused before it ran.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import mongoengine as me
from mongoengine.connection import ConnectionFailure as NotConnected
from pymongo.errors import (
    ConnectionFailure,
    DuplicateKeyError,
    InvalidOperation,
    OperationFailure,
    ProtocolError,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)

from bzz.errors import TOO_SLOW, BadRequest, OutcomeUnknown, Unavailable

__all__ = [
    "TROUBLE",
    "blames_data",
    "failed_orm_write",
    "failed_read",
    "failed_uncommitted",
    "failed_write",
    "reading",
    "writing",
]

logger = logging.getLogger("bzz.database")

_NOTHING_SENT = (ServerSelectionTimeoutError, NotConnected, InvalidOperation)  # the last by a client that was closed
TROUBLE = (*_NOTHING_SENT, ConnectionFailure, OperationFailure, ProtocolError)
"""What the drivers raise where the database, or the way to it, is in trouble, and where it blames the data."""

_DATA_CODES = frozenset(
    {2, 15, 17, 52, 54, 57, 121, 171, 10334, 13026, 13027, 13068, 16755, 16804, 17280, 17419, 17420}
)
"""Failures of a write that the data itself causes: bad value, too deep, too large, no geometry, refused by a validator,
keys that cannot be stored, an index key that cannot be made."""

_PATTERN_CODES = frozenset({51091})
"""Failures of a read that a filter of the client causes: a pattern that is too long."""

_NOT_RUN_CODES = frozenset({13, 18})
"""Failures before a command runs at all: not authorized, not authenticated."""

_REFUSED = "The database refuses this for now; nothing was done."


@contextmanager
def reading() -> Iterator[None]:
    """Translate what MongoEngine or a driver raises while it reads."""
    try:
        yield
    except TROUBLE as error:
        raise failed_read(error) from error
    except me.OperationError as error:
        cause = error.__context__  # MongoEngine wraps what the driver says
        if not isinstance(cause, PyMongoError):
            raise
        raise failed_read(cause) from error


def failed_read(error: Exception) -> Unavailable | BadRequest:
    """Return the error that clients get for a read that failed."""
    if not isinstance(error, OperationFailure):
        return Unavailable(TOO_SLOW) if _is_late(error) else Unavailable()
    if error.code in _PATTERN_CODES:
        return BadRequest("A filter is too long.")
    _log(error)
    return Unavailable(TOO_SLOW if error.timeout else _REFUSED)


def _is_late(error: Exception) -> bool:
    return isinstance(error, PyMongoError) and error.timeout and not isinstance(error, ServerSelectionTimeoutError)


@contextmanager
def writing() -> Iterator[None]:
    """Translate what MongoEngine or a driver raises while it writes, but for what blames the data."""
    try:
        yield
    except TROUBLE as error:
        if blames_data(error):
            raise
        raise failed_write(error) from error


def blames_data(error: BaseException | None) -> bool:
    """Return whether a write was refused for what it would have stored: a unique value that is taken, or bad data."""
    if isinstance(error, WriteConcernError) or not isinstance(error, OperationFailure):
        return False
    return isinstance(error, DuplicateKeyError) or error.code in _DATA_CODES


def failed_write(error: Exception) -> Unavailable | OutcomeUnknown:
    """Return the error that clients get for a write that failed, and does not blame its data."""
    if isinstance(error, _NOTHING_SENT):
        return Unavailable()
    _log(error)
    return Unavailable(_REFUSED) if _never_ran(error) else OutcomeUnknown()


def failed_uncommitted(error: Exception) -> Unavailable:
    """Return the error that clients get for a transaction that failed before anybody asked to commit it."""
    _log(error)
    return Unavailable(_REFUSED) if isinstance(error, OperationFailure) else Unavailable()


def failed_orm_write(error: PyMongoError) -> OutcomeUnknown:
    """Return the error that clients get if code of the model's own was writing, which may have written before."""
    _log(error)
    return OutcomeUnknown()


def _never_ran(error: Exception) -> bool:
    if isinstance(error, WriteConcernError) or not isinstance(error, OperationFailure):
        return False
    return error.code in _NOT_RUN_CODES and not _was_repeated(error)


def _was_repeated(error: OperationFailure) -> bool:
    """Whether the driver had sent the command before, without learning what became of it, or may have.

    PyMongo raises the error of the second attempt, and tells of the first one in a private attribute only.
    """
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    attempts = [getattr(frame.f_locals.get("self"), "_retrying", None) for frame in frames]
    return not (False in attempts and True not in attempts)


def _log(error: Exception) -> None:
    if isinstance(error, OperationFailure):
        details = error.details or {}
        name, message = details.get("codeName", "no name"), str(details.get("errmsg", error))
        message = message.partition(" {")[0]  # what follows is the command, with the values in it
        logger.warning("MongoDB failed with code %s (%s): %s", error.code, name, message)
