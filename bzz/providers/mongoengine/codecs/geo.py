"""The codecs of places and shapes on the earth."""

from __future__ import annotations

from typing import Any

import mongoengine as me
from mongoengine.base.fields import GeoJsonBaseField

from bzz.providers.base import Unchanged
from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.shape import Kind
from bzz.shape.geo import GeoKind

__all__: list[str] = []


@converts(GeoJsonBaseField)
class GeoJsonCodec(FieldCodec):
    """A GeoJSON geometry, stored as it is sent."""

    is_mutable = True

    def _kind(self) -> Kind:
        return GeoKind(self.source._type)

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        return value

    def replaces(self, value: Any, *, merge: bool) -> bool:
        is_default = value is None and self.declared.required and self.declared.has_default
        return not isinstance(value, Unchanged) and not is_default


@converts(me.GeoPointField)
class GeoPointCodec(GeoJsonCodec):
    """A point, stored as its two coordinates."""

    reads_as_is = shows_as_is = False

    def _kind(self) -> Kind:
        return GeoKind("Point")

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        return None if value is None else value["coordinates"]

    def to_value(self, bson: Any) -> Any:
        return {"type": "Point", "coordinates": bson} if isinstance(bson, list) else bson

    def attribute_of(self, value: Any) -> Any:
        return value["coordinates"]

    def value_of(self, attribute: Any) -> Any:
        return self.to_value(attribute)
