"""The values of fields, read strictly from JSON of any kind, every mistake at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bzz.codec import MAX_DEPTH
from bzz.model.plain import read_plain
from bzz.model.scalar import EXPECTED, read_json
from bzz.model.single import from_text, read_single
from bzz.shape import Field, Kind, Shape

__all__ = [
    "READ_ONLY",
    "UNCHANGEABLE",
    "UNKNOWN",
    "Errors",
    "Reading",
    "from_json",
    "join",
    "read_field",
]

Errors = dict[str, list[str]]
"""Messages by dotted field name: ``{"address.zip": ["Must be a string of valid Unicode."]}``."""

TAG = "@type"  # which of several models an object of a generic field is
UNKNOWN = "Unknown field."  # hidden fields are answered with the same words: they are no oracle
READ_ONLY = "This field is read-only."
UNCHANGEABLE = "This field cannot change."
MAX_ERRORS = 100  # a body of a mebibyte can hold 500,000 mistakes, and is not worth an answer of 50


def from_json(field: Field, value: Any, where: str, reading: Reading) -> Any:
    """The Python value of a JSON value, as :class:`bzz.shape.Kind` lists them.

    Python values that a signal receiver left (datetime, Decimal, UUID, bytes, ids) are taken as they are.

    :param value: None stands for unset, and is let through.
    :param where: the dotted name under which mistakes are noted.
    :param reading: gets a message for every mistake; what is returned then means nothing.

    >>> reading = Reading()
    >>> from_json(Field("tags", Kind.LIST, item=Field("", Kind.STRING)), ["a", 1], "tags", reading)
    ['a', None]
    >>> reading.errors
    {'tags.1': ['Must be a string of valid Unicode.']}
    """
    if value is None:
        return None
    composite = _COMPOSITES.get(field.kind)
    if composite is not None:
        return composite(field, value, where, reading)
    try:
        return read_single(field, value)
    except ValueError as error:
        return reading.note(where, str(error))


class Reading:
    """One walk over the values of a body; collects every mistake in them.

    This one reads what the application's receivers left: any declared field may be named, hidden and read-only ones
    too. What a client may name is told by :mod:`bzz.model.sent`.

    :ivar errors: the mistakes so far. Where there are any, the values that were read mean nothing, and None stands for
        each that could not be read.
    """

    def __init__(self) -> None:
        self.errors: Errors = {}

    def note(self, where: str, message: str) -> None:
        """Add a message for the field at ``where``, unless there are so many that nobody would read it."""
        if len(self.errors) < MAX_ERRORS:
            self.errors.setdefault(where, []).append(message)

    def fields(
        self, shape: Shape, values: Mapping[str, Any], where: str, *, besides: Collection[str] = ()
    ) -> dict[str, Any]:
        """Every value of ``values``, read by the field of ``shape`` that has its name; an unknown name is a mistake.

        :param where: the dotted name of the document; empty for the body itself.
        :param besides: names that are read elsewhere, and left out.
        """
        known, read = self._known(shape), {}
        for name in values:
            field = known.get(name)
            if name in besides:
                continue
            if field is None:
                self.note(join(where, name), UNKNOWN)
            else:
                read[name] = self._value(shape, field, values, where)
        return read

    def _known(self, shape: Shape) -> Mapping[str, Field]:
        """The fields that may be named."""
        return shape.fields

    def _value(self, shape: Shape, field: Field, values: Mapping[str, Any], where: str) -> Any:
        """The value of one field among ``values``."""
        try:
            return read_plain(field, values[field.name])
        except ValueError:
            return read_field(shape, field, values[field.name], join(where, field.name), self)


def read_field(shape: Shape, field: Field, value: Any, where: str, reading: Reading) -> Any:
    """:func:`from_json` for a field of ``shape``: a primary key ``id`` is shown as a string, and so read from one."""
    if field is not shape.pk or field.name != "id" or not isinstance(value, str):
        return from_json(field, value, where, reading)
    try:
        return from_text(field, value)
    except ValueError as error:
        return reading.note(where, str(error))


def join(where: str, name: object) -> str:
    """A dotted name below another; ``where`` may be empty."""
    return f"{where}.{name}" if where else str(name)


def _list(field: Field, value: Any, where: str, reading: Reading) -> Any:
    if not isinstance(value, list):
        return reading.note(where, EXPECTED[Kind.LIST])
    if field.item is None:
        return _free(value, where, reading)
    return [_item(field.item, each, f"{where}.{position}", reading) for position, each in enumerate(value)]


def _item(item: Field, value: Any, where: str, reading: Reading) -> Any:
    if value is None:
        return reading.note(where, "Must not be null.")
    return from_json(item, value, where, reading)


def _map(field: Field, value: Any, where: str, reading: Reading) -> Any:
    if not isinstance(value, dict):
        return reading.note(where, EXPECTED[Kind.MAP])
    if field.item is None:
        return _free(value, where, reading)
    item = field.item
    return {key: from_json(item, each, join(where, key), reading) for key, each in _keys(value, where, reading)}


def _any(field: Field, value: Any, where: str, reading: Reading) -> Any:
    return _free(value, where, reading)


def _free(value: Any, where: str, reading: Reading, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        return reading.note(where, f"Must not nest deeper than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        return {key: _free(each, join(where, key), reading, depth + 1) for key, each in _keys(value, where, reading)}
    if isinstance(value, list):
        return [_free(each, f"{where}.{position}", reading, depth + 1) for position, each in enumerate(value)]
    try:
        return _free_scalar(value)
    except ValueError:
        return reading.note(where, EXPECTED[Kind.ANY])


def _keys(value: Mapping[Any, Any], where: str, reading: Reading) -> list[tuple[str, Any]]:
    """The entries whose keys a free-form object may have.

    ``_cls`` makes MongoEngine build a class at the next read; ``$``, dots, NUL and nothing at all cannot be addressed
    in an update.
    """
    allowed = []
    for key, inner in value.items():
        if isinstance(key, str) and key and key != "_cls" and key[0] != "$" and "." not in key and "\0" not in key:
            allowed.append((key, inner))
        else:
            reading.note(join(where, key), "This key is not allowed.")
    return allowed


def _free_scalar(value: Any) -> Any:
    for python, kind in _FREE_KINDS:
        if isinstance(value, python):
            return read_json(kind, value)
    if value is None:
        return None
    raise ValueError(EXPECTED[Kind.ANY])


_FREE_KINDS: tuple[tuple[type, Kind], ...] = (
    (str, Kind.STRING),
    (bool, Kind.BOOLEAN),
    (int, Kind.INTEGER),
    (float, Kind.FLOAT),
    (datetime, Kind.DATETIME),
    (Decimal, Kind.DECIMAL),
    (bytes, Kind.BINARY),
    (uuid.UUID, Kind.UUID),
)


def _geometry(field: Field, value: Any, where: str, reading: Reading) -> Any:
    if isinstance(value, list) and field.geometry == "Point":
        value = {"type": "Point", "coordinates": value}
    if not isinstance(value, dict) or value.keys() != {"type", "coordinates"} or value["type"] != field.geometry:
        return reading.note(where, f"Must be a GeoJSON {field.geometry}: an object with its type and coordinates.")
    coordinates = value["coordinates"]
    if not isinstance(coordinates, list) or not _is_coordinates(coordinates):
        return reading.note(join(where, "coordinates"), "Must be an array of finite numbers, or of such arrays.")
    return dict(value)


def _is_coordinates(value: Any, depth: int = 4) -> bool:
    """Whether these are numbers, in arrays at most as deep as those of a MultiPolygon (RFC 7946, section 3.1.7)."""
    if isinstance(value, list):
        return depth > 0 and all(_is_coordinates(each, depth - 1) for each in value)
    try:
        read_json(Kind.INTEGER if isinstance(value, int) else Kind.FLOAT, value)
    except ValueError:
        return False
    return True


def _embedded(field: Field, value: Any, where: str, reading: Reading) -> Any:
    if not isinstance(value, dict):
        return reading.note(where, EXPECTED[Kind.EMBEDDED])
    return reading.fields(field.shape, value, where)


def _any_embedded(field: Field, value: Any, where: str, reading: Reading) -> Any:
    shape = _variant(field, value, where, reading)
    if shape is None:
        return None
    return {TAG: value[TAG], **reading.fields(shape, value, where, besides=(TAG,))}


def _any_reference(field: Field, value: Any, where: str, reading: Reading) -> Any:
    shape = _variant(field, value, where, reading)
    if shape is None:
        return None
    for name in value.keys() - {TAG, "id"}:
        reading.note(join(where, name), UNKNOWN)
    reference = Field("id", Kind.REFERENCE, target=lambda: shape)
    return {TAG: value[TAG], "id": _item(reference, value.get("id"), join(where, "id"), reading)}


def _variant(field: Field, value: Any, where: str, reading: Reading) -> Shape | None:
    if not isinstance(value, dict):
        reading.note(where, EXPECTED[field.kind])
        return None
    variants, name = field.variants() if field.variants else {}, value.get(TAG)
    if isinstance(name, str) and name in variants:
        return variants[name]
    reading.note(join(where, TAG), "Must name a type that this field may hold.")
    return None


_COMPOSITES: dict[Kind, Callable[[Field, Any, str, Reading], Any]] = {
    Kind.ANY: _any,
    Kind.MAP: _map,
    Kind.LIST: _list,
    Kind.GEO: _geometry,
    Kind.EMBEDDED: _embedded,
    Kind.ANY_EMBEDDED: _any_embedded,
    Kind.ANY_REFERENCE: _any_reference,
}
