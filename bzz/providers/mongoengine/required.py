"""Which required fields an instance goes without: what to say where a model's own code fails for want of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from collections.abc import Mapping as Map
from contextlib import contextmanager
from typing import Any

import mongoengine as me
from pymongo.errors import PyMongoError
from tornado.web import HTTPError

from bzz.errors import BzzError, Invalid
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.messages import REQUIRED

__all__ = ["blame_missing", "missing"]

logger = logging.getLogger("bzz.providers.mongoengine")

_MEANT = (BzzError, HTTPError, PyMongoError, me.ValidationError, me.NotUniqueError, me.OperationError)
"""What says by itself what went wrong: an answer that the model's code chose, a refusal, the database's trouble."""


@contextmanager
def blame_missing(codec: DocumentCodec, data: Map[str, Any]) -> Iterator[None]:
    """Turn any other exception of a model's own code into a refusal, if required fields are missing.

    Such code may take required fields for granted: MongoEngine looks whether they are there only after it. Code that
    fills them in raises nothing.

    :param data: what the attributes of the instance hold, by name.
    :raises bzz.errors.Invalid: naming the fields.
    """
    try:
        yield
    except _MEANT:
        raise
    except Exception as error:
        names = list(missing(codec, data))
        if not names:
            raise
        logger.info("%s failed while required fields were missing", codec.model.__name__, exc_info=True)
        raise Invalid({name: [REQUIRED] for name in names}) from error


def missing(codec: DocumentCodec, data: Map[str, Any], prefix: str = "") -> Iterator[str]:
    """Return the dotted names of required fields that hold nothing, as clients may know them."""
    for name, field in codec.fields.items():
        value, where = data.get(name), prefix + field.name
        if value is not None and value not in ([], {}):
            yield from _inside(codec, value, where)
        elif field.declared.required and (name in data or not field.declared.has_default):
            yield where


def _inside(codec: DocumentCodec, value: Any, where: str) -> Iterator[str]:
    if isinstance(value, me.EmbeddedDocument):
        yield from missing(codec.registry.of(type(value)), internals.values(value), where + ".")
    elif isinstance(value, (dict, list)):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _inside(codec, each, f"{where}.{key}")
