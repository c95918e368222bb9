"""Which kind of field each MongoEngine field class is, and how its values are stored, read and loaded.

Three forms of one value appear here and in :mod:`bzz.providers.mongoengine.mapping`:

- *typed*: what :mod:`bzz.shape` says, as bodies are read into;
- *raw*: what MongoDB holds;
- *loaded*: what an attribute of a MongoEngine document holds, and what a diff tells.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import mongoengine as me
from bson import Code, DBRef, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.errors import InvalidId
from mongoengine.base import BaseField
from mongoengine.base.fields import GeoJsonBaseField
from mongoengine.errors import DeprecatedError

from bzz.codec import register
from bzz.errors import ConfigurationError
from bzz.shape import Kind
from bzz.shape.containers import ListKind, MapKind
from bzz.shape.documents import AnyEmbeddedKind, AnyReferenceKind, EmbeddedKind
from bzz.shape.free import AnyKind
from bzz.shape.geo import GeoKind
from bzz.shape.keys import IdKind, ReferenceKind
from bzz.shape.numbers import BooleanKind, DecimalKind, FloatKind, IntegerKind
from bzz.shape.texts import BinaryKind, StringKind, UUIDKind
from bzz.shape.times import DateKind, DateTimeKind

__all__ = [
    "BAD_VALUE",
    "PLAIN_FIELDS",
    "Reader",
    "container_reader",
    "inner_source",
    "kind_of",
    "parse_object_id",
    "read_any_reference",
    "reader_of",
    "reference_key",
    "reference_text",
    "serve_as",
    "store_scalar",
]

Reader = Callable[[Any], Any]

BAD_VALUE = (ValueError, TypeError, ArithmeticError, AttributeError, AssertionError, LookupError, DeprecatedError)
"""What MongoEngine's fields raise for a value that they cannot hold."""

# What a free-form field, or a field that somebody filled outside the model, may hold.
register(ObjectId, str)
register(Decimal128, str)
register(DBRef, lambda value: str(value.id))
register(Timestamp, lambda value: value.as_datetime())
register(Regex, lambda value: value.pattern)
register(MinKey, repr)
register(MaxKey, repr)
register(Code, repr)
# What a diff may hold besides.
register(me.EmbeddedDocument, lambda value: {name: value._data.get(name) for name in value._fields_ordered})
register(me.Document, lambda value: str(value.pk))

# First match wins, so subclasses stand before their bases.
_KINDS: tuple[tuple[type[BaseField], type[Kind]], ...] = (
    (me.ComplexDateTimeField, DateTimeKind),
    (me.StringField, StringKind),
    (me.IntField, IntegerKind),
    (me.FloatField, FloatKind),
    (me.DecimalField, DecimalKind),
    (me.Decimal128Field, DecimalKind),
    (me.BooleanField, BooleanKind),
    (me.DateField, DateKind),
    (me.DateTimeField, DateTimeKind),
    (me.ObjectIdField, IdKind),
    (me.UUIDField, UUIDKind),
    (me.BinaryField, BinaryKind),
    (me.EmbeddedDocumentField, EmbeddedKind),
    (me.GenericEmbeddedDocumentField, AnyEmbeddedKind),
    (me.ReferenceField, ReferenceKind),
    (me.LazyReferenceField, ReferenceKind),
    (me.CachedReferenceField, ReferenceKind),
    (me.GenericReferenceField, AnyReferenceKind),
    (me.ListField, ListKind),
    (me.DictField, MapKind),
    (GeoJsonBaseField, GeoKind),
    (me.GeoPointField, GeoKind),
)


PLAIN_FIELDS = frozenset({me.StringField, me.URLField, me.EmailField, me.IntField, me.BooleanField})
"""Fields whose values are the same in MongoDB, in an instance and as typed values; a subclass may differ."""


_registered: list[tuple[type[BaseField], type[Kind]]] = []


