"""Days and moments, by ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bzz.shape.base import JsonSchema, Refer
from bzz.shape.scalars import Textual, match, refuse

__all__ = ["DateKind", "DateTimeKind"]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    rf"({_DATE.pattern})"
    r"(?:[Tt ]((?:[01][0-9]|2[0-3]):[0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,12}))?)?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))?)?"
)


class DateTimeKind(Textual):
    """A moment; a naive datetime in UTC to Python. Digits beyond microseconds are dropped.

    >>> DateTimeKind().from_text("2026-01-31T12:00:00+02:00")
    datetime.datetime(2026, 1, 31, 10, 0)
    """

    name = "datetime"
    expected = "Must be a date and time by ISO 8601, such as 2026-01-31T12:00:00Z."

    def parse(self, text: str) -> datetime:
        day, clock, second, fraction, sign, hours, minutes = match(_DATETIME, text).groups("")
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}:{second or '00'}")
        if fraction:
            moment = moment.replace(microsecond=int(f"{fraction:0<6}"[:6]))
        if not sign:
            return moment
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return moment + offset if sign == "-" else moment - offset

    def to_text(self, value: Any) -> str:
        return f"{self.accept_value(value).isoformat()}Z" if isinstance(value, datetime) else str(value)

    def accept_value(self, value: Any) -> datetime:
        if not isinstance(value, datetime):
            refuse()
        return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "string", "format": "date-time"}


class DateKind(Textual):
    """A day."""

    name = "date"
    expected = "Must be a date, such as 2026-01-31."

    def parse(self, text: str) -> date:
        return date.fromisoformat(match(_DATE, text)[0])

    def accept_value(self, value: Any) -> date:
        return value if isinstance(value, date) and not isinstance(value, datetime) else refuse()

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "string", "format": "date"}
