"""The filters of a list request as MongoDB queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bzz.errors import BadRequest
from bzz.providers.base import AllOf, AnyOf, Condition, Criterion, Filter, Not
from bzz.providers.mongoengine.codecs.checks import BAD_VALUE
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.messages import messages_of
from bzz.providers.mongoengine.raw import Raw
from bzz.shape.operators import LISTED, ORDERING

__all__ = ["filter_query", "require_ordered", "stored_path"]

_COMPARISONS = {"gt": "$gt", "gte": "$gte", "lt": "$lt", "lte": "$lte", "ne": "$ne", "eq": "$eq"}
_COMBINED = {AllOf: "$and", AnyOf: "$or"}
_EARTH = 6_378_100.0  # metres: the radius by which MongoDB counts in radians
_PATTERNS = {"exact": r"\A{}\Z", "contains": "{}", "startswith": r"\A{}", "endswith": r"{}\Z"}


def filter_query(codec: DocumentCodec, filters: Sequence[Criterion], prefix: str = "") -> list[Raw]:
    """Return the conditions of a list request, each a MongoDB query; all must hold.

    :param prefix: stands before every path, for documents that are wrapped in another.
    :raises bzz.errors.BadRequest: for a value that the field could not hold.
    """
    return [_criterion(codec, each, prefix) for each in filters]


def _criterion(codec: DocumentCodec, wanted: Criterion, prefix: str) -> Raw:
    if isinstance(wanted, Filter):
        return _any_of(codec, wanted, prefix)
    if isinstance(wanted, Not):
        return {"$nor": [_criterion(codec, wanted.of, prefix)]}
    return {_COMBINED[type(wanted)]: filter_query(codec, wanted.of, prefix)}


def _any_of(codec: DocumentCodec, wanted: Filter, prefix: str) -> Raw:
    path, field = stored_path(codec, wanted.path)
    if any(condition.operator in ORDERING for condition in wanted.any_of):
        require_ordered(field, wanted.path)
    try:
        queries = [{prefix + path: _comparison(field, condition)} for condition in wanted.any_of]
    except BAD_VALUE as error:
        why = next(message for _, message in messages_of(error)) or (field.item or field).expected
        raise BadRequest(f"The parameter {wanted.path!r} cannot be read. {why}") from None
    return queries[0] if len(queries) == 1 else {"$or": queries}


def stored_path(codec: DocumentCodec, dotted: str) -> tuple[str, FieldCodec]:
    """Return the MongoDB path of what filters and orders compare at a dotted name, and its codec."""
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


def require_ordered(field: FieldCodec, dotted: str) -> None:
    """Refuse to order by a field that MongoDB orders in another way than its values are ordered.

    :param dotted: the name of the field, as the client wrote it.
    :raises bzz.errors.BadRequest: if its numbers are stored as text.
    """
    if not field.is_ordered:
        raise BadRequest(
            f"{dotted!r} is stored as text, which has another order than its numbers; compare it by eq or in."
        )


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
