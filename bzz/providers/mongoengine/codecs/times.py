"""The codecs of dates and times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import mongoengine as me

from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.scalars import LoadedCodec
from bzz.shape.times import DateKind, DateTimeKind

__all__: list[str] = []


@converts(me.DateTimeField)
class DateTimeCodec(FieldCodec):
    """A time, in UTC. MongoDB keeps milliseconds."""

    kind = DateTimeKind

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        return None if value is None else value.replace(microsecond=value.microsecond // 1000 * 1000)


@converts(me.ComplexDateTimeField)
class ComplexDateTimeCodec(LoadedCodec):
    """A time with its microseconds, stored as a text."""

    kind = DateTimeKind


@converts(me.DateField)
class DateCodec(FieldCodec):
    """A date, stored as its midnight."""

    kind = DateKind
    reads_as_is = shows_as_is = False

    def to_value(self, bson: Any) -> Any:
        return bson.date() if isinstance(bson, datetime) else bson
