"""A field for spans of time, which MongoEngine does not ship."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mongoengine.base import BaseField

from bzz.codec import register
from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.scalars import LoadedCodec
from bzz.shape.duration import DurationKind

__all__ = ["DurationField"]

_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 2**63 // 1_000_000 // 86_400  # days, in microseconds of 64 bits


class DurationField(BaseField):  # type: ignore[misc]  # MongoEngine ships no types
    """A :class:`datetime.timedelta`, stored as a whole number of microseconds: so MongoDB can compare and sort it.

    In JSON it is an ISO 8601 duration, such as ``P1DT2H30M``.
    """

    def to_mongo(self, value: Any) -> Any:
        """Return the number of microseconds.

        :raises ValueError: if it does not fit into 64 bits.
        """
        if not isinstance(value, timedelta):
            return value
        if abs(value) > timedelta(days=_LONGEST):
            raise ValueError(f"Must be at most {_LONGEST} days.")
        return value // _MICROSECOND

    def to_python(self, value: Any) -> Any:
        """Return the span of a number of microseconds; anything else as it is."""
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return timedelta(microseconds=value) if is_number else value

    def validate(self, value: Any, clean: bool = True) -> None:
        """Refuse anything but a timedelta that can be stored."""
        if not isinstance(value, timedelta):
            self.error("Must be a timedelta.")
        try:
            self.to_mongo(value)
        except ValueError as error:
            self.error(str(error))

    def prepare_query_value(self, op: str, value: Any) -> Any:
        """Return the number by which MongoEngine's own queries find a span."""
        return super().prepare_query_value(op, self.to_mongo(value))


@converts(DurationField)
class DurationCodec(LoadedCodec):
    """A span of time, stored as its microseconds."""

    kind = DurationKind
    may_be_custom = False


register(timedelta, DurationKind().to_text)
