"""Geometries as GeoJSON writes them (RFC 7946, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bzz.shape.base import JsonSchema, Kind, Refer
from bzz.shape.operators import AREAS, EXISTS, WITHIN, Operator
from bzz.shape.place import Place
from bzz.shape.reading import Reading
from bzz.shape.scalars import FloatKind, IntegerKind

__all__ = ["GeoKind", "is_on_earth", "read_box", "read_circle"]

HALF_ROUND = 20_037_508  # metres: as far as one can get from a place
MAX_DEPTH = 4  # of the coordinates of a MultiPolygon (section 3.1.7)


_POSITION = "a longitude from -180 to 180 and a latitude from -90 to 90"
_RING = "which end where they begin and do not cross themselves"
_COORDINATES = {
    "Point": _POSITION,
    "MultiPoint": f"an array of positions, each {_POSITION}",
    "LineString": f"an array of at least two positions, each {_POSITION}",
    "MultiLineString": f"an array of lines, which are arrays of at least two positions, each {_POSITION}",
    "Polygon": f"an array of rings, {_RING}, of positions, each {_POSITION}",
    "MultiPolygon": f"an array of polygons, which are arrays of rings, {_RING}, of positions, each {_POSITION}",
}
"""The coordinates of each type, in words."""


class GeoKind(Kind):
    """A geometry of one type; a point may be its bare coordinates, too.

    :param geometry: the type, such as ``Point``.
    """

    name = "geo"

    def __init__(self, geometry: str) -> None:
        self.geometry = geometry
        coordinates = _COORDINATES.get(geometry, "arrays of numbers")
        self.expected = f"Must be a GeoJSON {geometry}, with coordinates that are {coordinates}."

    @property
    def operators(self) -> frozenset[Operator]:
        return EXISTS | AREAS if self.geometry == "Point" else EXISTS | WITHIN

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
        place = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
        is_point = self.geometry == "Point"
        geometry = {
            "type": "object",
            "properties": {
                "type": {"const": self.geometry},
                "coordinates": place if is_point else {"type": "array"},
            },
            "required": ["type", "coordinates"],
            "additionalProperties": False,
        }
        return {"anyOf": [geometry, place]} if is_point else geometry


_INTEGER, _FLOAT = IntegerKind(), FloatKind()


def _is_coordinates(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Return whether these are numbers, in arrays nested at most ``depth`` levels."""
    if isinstance(value, list):
        return depth > 0 and all(_is_coordinates(each, depth - 1) for each in value)
    try:
        (_INTEGER if isinstance(value, int) else _FLOAT).accept(value)
    except (ValueError, ArithmeticError):
        return False
    return True


def read_circle(given: str | Sequence[Any]) -> tuple[float, float, float]:
    """Return the longitude and latitude of a centre, and a distance from it in metres.

    :param given: the three as a text with commas between them, or as numbers.

    >>> read_circle("-34.9,-8.05,5000")
    (-34.9, -8.05, 5000.0)

    :raises ValueError: if it is something else.
    """
    numbers = _numbers(given, 3)
    if numbers is None or not _is_place(*numbers[:2]) or not 0 < numbers[2] <= HALF_ROUND:
        raise ValueError("Must be a longitude, a latitude and a distance in metres, such as -34.9,-8.05,5000.")
    return numbers[0], numbers[1], numbers[2]


def read_box(given: str | Sequence[Any]) -> tuple[float, float, float, float]:
    """Return the west, south, east and north of an area, in degrees; it may be 180 degrees wide.

    :param given: the four as a text with commas between them, or as numbers.

    >>> read_box("-35,-8.2,-34.8,-7.9")
    (-35.0, -8.2, -34.8, -7.9)

    :raises ValueError: if it is something else.
    """
    numbers = _numbers(given, 4)
    if numbers is None or not _is_place(*numbers[:2]) or not _is_place(*numbers[2:]) or not _is_area(*numbers):
        raise ValueError(
            "Must be west, south, east and north in degrees, less than 180 apart, such as -35,-8.2,-34.8,-7.9."
        )
    west, south, east, north = numbers
    return west, south, east, north


def _numbers(given: str | Sequence[Any], count: int) -> list[float] | None:
    read = _FLOAT.from_text if isinstance(given, str) else _FLOAT.accept
    parts = given.split(",") if isinstance(given, str) else given
    try:
        return [read(each) for each in parts] if len(parts) == count else None
    except ValueError:
        return None


def is_on_earth(coordinates: Any, latitude: int = 90) -> bool:
    """Return whether every position in the coordinates of a geometry is a place on the earth.

    :param latitude: the greatest; more than 90 where positions are points of a plane.

    >>> is_on_earth([[180, 90], [0, 0]]), is_on_earth([0, 91]), is_on_earth([0, 91], latitude=180)
    (True, False, True)
    """
    if coordinates and not isinstance(coordinates[0], list):
        return abs(coordinates[0]) <= 180 and all(abs(each) <= latitude for each in coordinates[1:2])
    return all(is_on_earth(each, latitude) for each in coordinates)


def _is_place(longitude: float, latitude: float) -> bool:
    return -180 <= longitude <= 180 and -90 <= latitude <= 90


def _is_area(west: float, south: float, east: float, north: float) -> bool:
    return 0 < east - west < 180 and south < north
