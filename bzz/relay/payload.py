"""Values as JSON and back, by an explicit table of types; what is not in it does not travel.

What JSON has a word for goes as it is. Everything else is an object ``{"$": tag, "v": value}``, where the tag names a
row of the table. Nothing that a peer sends names code to import or to run: a class is looked up among those that this
process has already.
"""

from __future__ import annotations

import base64
import math
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from bzz.events.event import qualified_name
from bzz.providers.hidden import MayLeave

__all__ = ["MAX_DEPTH", "Pack", "nothing_hidden", "pack", "register", "unpack"]

MAX_DEPTH = 32
"""How deep a payload may nest, as for bodies of requests."""

_PLAIN = frozenset({str, bool, type(None)})
_TEXT = frozenset({str})
_READ = frozenset({str, bool, type(None), int, float})
_INTEGERS = 1 << 63  # what orjson reads and writes as a number

T = TypeVar("T")
Pack = Callable[[Any], Any]


class Row(NamedTuple):
    """One type of the table."""

    tag: str
    take: Callable[[Any, MayLeave], Any]
    make: Callable[[Any], Any]


_by_type: dict[type, Row] = {}
_by_tag: dict[str, Row] = {}


def register(kind: type[T], tag: str, encode: Callable[[T], Any], decode: Callable[[Any], T]) -> None:
    """Add a type to the table, on every process that sends or receives it.

    :param tag: what it is called in messages.
    :param encode: gives a value that the table has already.
    :param decode: makes the value again; raises ValueError or TypeError for what it can't read.
    """
    add(kind, Row(tag, lambda value, may_leave: encode(value), decode))


def add(kind: type, row: Row) -> None:
    """Add a row to the table."""
    _by_type[kind] = row
    _by_tag[row.tag] = row


def read(tag: str, decode: Callable[[Any], Any]) -> None:
    """Read values of a tag that this process may have no type for, and can't write."""
    _by_tag[tag] = Row(tag, lambda value, may_leave: value, decode)


def nothing_hidden(model: type, name: str) -> bool:
    """Let no hidden field leave."""
    return False


def pack(value: Any, may_leave: MayLeave = nothing_hidden, depth: int = 0) -> Any:
    """Return ``value`` in terms of JSON.

    :param may_leave: asked about hidden fields of documents.
    :raises TypeError: for a value of a type that is not in the table.
    :raises ValueError: if it is nested deeper than :data:`MAX_DEPTH`.

    >>> pack({"price": Decimal("1.50"), "tags": ["a"]})
    {'price': {'$': 'decimal', 'v': '1.50'}, 'tags': ['a']}
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int and -_INTEGERS <= value < _INTEGERS:
        return value
    if kind is float and math.isfinite(value):
        return value
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list):
        return [pack(each, may_leave, depth + 1) for each in value]
    if isinstance(value, Mapping):
        return _pack_mapping(value, may_leave, depth)
    row = _row(value)
    return {"$": row.tag, "v": pack(row.take(value, may_leave), may_leave, depth + 1)}


def _pack_mapping(value: Mapping[Any, Any], may_leave: MayLeave, depth: int) -> Any:
    if "$" not in value and set(map(type, value)) <= _TEXT:
        # The values that are most of all are not worth a call each.
        return {k: each if type(each) in _PLAIN else pack(each, may_leave, depth + 1) for k, each in value.items()}
    pairs = [[pack(key, may_leave, depth + 1), pack(each, may_leave, depth + 1)] for key, each in value.items()]
    return {"$": "map", "v": pairs}


def _row(value: Any) -> Row:
    if isinstance(value, Enum):
        return _by_type[Enum]
    for kind in type(value).__mro__:
        if kind in _by_type:
            return _by_type[kind]
    raise TypeError(f"{type(value).__name__} is not in the table of types: see bzz.relay.register")


def unpack(value: Any, depth: int = 0) -> Any:
    """Return the value that :func:`pack` was given.

    :raises ValueError: for anything that it did not make, or a tag that this process does not know.

    >>> unpack({"price": {"$": "decimal", "v": "1.50"}})
    {'price': Decimal('1.50')}
    """
    if depth > 2 * MAX_DEPTH:  # a tag takes a level of its own
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return [unpack(each, depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    if "$" not in value:
        return {key: each if type(each) in _READ else unpack(each, depth + 1) for key, each in value.items()}
    return _make(value["$"], unpack(value.get("v"), depth + 1))


def _make(tag: Any, inner: Any) -> Any:
    row = _by_tag.get(tag) if isinstance(tag, str) else None
    if row is None:
        raise ValueError(f"no type has the tag {tag!r} here")
    try:
        return row.make(inner)
    except Exception as error:
        raise ValueError(f"this is no {tag}: {error}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text is expected")
    return value


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    return value


def _make_enum(value: Any) -> Any:
    """Return the member of an enum that this process has, else the value of the member."""
    where, name, plain = _items(value)
    found = next((each for each in _below(Enum) if qualified_name(each) == where), None)
    return plain if found is None else found[name]


def _below(kind: Any) -> list[Any]:
    return [each for inner in kind.__subclasses__() for each in (*_below(inner), inner)]


def _make_integer(value: Any) -> int:
    if len(_text(value)) > 4300:  # where Python itself stops reading text as a number
        raise ValueError("too many digits")
    return int(value)


register(int, "int", int.__repr__, _make_integer)
register(float, "float", float.__repr__, lambda text: float(_text(text)))
register(str, "str", str.__str__, _text)
register(tuple, "tuple", list, lambda value: tuple(_items(value)))
register(set, "set", list, lambda value: set(_items(value)))
register(frozenset, "frozenset", list, lambda value: frozenset(_items(value)))
register(dict, "map", lambda value: [*map(list, value.items())], lambda pairs: dict(_items(pairs)))
register(datetime, "datetime", datetime.isoformat, lambda text: datetime.fromisoformat(_text(text)))
register(date, "date", date.isoformat, lambda text: date.fromisoformat(_text(text)))
register(time, "time", time.isoformat, lambda text: time.fromisoformat(_text(text)))
register(timedelta, "timedelta", lambda value: [value.days, value.seconds, value.microseconds], lambda v: timedelta(*v))
register(Decimal, "decimal", str, lambda text: Decimal(_text(text)))
register(uuid.UUID, "uuid", lambda value: value.hex, lambda text: uuid.UUID(_text(text)))
register(
    bytes,
    "bytes",
    lambda value: base64.b64encode(value).decode("ascii"),
    lambda text: base64.b64decode(_text(text), validate=True),
)
register(Enum, "enum", lambda member: [qualified_name(type(member)), member.name, member.value], _make_enum)
