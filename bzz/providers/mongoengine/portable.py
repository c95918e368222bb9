"""Documents taken apart into class, id and values, and put together again in another process."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from bson import DBRef, Decimal128, ObjectId
from mongoengine.base import BaseDocument
from mongoengine.errors import NotRegistered

from bzz.providers.hidden import MayLeave, note, shows
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.codecs.walk import rebuilt

__all__ = ["BaseDocument", "DBRef", "Decimal128", "ObjectId", "model_named", "put_together", "take_apart"]


Raw = dict[str, Any]


def take_apart(document: Any, may_leave: MayLeave) -> dict[str, Any]:
    """``class``, ``id`` and ``values`` of a document, by the names under which they are stored.

    :param may_leave: asked about the fields that routes of this process hide, and write-only ones.
    :raises bzz.errors.ConfigurationError: for a class that bzz cannot serve.
    """
    model: Any = type(document)
    codec = _codec(model)

    def stays(field: FieldCodec) -> bool:
        name = field.declared.name  # an item of a list has none
        return not name or shows(field.model, name) or may_leave(field.model, name)

    dumped = codec.dump(document)
    values = {"_cls": dumped["_cls"]} if "_cls" in dumped else {}
    values.update(rebuilt(codec.parts(dumped), stays))
    return {"class": codec.class_name, "id": getattr(document, "pk", None), "values": values}


def put_together(name: str, values: Raw) -> Any:
    """Return the document of the class that MongoEngine knows by ``name``; None if it knows none.

    Saving it writes only what is changed afterwards, and it never asks the database by itself.
    """
    model = model_named(name)
    return None if model is None else _codec(model).load(values)


def model_named(name: str) -> Any:
    """Return the document class that MongoEngine knows by ``name``, or None."""
    try:
        return internals.registered(name)
    except NotRegistered:
        return None


@lru_cache(256)
def _codec(model: Any) -> DocumentCodec:
    codec = Registry(model, (), ()).root
    note(codec.shape)  # what the model itself does not show, for classes that no routes serve
    return codec
