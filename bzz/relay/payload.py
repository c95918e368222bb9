"""Values as JSON and back, by codecs that are registered for their types. No other types can be sent.

JSON values stay as they are. All others become an object ``{"$": tag, "v": value}``, whose tag names the codec. Nothing
that a peer sends names code to import or to run: a class is looked up among those that this process has already.
"""

from __future__ import annotations

import base64
import math
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from typing import Any, NamedTuple, TypeVar

from bzz.events.event import qualified_name
from bzz.providers.hidden import MayLeave

__all__ = ["MAX_DEPTH", "Pack", "nothing_hidden", "pack", "register", "unpack"]

MAX_DEPTH = 32
"""The maximum nesting of a payload, as for bodies of requests."""

_PLAIN = frozenset({str, bool, type(None)})
_TEXT = frozenset({str})
_READ = frozenset({str, bool, type(None), int, float})
_INTEGERS = 1 << 63  # the integers that orjson reads and writes

T = TypeVar("T")
Pack = Callable[[Any], Any]


class TypeCodec(NamedTuple):
    """How values of one type are sent."""

    tag: str
    encode: Callable[[Any, MayLeave], Any]
    decode: Callable[[Any], Any]


_by_type: dict[type, TypeCodec] = {}
_by_tag: dict[str, TypeCodec] = {}


def register(kind: type[T], tag: str, encode: Callable[[T], Any], decode: Callable[[Any], T]) -> None:
    """Let values of a type be sent. Call it in every process that sends or receives them.

    :param tag: the name of the type in messages.
    :param encode: returns a value of JSON or of a registered type.
    :param decode: returns the original value from that, or raises ValueError or TypeError.
    """
    add(kind, TypeCodec(tag, lambda value, may_leave: encode(value), decode))


def add(kind: type, codec: TypeCodec) -> None:
    """Add the codec of a type."""
    _by_type[kind] = codec
    _by_tag[codec.tag] = codec


def read(tag: str, decode: Callable[[Any], Any]) -> None:
    """Decode values of a tag whose type this process may not have, and cannot send."""
    _by_tag[tag] = TypeCodec(tag, lambda value, may_leave: value, decode)


def nothing_hidden(model: type, name: str) -> bool:
    """Send no hidden field."""
    return False


def pack(value: Any, may_leave: MayLeave = nothing_hidden, depth: int = 0) -> Any:
    """Return ``value`` as JSON values.

    :param may_leave: called for hidden fields of documents; returns whether they are sent.
    :raises TypeError: for a value of a type that is not registered.
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
    codec = _codec_of(value)
    return {"$": codec.tag, "v": pack(codec.encode(value, may_leave), may_leave, depth + 1)}


def _pack_mapping(value: Mapping[Any, Any], may_leave: MayLeave, depth: int) -> Any:
    if "$" not in value and set(map(type, value)) <= _TEXT:
        # Most values are plain: a function call for each would cost too much.
        return {k: each if type(each) in _PLAIN else pack(each, may_leave, depth + 1) for k, each in value.items()}
    pairs = [[pack(key, may_leave, depth + 1), pack(each, may_leave, depth + 1)] for key, each in value.items()]
    return {"$": "map", "v": pairs}


def _codec_of(value: Any) -> TypeCodec:
    if isinstance(value, Enum):
        return _by_type[Enum]
    for kind in type(value).__mro__:
        if kind in _by_type:
            return _by_type[kind]
    raise TypeError(f"{type(value).__name__} is not in the table of types: see bzz.relay.register")


def unpack(value: Any, depth: int = 0) -> Any:
    """Return the value that :func:`pack` was given.

    :raises ValueError: for anything else, and for a tag that this process does not know.

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
    codec = _by_tag.get(tag) if isinstance(tag, str) else None
    if codec is None:
        raise ValueError(f"no type has the tag {tag!r} here")
    try:
        return codec.decode(inner)
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
    if found is None:
        return plain
    return found(plain) if issubclass(found, Flag) else found[name]  # several flags together have no name of their own


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
