"""The store in MongoDB of failures, ended sessions and passwords."""

from __future__ import annotations

import importlib
from typing import Any

from bzz.providers.base import Store

__all__ = ["store_in"]

_MODULE = "bzz.providers.mongoengine.store"


def store_in(collection: Any, expires: str = "expires") -> Store:
    """Return the store in ``collection``. The provider, and its drivers, are loaded when the first is made.

    :param collection: an asynchronous collection, of Motor or of PyMongo's ``AsyncMongoClient``.
    :param expires: the member of its documents that holds when they expire.
    """
    made: Store = importlib.import_module(_MODULE).MongoStore(collection, expires)
    return made
