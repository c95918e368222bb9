"""Documents taken apart into class, id and values, and put together again in another process."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from bson import DBRef, Decimal128, ObjectId
from mongoengine.base import BaseDocument, get_document
from mongoengine.errors import NotRegistered

from bzz.providers.hidden import MayLeave, hides
from bzz.providers.mongoengine.column import Column
from bzz.providers.mongoengine.mapping import Mapping
from bzz.providers.mongoengine.schema import Schema
from bzz.shape.documents import AnyEmbeddedKind, EmbeddedKind

__all__ = ["BaseDocument", "DBRef", "Decimal128", "ObjectId", "model_named", "put_together", "take_apart"]


Raw = dict[str, Any]


def take_apart(document: Any, may_leave: MayLeave) -> dict[str, Any]:
    """``class``, ``id`` and ``values`` of a document, by the names under which they are stored.

    :param may_leave: asked about the fields that routes of this process hide.
    :raises bzz.errors.ConfigurationError: for a class that bzz cannot serve.
    """
    model: Any = type(document)
    mapping = _mapping(model)
    values = _open(mapping, mapping.dump(document), may_leave)
    return {"class": model._class_name, "id": getattr(document, "pk", None), "values": values}


def put_together(name: str, values: Raw) -> Any:
    """The document of the class that MongoEngine knows by ``name``; None where it knows none.

    Saving it writes only what is changed afterwards, and it never asks the database by itself.
    """
    model = model_named(name)
    return None if model is None else _mapping(model).load(values)


def model_named(name: str) -> Any:
    """The document class that MongoEngine knows by ``name``, or None."""
    try:
        return get_document(name)
    except NotRegistered:
        return None


@lru_cache(256)
def _mapping(model: Any) -> Mapping:
    return Schema(model, (), ()).root


def _open(mapping: Mapping, raw: Raw, may_leave: MayLeave) -> Raw:
    kept: Raw = {"_cls": raw["_cls"]} if "_cls" in raw else {}
    for name, column in mapping.columns.items():
        is_open = not hides(mapping.model, name) or may_leave(mapping.model, name)
        if is_open and column.stored in raw:
            kept[column.stored] = _open_inside(column, raw[column.stored], may_leave)
    return kept


def _open_inside(column: Column, raw: Any, may_leave: MayLeave) -> Any:
    if isinstance(raw, list):
        return [_open_inside(column.item or column, each, may_leave) for each in raw]
    if isinstance(raw, dict) and column.item is not None:
        return {key: _open_inside(column.item, each, may_leave) for key, each in raw.items()}
    if isinstance(raw, dict) and isinstance(column.field.kind, (EmbeddedKind, AnyEmbeddedKind)):
        return _open(column.mapping(raw), raw, may_leave)
    return raw
