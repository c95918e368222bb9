"""The values of fields, read strictly: one value's text, and JSON of any kind, every mistake at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bzz.codec import MAX_DEPTH
from bzz.model.scalar import EXPECTED, read_json, read_text
from bzz.shape import Field, Kind, Shape

__all__ = [
    "READ_ONLY",
    "UNCHANGEABLE",
    "UNKNOWN",
    "Errors",
    "from_json",
    "from_text",
    "note",
    "read_field",
    "read_fields_of",
]

Errors = dict[str, list[str]]
"""Messages by dotted field name: ``{"address.zip": ["Must be a string of valid Unicode."]}``."""

UNKNOWN = "Unknown field."  # hidden fields are answered with the same words: they are no oracle
READ_ONLY = "This field is read-only."
UNCHANGEABLE = "This field cannot change."
MAX_ERRORS = 100  # a body of a mebibyte can hold 500,000 mistakes, and is not worth an answer of 50


def from_text(field: Field, text: str) -> Any:
    """The Python value that ``text`` stands for, in a URL, a filter or a form.

    A reference is read as the primary key of its target. For a list, ask its ``item``.

    :raises ValueError: where it is no value of the field's kind, or the kind has no text form, in words for people.

    >>> from_text(Field("age", Kind.INTEGER), "42")
    42
    """
    if field.kind is Kind.REFERENCE:
        return from_text(_pk(field.shape), text)
    if field.kind is Kind.ID:
        return _read_id(field, text)
    return read_text(field.kind, text)


def _pk(shape: Shape) -> Field:
    if shape.pk is None:
        raise ValueError(EXPECTED[Kind.REFERENCE])
    return shape.pk


def _read_id(field: Field, text: str) -> Any:
    try:
        text.encode()
        return field.parse(text) if field.parse else text
    except ValueError:
        raise ValueError(EXPECTED[Kind.ID]) from None


def from_json(field: Field, value: Any, where: str, errors: Errors) -> Any:
    """The Python value of a JSON value, as :class:`bzz.shape.Kind` lists them.

    Python values that a signal receiver left (datetime, Decimal, UUID, bytes, ids) are taken as they are.

    :param value: None stands for unset, and is let through.
    :param where: the dotted name under which mistakes are noted.
    :param errors: gets a message for every mistake; what is returned then means nothing.

    >>> errors = {}
    >>> from_json(Field("tags", Kind.LIST, item=Field("", Kind.STRING)), ["a", 1], "tags", errors)
    ['a', None]
    >>> errors
    {'tags.1': ['Must be a string of valid Unicode.']}
    """
    if value is None:
        return None
    composite = _COMPOSITES.get(field.kind)
    if composite is not None:
        return composite(field, value, where, errors)
    try:
        return _single(field, value)
    except ValueError as error:
        return note(errors, where, str(error))


def note(errors: Errors, where: str, message: str) -> None:
    """Add a message for the field at ``where``, unless there are so many that nobody would read it."""
    if len(errors) < MAX_ERRORS:
        errors.setdefault(where, []).append(message)


def read_fields_of(shape: Shape, values: Mapping[str, Any], where: str, errors: Errors) -> dict[str, Any]:
    """Every value of ``values``, read by the field of ``shape`` that has its name; an unknown name is a mistake.

    What a client may name is checked before (:mod:`bzz.model.names`): a hidden or read-only field that is here was
    filled by a receiver.
    """
    read = {}
    for name, value in values.items():
        field = shape.fields.get(name)
        if field is None:
            note(errors, _join(where, name), UNKNOWN)
            continue
        try:
            read[name] = _read(field, value)
        except ValueError:
            read[name] = read_field(shape, field, value, _join(where, name), errors)
    return read


def _read(field: Field, value: Any) -> Any:
    """What :func:`from_json` makes of a value of a common kind with no mistake in it.

    :raises ValueError: for any other, of which :func:`from_json` knows what to say.
    """
    if value is None:
        return None
    read = _PLAIN.get(field.kind)
    return read_json(field.kind, value) if read is None else read(field, value)


def _plain_text(field: Field, value: Any) -> str:
    if type(value) is not str:
        raise ValueError
    value.encode()  # a lone surrogate cannot be stored
    return value


def _plain_list(field: Field, value: Any) -> list[Any]:
    item = field.item
    if item is None or not isinstance(value, list) or None in value:
        raise ValueError
    return [_read(item, each) for each in value]


def _plain_embedded(field: Field, value: Any) -> dict[str, Any]:
    fields = field.shape.fields
    if not isinstance(value, dict) or not value.keys() <= fields.keys():
        raise ValueError
    return {name: _read(fields[name], each) for name, each in value.items()}


_PLAIN: dict[Kind, Callable[[Field, Any], Any]] = {
    Kind.STRING: _plain_text,
    Kind.LIST: _plain_list,
    Kind.EMBEDDED: _plain_embedded,
}


def read_field(shape: Shape, field: Field, value: Any, where: str, errors: Errors) -> Any:
    """:func:`from_json` for a field of ``shape``: a primary key ``id`` is shown as a string, and so read from one."""
    if field is not shape.pk or field.name != "id" or not isinstance(value, str):
        return from_json(field, value, where, errors)
    try:
        return from_text(field, value)
    except ValueError as error:
        return note(errors, where, str(error))


def _join(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)


def _single(field: Field, value: Any) -> Any:
    if field.kind is Kind.REFERENCE:
        pk = _pk(field.shape)
        return from_text(pk, value) if isinstance(value, str) else _single(pk, value)
    if field.kind is Kind.ID:
        return _read_id(field, value) if isinstance(value, str) else _typed_id(field, value)
    return read_json(field.kind, value)


def _typed_id(field: Field, value: Any) -> Any:
    """An id that is no text any more: it is one if its text reads back to it (no driver's class is named here)."""
    is_json = isinstance(value, (bool, int, float, dict, list))
    if is_json or _read_id(field, str(value)) != value:
        raise ValueError(EXPECTED[Kind.ID])
    return value


def _list(field: Field, value: Any, where: str, errors: Errors) -> Any:
    if not isinstance(value, list):
        return note(errors, where, EXPECTED[Kind.LIST])
    if field.item is None:
        return _free(value, where, errors)
    return [_item(field.item, each, f"{where}.{position}", errors) for position, each in enumerate(value)]


def _item(item: Field, value: Any, where: str, errors: Errors) -> Any:
    if value is None:
        return note(errors, where, "Must not be null.")
    return from_json(item, value, where, errors)


def _map(field: Field, value: Any, where: str, errors: Errors) -> Any:
    if not isinstance(value, dict):
        return note(errors, where, EXPECTED[Kind.MAP])
    if field.item is None:
        return _free(value, where, errors)
    item = field.item
    return {key: from_json(item, each, _join(where, key), errors) for key, each in _keys(value, where, errors)}


def _any(field: Field, value: Any, where: str, errors: Errors) -> Any:
    return _free(value, where, errors)


def _free(value: Any, where: str, errors: Errors, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        return note(errors, where, f"Must not nest deeper than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        return {key: _free(each, _join(where, key), errors, depth + 1) for key, each in _keys(value, where, errors)}
    if isinstance(value, list):
        return [_free(each, f"{where}.{position}", errors, depth + 1) for position, each in enumerate(value)]
    try:
        return _free_scalar(value)
    except ValueError:
        return note(errors, where, EXPECTED[Kind.ANY])


def _keys(value: Mapping[Any, Any], where: str, errors: Errors) -> list[tuple[str, Any]]:
    """The entries whose keys a free-form object may have.

    ``_cls`` makes MongoEngine build a class at the next read; ``$``, dots, NUL and nothing at all cannot be addressed
    in an update.
    """
    allowed = []
    for key, inner in value.items():
        if isinstance(key, str) and key and key != "_cls" and key[0] != "$" and "." not in key and "\0" not in key:
            allowed.append((key, inner))
        else:
            note(errors, _join(where, key), "This key is not allowed.")
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


def _geometry(field: Field, value: Any, where: str, errors: Errors) -> Any:
    if isinstance(value, list) and field.geometry == "Point":
        value = {"type": "Point", "coordinates": value}
    if not isinstance(value, dict) or value.keys() != {"type", "coordinates"} or value["type"] != field.geometry:
        return note(errors, where, f"Must be a GeoJSON {field.geometry}: an object with its type and coordinates.")
    coordinates = value["coordinates"]
    if not isinstance(coordinates, list) or not _is_coordinates(coordinates):
        return note(errors, _join(where, "coordinates"), "Must be an array of finite numbers, or of such arrays.")
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


def _embedded(field: Field, value: Any, where: str, errors: Errors) -> Any:
    if not isinstance(value, dict):
        return note(errors, where, EXPECTED[Kind.EMBEDDED])
    return read_fields_of(field.shape, value, where, errors)


def _any_embedded(field: Field, value: Any, where: str, errors: Errors) -> Any:
    shape = _variant(field, value, where, errors)
    if shape is None:
        return None
    rest = {name: inner for name, inner in value.items() if name != "@type"}
    return {"@type": value["@type"], **read_fields_of(shape, rest, where, errors)}


def _any_reference(field: Field, value: Any, where: str, errors: Errors) -> Any:
    shape = _variant(field, value, where, errors)
    if shape is None:
        return None
    for name in value.keys() - {"@type", "id"}:
        note(errors, _join(where, name), UNKNOWN)
    reference = Field("id", Kind.REFERENCE, target=lambda: shape)
    return {"@type": value["@type"], "id": _item(reference, value.get("id"), _join(where, "id"), errors)}


def _variant(field: Field, value: Any, where: str, errors: Errors) -> Shape | None:
    if not isinstance(value, dict):
        note(errors, where, EXPECTED[field.kind])
        return None
    variants, name = field.variants() if field.variants else {}, value.get("@type")
    if isinstance(name, str) and name in variants:
        return variants[name]
    note(errors, _join(where, "@type"), "Must name a type that this field may hold.")
    return None


_COMPOSITES: dict[Kind, Callable[[Field, Any, str, Errors], Any]] = {
    Kind.ANY: _any,
    Kind.MAP: _map,
    Kind.LIST: _list,
    Kind.GEO: _geometry,
    Kind.EMBEDDED: _embedded,
    Kind.ANY_EMBEDDED: _any_embedded,
    Kind.ANY_REFERENCE: _any_reference,
}
