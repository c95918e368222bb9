"""Spans of time, by ISO 8601."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from bzz.shape.base import JsonSchema, Refer
from bzz.shape.scalars import Textual, match, refuse

__all__ = ["DurationKind"]

_DURATION = re.compile(
    r"(-?)P(?=[0-9T])"
    r"(?:([0-9]{1,10})W|(?:([0-9]{1,10})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,12})H)?(?:([0-9]{1,14})M)?(?:([0-9]{1,16})(?:[.,]([0-9]{1,12}))?S)?)?)"
)
_HOUR, _MINUTE = 3_600, 60


class DurationKind(Textual):
    """A span of time of a fixed length; a timedelta to Python.

    In JSON it is a string: weeks, or days, hours, minutes and seconds by ISO 8601, with a minus in front of a negative
    one. Years and months have no fixed length, and are refused. Digits beyond microseconds are dropped.

    >>> DurationKind().from_text("P1DT2H30M")
    datetime.timedelta(days=1, seconds=9000)
    """

    name = "duration"
    expected = "Must be a duration by ISO 8601 without years and months, such as P1DT2H30M."

    def parse(self, text: str) -> timedelta:
        sign, weeks, days, hours, minutes, seconds, fraction = match(_DURATION, text).groups("")
        span = timedelta(
            weeks=int(weeks or 0),
            days=int(days or 0),
            hours=int(hours or 0),
            minutes=int(minutes or 0),
            seconds=int(seconds or 0),
            microseconds=int(f"{fraction:0<6}"[:6]),
        )
        return -span if sign else span

    def accept_value(self, value: Any) -> timedelta:
        return value if isinstance(value, timedelta) else refuse()

    def to_text(self, value: timedelta) -> str:
        """Return a duration in days, hours, minutes and seconds.

        >>> DurationKind().to_text(timedelta(hours=26, seconds=1.5)), DurationKind().to_text(timedelta(0))
        ('P1DT2H0M1.5S', 'PT0S')
        """
        size = abs(value)
        days = f"{size.days}D" if size.days else ""
        clock = _clock_text(size.seconds, size.microseconds)
        if not (days or clock):
            clock = "0S"
        return f"{'-' if value < timedelta(0) else ''}P{days}{'T' if clock else ''}{clock}"

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "string", "format": "duration"}


def _clock_text(seconds: int, microseconds: int) -> str:
    """Hours, minutes and seconds without a gap between them (RFC 3339, appendix A)."""
    hours, rest = divmod(seconds, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    exact = f"{rest}.{microseconds:06}".rstrip("0").rstrip(".")
    has_seconds = exact != "0"
    return "".join(
        [
            f"{hours}H" if hours else "",
            f"{minutes}M" if minutes or (hours and has_seconds) else "",
            f"{exact}S" if has_seconds else "",
        ]
    )