def serve_as(kind: type[Kind], field_class: type[BaseField]) -> None:
    """Serve the fields of a class, and of those below it, as a kind without parameters.

    What is stored and loaded is what the class's own ``to_mongo()`` and ``to_python()`` say.
    """
    _registered.insert(0, (field_class, kind))


def kind_of(source: BaseField, where: str) -> type[Kind]:
    """Return the class of a MongoEngine field's kind.

    :param where: ``Model.field``, for the error.
    :raises bzz.errors.ConfigurationError: for file and image fields, whose content lives outside the document.
    """
    if isinstance(source, me.FileField):
        raise ConfigurationError(f"{where}: {type(source).__name__} cannot be served; hide it with hidden=[...]")
    if isinstance(source, me.EnumField):
        return _kind_of_values([each.value for each in source.choices])
    if isinstance(source, me.SequenceField):
        return IntegerKind if source.value_decorator is int else StringKind
    return next((kind for known, kind in (*_registered, *_KINDS) if isinstance(source, known)), AnyKind)


def _kind_of_values(values: list[Any]) -> type[Kind]:
    types = {type(value) for value in values}
    if types == {str}:
        return StringKind
    return IntegerKind if types == {int} else AnyKind


def inner_source(source: BaseField) -> BaseField | None:
    """The field of a list's or map's items, or None where the model leaves it open."""
    return getattr(source, "field", None)


def parse_object_id(text: str) -> ObjectId:
    """Read the 24 hexadecimal digits of an ObjectId.

    :raises ValueError: where the text is something else.
    """
    try:
        return ObjectId(text)
    except (InvalidId, TypeError):
        raise ValueError("24 hexadecimal digits are expected") from None


def store_scalar(source: BaseField, kind: Kind, value: Any) -> Any:
    """The raw form of a typed value that holds no other field's values."""
    if isinstance(kind, GeoKind) and isinstance(source, me.GeoPointField):
        return value["coordinates"]
    if isinstance(kind, DateTimeKind) and not isinstance(source, me.ComplexDateTimeField):
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    if isinstance(kind, (MapKind, AnyKind, GeoKind)):
        return value
    return source.to_mongo(value)


def reference_key(raw: Any) -> Any:
    """The raw primary key in a stored reference, in any of the forms in which MongoEngine stores one."""
    if isinstance(raw, DBRef):
        return raw.id
    return raw.get("_id") if isinstance(raw, dict) else raw


def reader_of(source: BaseField, kind: Kind) -> Reader | None:
    """What turns a raw scalar into a typed one; None where they are the same."""
    if isinstance(kind, DateKind):
        return _read_date
    if isinstance(kind, GeoKind) and isinstance(source, me.GeoPointField):
        return _read_point
    converts = (me.ComplexDateTimeField, *(known for known, _ in _registered))
    if isinstance(kind, (DecimalKind, UUIDKind)) or isinstance(source, converts):
        to_python: Reader = source.to_python
        return to_python
    return None


def _read_date(raw: Any) -> date | Any:
    return raw.date() if isinstance(raw, datetime) else raw


def _read_point(raw: Any) -> Any:
    return {"type": "Point", "coordinates": raw} if isinstance(raw, list) else raw


def container_reader(read: Reader | None) -> Reader | None:
    """Return what reads each item of a list or map; None where the items need not be read."""
    if read is None:
        return None

    def read_each(raw: Any) -> Any:
        if isinstance(raw, dict):
            return {key: None if each is None else read(each) for key, each in raw.items()}
        return [None if each is None else read(each) for each in raw] if isinstance(raw, list) else raw

    return read_each


def reference_text(raw: Any) -> Any:
    """Return what clients are shown of a stored reference: the text of its primary key."""
    key = reference_key(raw)
    return key if key is None else str(key)


def read_any_reference(raw: Any) -> Any:
    """Return a stored generic reference as its class and the text of its primary key."""
    reference = raw.get("_ref") if isinstance(raw, dict) else None
    if not isinstance(reference, DBRef):
        return raw
    return {"@type": raw.get("_cls"), "id": str(reference.id)}
