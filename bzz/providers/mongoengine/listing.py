"""Lists: filters, order and keyset cursors as MongoDB queries.

A cursor is the sort key of one item, as BSON in URL-safe base64: the page beyond it is found by comparison, never by
counting, so it costs what the first page costs (https://use-the-index-luke.com/no-offset).
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import bson
from bson import Binary, DBRef, Decimal128, Int64, ObjectId
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions

from bzz.errors import BadRequest
from bzz.providers.base import Condition, Filter, Sort
from bzz.providers.mongoengine.codecs.checks import BAD_VALUE
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.messages import messages_of
from bzz.providers.mongoengine.raw import Raw
from bzz.shape.operators import LISTED, ORDERING

__all__ = ["Key", "beyond", "decode_cursor", "encode_cursor", "filter_query", "order", "reverse"]

_BSON: CodecOptions[Any] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
_SCALARS = (type(None), bool, int, float, str, datetime, ObjectId, Decimal128, bytes, Binary, UUID, Int64)
_COMPARISONS = {"gt": "$gt", "gte": "$gte", "lt": "$lt", "lte": "$lte", "ne": "$ne", "eq": "$eq"}
_EARTH = 6_378_100.0  # metres: the radius by which MongoDB counts in radians
_PATTERNS = {"exact": r"\A{}\Z", "contains": "{}", "startswith": r"\A{}", "endswith": r"{}\Z"}


class Key(NamedTuple):
    """One sort key: a MongoDB path and 1 or -1."""

    path: str
    direction: int


# -- filters


def filter_query(codec: DocumentCodec, filters: Sequence[Filter], prefix: str = "") -> list[Raw]:
    """The conditions of a list request, each a MongoDB query; all must hold.

    :param prefix: stands before every path, for documents that are wrapped in another.
    :raises bzz.errors.BadRequest: for a value that the field could not hold.
    """
    return [_any_of(codec, each, prefix) for each in filters]


def _any_of(codec: DocumentCodec, wanted: Filter, prefix: str) -> Raw:
    path, field = _stored_path(codec, wanted.path)
    if not field.is_ordered and any(condition.operator in ORDERING for condition in wanted.any_of):
        raise _unordered(wanted.path)
    try:
        queries = [{prefix + path: _comparison(field, condition)} for condition in wanted.any_of]
    except BAD_VALUE as error:
        why = next(message for _, message in messages_of(error)) or (field.item or field).expected
        raise BadRequest(f"The parameter {wanted.path!r} cannot be read. {why}") from None
    return queries[0] if len(queries) == 1 else {"$or": queries}


def _stored_path(codec: DocumentCodec, dotted: str) -> tuple[str, FieldCodec]:
    first, _, rest = dotted.partition(".")
    field = codec.known(first)
    path, inner = field.inside(rest)
    return field.stored + path, inner


def _comparison(field: FieldCodec, condition: Condition) -> Raw:
    operator, value = condition.operator, condition.value
    scalar = field.item or field
    if operator == "exists":
        return {"$ne": None} if value else {"$eq": None}
    if operator == "size":
        return {"$size": value}
    if operator == "match":
        return {"$elemMatch": {"$and": filter_query(scalar.target(), value)}}
    if operator in _AREAS:
        return {"$geoWithin": _AREAS[operator](*value)}
    if operator in LISTED:
        return {f"${operator}": [scalar.operand(each) for each in value]}
    if operator in _COMPARISONS:
        return {_COMPARISONS[operator]: scalar.operand(value)}
    return _pattern(operator, scalar.pattern_operand(value))


def _unordered(path: str) -> BadRequest:
    return BadRequest(f"{path!r} is stored as text, which has another order than its numbers; compare it by eq or in.")


def _circle(longitude: float, latitude: float, metres: float) -> Raw:
    return {"$centerSphere": [[longitude, latitude], metres / _EARTH]}


def _box(west: float, south: float, east: float, north: float) -> Raw:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"$geometry": {"type": "Polygon", "coordinates": [ring]}}


_AREAS: dict[str, Callable[..., Raw]] = {"near": _circle, "within": _box}


def _pattern(operator: str, text: str) -> Raw:
    ignore_case = operator.startswith("i")
    escaped = re.escape(text).replace("\x00", "x00")  # re.escape leaves "\<NUL>", which BSON cannot hold
    pattern = _PATTERNS[operator[1:] if ignore_case else operator].format(escaped)
    return {"$regex": pattern, "$options": "i" if ignore_case else ""}


# -- order


def order(
    codec: DocumentCodec, sort: Sequence[Sort], default: Sequence[tuple[str, int]], last: str, prefix: str
) -> list[Key]:
    """The sort keys of a request, or the model's own; ``last`` makes the order total.

    :raises bzz.errors.BadRequest: for a field that MongoDB would sort in another order than that of its values.
    """
    unordered = next((each.path for each in sort if not _stored_path(codec, each.path)[1].is_ordered), None)
    if unordered is not None:
        raise _unordered(unordered)
    if sort:
        keys = [Key(prefix + _stored_path(codec, each.path)[0], -1 if each.descending else 1) for each in sort]
    else:
        keys = [Key(prefix + path, direction) for path, direction in default if _is_open(codec, path)]
    if any(key.path == last for key in keys):
        return keys[: [key.path for key in keys].index(last) + 1]
    return [*keys, Key(last, keys[-1].direction if keys else 1)]


def _is_open(codec: DocumentCodec, stored: str) -> bool:
    """Whether a cursor may carry a field's value: hidden ones, and those that are no scalar, are not sorted by."""
    first, _, rest = stored.partition(".")
    field = codec.by_stored.get(first)
    if field is None or field.declared.hidden:
        return False
    if not rest or field.compared == stored:
        return field.declared.is_scalar
    return field.holds_documents and field.declared.link is not None and _is_open(field.target(), rest)


