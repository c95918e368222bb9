"""Which of several documents that were inserted together have failed, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, WriteError

from bzz.errors import BadRequest, OutcomeUnknown, Unavailable
from bzz.providers.base import ONE_BY_ONE
from bzz.providers.mongoengine.failures import blames_data, failed_uncommitted, failed_write

__all__ = ["STANDALONE", "Failure", "outcomes", "refused"]

Failure = OperationFailure | Unavailable | OutcomeUnknown
"""Why a document was not inserted, or may not be: the first blames its data."""

_DUPLICATE_CODES = (11000, 11001, 12582)
_NO_TRANSACTIONS = 20  # IllegalOperation: "Transaction numbers are only allowed on a replica set member or mongos"

STANDALONE = (
    "The database is a standalone server, which cannot store all or nothing. Run it as a replica set of one member"
    f" or more. {ONE_BY_ONE}"
)


def outcomes(number: int, details: Mapping[str, Any]) -> list[Failure | None]:
    """Return what went wrong with each of so many documents that were inserted each by itself.

    :param details: of the driver's error.
    """
    unmet = bool(details.get("writeConcernErrors"))
    found: list[Failure | None] = [OutcomeUnknown() if unmet else None] * number
    for failure in details.get("writeErrors", ()):
        error = _write_error(failure)
        found[failure["index"]] = error if blames_data(error) else failed_write(error)
    return found


def refused(error: Exception) -> tuple[int, OperationFailure]:
    """Return which document is to blame for a transaction that was not committed, and why; raise if none is."""
    if isinstance(error, BulkWriteError):
        for failure in error.details.get("writeErrors", ()):
            if blames_data(_write_error(failure)):
                return failure["index"], _write_error(failure)
    if isinstance(error, OperationFailure) and error.code == _NO_TRANSACTIONS:
        raise BadRequest(STANDALONE) from None
    raise failed_uncommitted(error) from error


def _write_error(failure: Mapping[str, Any]) -> OperationFailure:
    kind = DuplicateKeyError if failure["code"] in _DUPLICATE_CODES else WriteError
    return kind(failure["errmsg"], failure["code"], failure)
