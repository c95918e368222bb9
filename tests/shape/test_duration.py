"""Spans of time as ISO 8601 writes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.model.validation import BodyReading
from bzz.shape import TOP
from bzz.shape.duration import DurationKind
from bzz.shape.operators import ORDERED

KIND = DurationKind()


@given(st.timedeltas())
def test_a_duration_is_read_back_from_its_text(span: timedelta) -> None:
    assert KIND.from_text(KIND.to_text(span)) == span


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("P1D", timedelta(days=1)),
        ("P2W", timedelta(weeks=2)),
        ("PT90M", timedelta(minutes=90)),
        ("PT1H3S", timedelta(hours=1, seconds=3)),
        ("P1DT2H30M", timedelta(days=1, hours=2, minutes=30)),
        ("PT0.5S", timedelta(milliseconds=500)),
        ("PT1,25S", timedelta(seconds=1.25)),
        ("PT0.1234567S", timedelta(microseconds=123456)),
        ("-PT1M", -timedelta(minutes=1)),
        ("PT0S", timedelta(0)),
    ],
)
def test_text_is_read(text: str, span: timedelta) -> None:
    assert KIND.from_text(text) == span


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(days=7), "P7D"),
        (timedelta(minutes=90), "PT1H30M"),
        (timedelta(hours=1, seconds=3), "PT1H0M3S"),  # RFC 3339 knows no hours with seconds alone
        (timedelta(seconds=10), "PT10S"),
        (timedelta(microseconds=-1), "-PT0.000001S"),
        (timedelta(days=1, seconds=0.5), "P1DT0.5S"),
    ],
)
def test_it_is_written_in_days_hours_minutes_and_seconds(span: timedelta, text: str) -> None:
    assert KIND.to_text(span) == text


@pytest.mark.parametrize(
    "value",
    [
        *["", "P", "PT", "P1DT", "P1Y", "P1M", "1D", "P1H", "PT1D", "P1W2D", "P-1D", "+P1D", "P1.5D", "PT1S\n", "p1d"],
        *["P9999999999D", "PT\u0663S", "\ud800", 90, 1.5, True, [], {}],
    ],
)
def test_anything_else_is_refused(value: Any) -> None:
    reading = BodyReading()
    KIND.read(value, (TOP, "span"), reading)
    assert reading.errors == {"span": [DurationKind.expected]}


def test_a_timedelta_that_a_receiver_left_is_kept() -> None:
    assert KIND.read(timedelta(days=1), TOP, BodyReading()) == timedelta(days=1)


def test_it_is_a_string_to_json_schema_and_is_compared_and_sorted() -> None:
    assert KIND.json_schema(lambda shape: {}) == {"type": "string", "format": "duration"}
    assert KIND.operators == ORDERED
    assert KIND.is_scalar
