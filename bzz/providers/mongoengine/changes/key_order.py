"""The order in which MongoDB sorts primary keys, for those that are not asked of it.

https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
"""

from __future__ import annotations

from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

__all__ = ["sort_key"]

_RANKS = {
    0x7F: 99, 0xFF: -1,  # MaxKey, MinKey
    0x0A: 1,  # null
    0x10: 2, 0x12: 2, 0x01: 2, 0x13: 2,  # int, long, double, decimal
    0x02: 3, 0x0E: 3,  # string, symbol
    0x03: 4, 0x04: 5, 0x05: 6, 0x07: 7, 0x08: 8, 0x09: 9, 0x11: 10,  # object, array, binary, ObjectId, bool, date
}  # fmt: skip

_NUMBERS, _OBJECT, _BINARY = 2, 4, 6


def sort_key(key: Any, options: CodecOptions[Any]) -> Any:
    """Return a value that Python sorts as MongoDB does a primary key, by the simple collation.

    :param options: by which the key was read.
    """
    raw = bson.encode({"": key}, codec_options=options)
    return _of(raw[4], bson.decode(raw, codec_options=_PLAIN)[""])


_PLAIN: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)


def _of(kind: int, value: Any) -> Any:
    rank = _RANKS.get(kind, 50)
    if rank == _BINARY:
        return (rank, len(value), getattr(value, "subtype", 0), bytes(value))
    if rank == _OBJECT:
        return (rank, [_member(value, name) for name in value])
    if rank == _NUMBERS:
        return (rank, value.to_decimal() if kind == 0x13 else value)
    if rank == 3:
        return (rank, str(value).encode())
    return (rank, value)


def _member(document: RawBSONDocument, name: str) -> Any:
    raw = bson.encode({"": document[name]}, codec_options=_PLAIN)
    rank, *rest = _of(raw[4], bson.decode(raw, codec_options=_PLAIN)[""])
    return (rank, name.encode(), *rest)
