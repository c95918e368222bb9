"""Geometries as GeoJSON writes them (RFC 7946, section 3.1)."""

from __future__ import annotations

from typing import Any

from bzz.shape.base import JsonSchema, Kind, Reading, Refer
from bzz.shape.numbers import FloatKind, IntegerKind
from bzz.shape.place import Place

__all__ = ["GeoKind"]

MAX_DEPTH = 4  # of the coordinates of a MultiPolygon (section 3.1.7)


class GeoKind(Kind):
    """A geometry of one type; a point may be its bare coordinates, too.

    :param geometry: the type, such as ``Point``.
    """

    name = "geo"
    expected = "Must be a GeoJSON geometry."

    def __init__(self, geometry: str) -> None:
        self.geometry = geometry

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        if isinstance(value, list) and self.geometry == "Point":
            value = {"type": "Point", "coordinates": value}
        if not isinstance(value, dict) or value.keys() != {"type", "coordinates"} or value["type"] != self.geometry:
            message = f"Must be a GeoJSON {self.geometry}: an object with its type and coordinates."
            return reading.note(place, message)
        coordinates = value["coordinates"]
        if not isinstance(coordinates, list) or not _is_coordinates(coordinates):
            message = "Must be an array of finite numbers, or of such arrays."
            return reading.note((place, "coordinates"), message)
        return dict(value)

    def json_schema(self, refer: Refer) -> JsonSchema:
        geometry = {
            "type": "object",
            "properties": {"type": {"const": self.geometry}, "coordinates": {"type": "array"}},
            "required": ["type", "coordinates"],
            "additionalProperties": False,
        }
        bare = {"type": "array", "items": {"type": "number"}}
        return {"anyOf": [geometry, bare]} if self.geometry == "Point" else geometry


_INTEGER, _FLOAT = IntegerKind(), FloatKind()


def _is_coordinates(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Whether these are numbers, in arrays at most so deep."""
    if isinstance(value, list):
        return depth > 0 and all(_is_coordinates(each, depth - 1) for each in value)
    try:
        (_INTEGER if isinstance(value, int) else _FLOAT).accept(value)
    except (ValueError, ArithmeticError):
        return False
    return True
