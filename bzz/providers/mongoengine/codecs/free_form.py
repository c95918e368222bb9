"""The codec of fields that may hold any value, and what free-form values have in common."""

from __future__ import annotations

from typing import Any

import mongoengine as me
from bson import Code, DBRef, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from mongoengine.base import BaseField

from bzz.codec import dumps, register
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.messages import REFUSED
from bzz.providers.mongoengine.limits import LIMITS
from bzz.shape import Kind
from bzz.shape.free import AnyKind
from bzz.shape.types import TAG

__all__ = ["FreeFormCodec", "kept_inside"]

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
register(
    me.EmbeddedDocument,
    lambda value: {
        TAG if name == internals.CLASS_KEY else name: internals.values(value).get(name)
        for name in internals.field_names(value)
    },
)
register(me.Document, lambda value: str(value.pk))


@converts(BaseField)
class FreeFormCodec(FieldCodec):
    """Any value, stored and shown as it is."""

    is_mutable = True
    is_patched = True

    def _kind(self) -> Kind:
        return AnyKind(LIMITS)

    def _expected(self) -> str:
        return REFUSED

    def inside(self, dotted: str) -> tuple[str, FieldCodec]:
        return (f".{dotted}", self) if dotted else super().inside(dotted)

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        return value

    def to_attribute(self, bson: Any) -> Any:
        return bson

    def keep(self, bson: Any, stored: Any) -> Any:
        return bson if stored is None else kept_inside(bson, stored)


def kept_inside(bson: Any, stored: Any) -> Any:
    """Return a free-form value, each part of it as it is stored where clients are shown the same."""
    if dumps(bson) == dumps(stored):
        return stored
    if isinstance(bson, dict) and isinstance(stored, dict):
        return {key: kept_inside(each, stored.get(key)) for key, each in bson.items()}
    if isinstance(bson, list) and isinstance(stored, list):
        beside = [*stored, *[None] * len(bson)]
        return [kept_inside(each, known) for each, known in zip(bson, beside, strict=False)]
    return bson
