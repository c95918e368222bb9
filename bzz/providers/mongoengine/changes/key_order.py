"""The order in which MongoDB sorts primary keys, for those that are not asked of it.

https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
"""

from __future__ import annotations

from typing import Any

import bson
from bson import Decimal128
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

__all__ = ["sort_key"]

_RANKS = {
    0x7F: 99, 0xFF: -1,  # MaxKey, MinKey
    0x0A: 1,  # null
    0x10: 2, 0x12: 2, 0x01: 2, 0x13: 2,  # int, long, double, decimal
    0x02: 3, 0x0E: 3,  # string, symbol
    0x03: 4, 0x04: 5, 0x05: 6, 0x07: 7, 0x08: 8, 0x09: 9, 0x11: 10,  # object, array, binary, ObjectId, bool, date
    0x0B: 11, 0x0D: 13, 0x0F: 14,  # regular expression, code, code with scope
}  # fmt: skip

_NUMBERS, _TEXTS, _OBJECT, _ARRAY, _BINARY, _EXPRESSION = 2, 3, 4, 5, 6, 11
_OF_ONE_VALUE = frozenset({-1, 1, 99})
_LENGTH = 4
_OLD_BINARY = 2
"""A subtype whose data begins with its length once more."""


def sort_key(key: Any, options: CodecOptions[Any]) -> Any:
    """Return a value that Python sorts as MongoDB does a primary key, by the simple collation.

    :param options: by which the key was read.
    """
    return _of(bson.encode({"": key}, codec_options=options))


_PLAIN: CodecOptions[Any] = CodecOptions(
    document_class=RawBSONDocument, datetime_conversion=DatetimeConversion.DATETIME_MS
)


def _of(raw: bytes) -> Any:
    """Return the place of the only value of a document."""
    rank, value = _RANKS.get(raw[4], 50), bson.decode(raw, codec_options=_PLAIN)[""]
    if rank in _OF_ONE_VALUE:
        return (rank,)
    if rank == _BINARY:
        subtype = getattr(value, "subtype", 0)
        return (rank, len(value) + (_LENGTH if subtype == _OLD_BINARY else 0), subtype, bytes(value))
    if rank == _OBJECT:
        return (rank, [_member(name, each) for name, each in value.items()])
    if rank == _ARRAY:
        return (rank, [_member("", each) for each in value])
    if rank == _NUMBERS:
        return (rank, *_number(value))
    if rank == _EXPRESSION:
        return (rank, str(value.pattern), value.flags)
    return (rank, str(value).encode() if rank == _TEXTS else value)


def _number(value: Any) -> tuple[Any, ...]:
    exact = value.to_decimal() if isinstance(value, Decimal128) else value
    return (0,) if exact != exact else (1, exact)  # what is no number stands before all numbers


def _member(name: str, value: Any) -> Any:
    rank, *rest = _of(bson.encode({"": value}, codec_options=_PLAIN))
    return (rank, name.encode(), *rest)