def reverse(keys: Sequence[Key]) -> list[Key]:
    """The opposite order."""
    return [Key(key.path, -key.direction) for key in keys]


# -- cursors


def encode_cursor(keys: Sequence[Key], item: Raw) -> str:
    """The opaque text for the place of ``item`` in an order."""
    values = {str(rank): _at(item, key.path) for rank, key in enumerate(keys)}
    return base64.urlsafe_b64encode(bson.encode(values, codec_options=_BSON)).decode("ascii").rstrip("=")


def _at(item: Any, path: str) -> Any:
    for name in path.split("."):
        item = item.get(name) if isinstance(item, dict) else None
    return item


def decode_cursor(keys: Sequence[Key], text: str) -> list[Any]:
    """The values of a cursor that :func:`encode_cursor` made for the same order.

    :raises bzz.errors.BadRequest: for anything else.
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        decoded: Raw = bson.decode(base64.b64decode(padded, altchars=b"-_", validate=True), codec_options=_BSON)
    except (ValueError, bson.errors.BSONError, OverflowError):
        raise BadRequest(_BAD_CURSOR) from None
    values = [decoded.get(str(rank)) for rank in range(len(keys))]
    if len(decoded) != len(keys) or not all(_is_scalar(value) for value in values):
        raise BadRequest(_BAD_CURSOR)
    return values


def _is_scalar(value: Any) -> bool:
    if isinstance(value, DBRef):
        return isinstance(value.id, _SCALARS) and value.as_doc().keys() == {"$ref", "$id"}
    return isinstance(value, _SCALARS)


_BAD_CURSOR = "The cursor is not one that this list gave in its Link header."


def beyond(keys: Sequence[Key], values: Sequence[Any]) -> Raw:
    """The query for what comes after the item with these sort values."""
    ways = []
    for rank, (key, value) in enumerate(zip(keys, values, strict=True)):
        is_last = rank == len(keys) - 1  # the id: never null, and one comparison is what an index answers fastest
        later = [{"$gt" if key.direction > 0 else "$lt": value}] if is_last else _later(value, key.direction)
        same = [{earlier.path: known} for earlier, known in zip(keys[:rank], values, strict=False)]
        ways += [{"$and": [*same, {key.path: condition}]} for condition in later]
    return ways[0] if len(ways) == 1 else {"$or": ways}


def _later(value: Any, direction: int) -> list[Raw]:
    """Conditions of which one holds for each value that sorts after ``value``.

    MongoDB sorts null first, then NaN, then numbers; and compares values of one type only, so each is asked for.
    """
    if direction > 0:
        return [_ascending_from(value)]
    if value is None:
        return []
    if _is_nan(value):
        return [{"$eq": None}]
    is_number = isinstance(value, (int, float, Decimal128)) and not isinstance(value, bool)
    nan: list[Raw] = [{"$eq": math.nan}] if is_number else []
    return [{"$lt": value}, *nan, {"$eq": None}]


def _ascending_from(value: Any) -> Raw:
    if value is None:
        return {"$ne": None}
    return {"$gte": -math.inf} if _is_nan(value) else {"$gt": value}


def _is_nan(value: Any) -> bool:
    if isinstance(value, Decimal128):
        return value.to_decimal().is_nan()
    return isinstance(value, float) and math.isnan(value)
