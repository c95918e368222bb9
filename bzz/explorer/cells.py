"""What a JSON value looks like on a page, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from bzz.explorer.columns import Column, display_field
from bzz.shape import Field, Shape

__all__ = ["Cell", "Names", "cell", "plain_text", "text_of", "value_at"]

MAX_TEXT = 160
MAX_ITEMS = 4

Names = Mapping[tuple[type, str], tuple[str, str]]
"""What people know a referenced document by, and its URL: by its model and its id."""


class Cell(NamedTuple):
    """One value in a table.

    :param text: empty where nothing is set.
    :param look: the class of the style sheet.
    """

    text: str
    href: str | None = None
    look: str = ""


def value_at(row: Any, dotted: str) -> Any:
    """Return the value at a dotted name in the JSON of a document; of a list in between, the values of its items.

    >>> value_at({"homes": [{"city": "Rio"}, {"city": "Olinda"}]}, "homes.city")
    ['Rio', 'Olinda']
    """
    first, _, rest = dotted.partition(".")
    found = row.get(first) if isinstance(row, Mapping) else None
    if not rest:
        return found
    return [value_at(each, rest) for each in found] if isinstance(found, list) else value_at(found, rest)


def cell(column: Column, row: Any, names: Names) -> Cell:
    """Return what a row shows in a column."""
    if column.is_plain:
        return Cell(plain_text(row, column))
    return _cell(column.field, value_at(row, column.name), names)


def plain_text(row: Any, column: Column) -> str:
    """Return the text that a row shows in a column that is plain; empty where nothing is set."""
    value = row.get(column.name)
    return value if type(value) is str and len(value) <= MAX_TEXT else text_of(value)


_UNSET = Cell("")


def _cell(field: Field, value: Any, names: Names) -> Cell:
    if value is None or value == "" or value == []:
        return _UNSET
    link = field.link
    if link is not None and link.is_reference and not isinstance(value, list):
        if isinstance(value, Mapping):  # expanded
            return Cell(_known_by(link.shape, value), None, "reference")
        name, href = names.get((link.shape.model, str(value)), (str(value), None))
        return Cell(name, href, "reference")
    if link is not None and link.is_reference:
        return Cell(_listed([names.get((link.shape.model, str(each)), (str(each), ""))[0] for each in value]))
    if field.kind.name == "datetime" and isinstance(value, str):
        return Cell(value.replace("T", " ").removesuffix("Z"))
    return Cell(text_of(value))


def text_of(value: Any) -> str:
    """Return any JSON value as a short text for people.

    >>> text_of({"type": "Point", "coordinates": [-34.9, -8.05]}), text_of(["a", "b"]), text_of([{"a": 1}])
    ('8.05° S 34.9° W', 'a, b', '1 item')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _count(value) if any(isinstance(each, dict | list) for each in value) else _listed(value)
    if isinstance(value, dict):
        point = point_of(value)
        return _place(*point) if point else _shortened(_parts(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _shortened(str(value))


def point_of(value: Any) -> tuple[float, float] | None:
    """Return the longitude and latitude of a point; None for anything else.

    >>> point_of({"type": "Point", "coordinates": [1, 2]}), point_of([1, 2])
    ((1.0, 2.0), None)
    """
    if isinstance(value, dict) and value.get("type") == "Point":
        coordinates = value.get("coordinates")
        if (
            isinstance(coordinates, list)
            and len(coordinates) >= 2
            and all(isinstance(x, int | float) for x in coordinates)
        ):
            return float(coordinates[0]), float(coordinates[1])
    return None


def _place(longitude: float, latitude: float) -> str:
    south, west = "S" if latitude < 0 else "N", "W" if longitude < 0 else "E"
    return f"{abs(round(latitude, 4)):g}° {south} {abs(round(longitude, 4)):g}° {west}"


def _listed(values: list[Any]) -> str:
    shown = ", ".join(text_of(each) for each in values[:MAX_ITEMS])
    return _shortened(shown + (f" +{len(values) - MAX_ITEMS}" if len(values) > MAX_ITEMS else ""))


def _count(values: list[Any]) -> str:
    return "1 item" if len(values) == 1 else f"{len(values)} items"


def _parts(value: Mapping[str, Any]) -> str:
    plain = [each for each in value.values() if isinstance(each, str | int | float) and each != ""]
    return " · ".join(text_of(each) for each in plain[:MAX_ITEMS]) or f"{len(value)} values"


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _known_by(shape: Shape, value: Mapping[str, Any]) -> str:
    """Return what people know an expanded document by."""
    display = display_field(shape)
    return text_of(None if display is None else value.get(display.name)) or text_of(value)
