"""The codecs of places and shapes on the earth."""

from __future__ import annotations

from typing import Any

import mongoengine as me
from mongoengine.base.fields import GeoJsonBaseField

from bzz.providers.base import Appended
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.shape import Kind
from bzz.shape.geo import GeoKind, is_on_earth

__all__: list[str] = []


@converts(GeoJsonBaseField)
class GeoJsonCodec(FieldCodec):
    """A GeoJSON geometry, stored as it is sent."""

    is_mutable = True
    greatest_latitude = 90

    def _kind(self) -> Kind:
        return GeoKind(internals.geometry(self.source))

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        return value

    def _validate_stored(self, bson: Any) -> None:
        super()._validate_stored(bson)
        coordinates = bson["coordinates"] if isinstance(bson, dict) else bson
        if internals.geo_index(self.source) and not is_on_earth(coordinates, self.greatest_latitude):
            raise me.ValidationError(self.expected)  # MongoDB would refuse the document, and name no field

    def replaces(self, value: Any, *, merge: bool) -> bool:
        """Whether a value takes its place: coordinates that are stored may be equal, and be of other types."""
        return type(value) is Appended or (value is None and not self.falls_back)


@converts(me.GeoPointField)
class GeoPointCodec(GeoJsonCodec):
    """A point, stored as its two coordinates."""

    reads_as_is = shows_as_is = False
    greatest_latitude = 180  # its index is one of a plane

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
