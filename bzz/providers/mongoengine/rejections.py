"""Writes that are refused for their data, as what the client is told."""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError, OperationFailure

from bzz.errors import Conflict, Invalid
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.failures import blames_data

__all__ = ["duplicate_key", "rejected"]


def duplicate_key(codec: DocumentCodec, error: DuplicateKeyError) -> Conflict:
    """Return a duplicate key as a 409 that names the fields, as far as clients may know of them."""
    keys = (error.details or {}).get("keyPattern") or {}
    fields = [codec.by_stored.get(key.partition(".")[0]) for key in keys]
    names = [field.name for field in fields if field is not None]
    return Conflict("A unique value is taken.", errors={name: ["The value is taken."] for name in names or ["*"]})


def rejected(error: OperationFailure) -> Exception:
    """Return a write that MongoDB refuses for its data as a 400; any other error itself."""
    return Invalid({"*": ["The database refuses this data."]}) if blames_data(error) else error
