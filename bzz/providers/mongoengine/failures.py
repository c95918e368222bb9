"""What goes wrong between here and MongoDB, told as bzz's own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mongoengine.connection import ConnectionFailure as NotConnected
from pymongo.errors import (
    ConnectionFailure,
    ExecutionTimeout,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)

from bzz.errors import TOO_SLOW, OutcomeUnknown, Unavailable

__all__ = ["leaves_unknown", "reading", "writing"]

_NOTHING_SENT = (ServerSelectionTimeoutError, NotConnected, InvalidOperation)  # the last by a client that was closed


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
