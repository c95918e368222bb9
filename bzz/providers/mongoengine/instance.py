"""Instances put together from raw documents without running ``BaseDocument.__init__``.

MongoEngine's own constructor looks at every field of the class several times, which costs more than all else that is
done for a receiver. Here the attributes that it would leave are set, and nothing more: for classes whose construction
is nothing but that (``Mapping._is_simple``).
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import mongoengine as me
from bson import SON
from mongoengine.base import BaseDict, BaseList
from mongoengine.base.datastructures import EmbeddedDocumentList

from bzz.providers.mongoengine.column import Column
from bzz.providers.mongoengine.raw import Raw
from bzz.shape.containers import ListKind, MapKind

if TYPE_CHECKING:
    from bzz.providers.mongoengine.mapping import Mapping

__all__ = ["assemble"]

_set = object.__setattr__  # MongoEngine's own would note a change


def assemble(mapping: Mapping, raw: Raw, fields: Any) -> Any:
    """The instance that holds ``raw``.

    :param fields: the fields that it shall have in place of its class's own, which follow references.
    """
    instance = mapping.model.__new__(mapping.model)
    _set(instance, "_initialised", False)
    _set(instance, "_created", mapping.embedded)
    if mapping.embedded:
        _set(instance, "_instance", None)  # a slot, which a map of embedded documents looks at
    _set(instance, "_dynamic_fields", SON())
    _set(instance, "_changed_fields", [])
    data = {name: _value(column, raw.get(column.stored), instance) for name, column in mapping.columns.items()}
    _set(instance, "_data", data)
    _set(instance, "_cls", mapping.model._class_name)  # a field of classes that inherit, an attribute of others
    _set(instance, "_fields", fields)
    if mapping.embedded:
        _set(instance, "_instance", None)  # its own validate() looks for it
    _set(instance, "_initialised", True)
    return instance


def _value(column: Column, raw: Any, instance: Any) -> Any:
    if raw is not None and column.is_plain:
        return raw
    kind = column.field.kind
    loaded = column.load(raw)
    if isinstance(kind, ListKind):
        return _watched_list(column, [] if loaded is None else loaded, instance)
    if isinstance(kind, MapKind):
        return BaseDict({} if loaded is None else loaded, instance, column.field.name)
    _belongs(loaded, instance)
    return loaded


def _watched_list(column: Column, items: list[Any], instance: Any) -> Any:
    for item in items:
        _belongs(item, instance)
    kind = EmbeddedDocumentList if isinstance(column.source, me.EmbeddedDocumentListField) else BaseList
    return kind(items, instance, column.field.name)


def _belongs(value: Any, instance: Any) -> None:
    if isinstance(value, me.EmbeddedDocument):
        value._instance = weakref.proxy(instance)
