"""The ``Prefer`` header."""

from __future__ import annotations

import time

import pytest

from bzz.model.prefer import max_affected, preference, wants_count, wants_lenient


@pytest.mark.parametrize("end", ["x", "=", '="', ";", "=a b"])
@pytest.mark.parametrize("start", ["count", "", "count=", "count=exact"])
def test_a_long_header_is_read_in_no_time(start: str, end: str) -> None:
    began = time.perf_counter()
    preference(start + " " * 60_000 + end, "count")
    assert time.perf_counter() - began < 0.5  # it took a minute when each part could give back what it had taken


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("count=exact", True),
        (' Count = "exact" ; wait=1', True),
        ("respond-async, count=exact", True),
        ("count=estimated", False),
        ("count", False),
        ("", False),
        (None, False),
    ],
)
def test_a_count_is_asked_for_by_its_exact_value(header: str | None, wanted: bool) -> None:
    assert wants_count(header) is wanted


def test_other_preferences_are_told_apart() -> None:
    assert wants_lenient("return=minimal, handling=lenient") is True
    assert wants_lenient("handling=strict") is False
    assert [max_affected(each) for each in ("max-affected=3", "max-affected=0", "max-affected=x", None)] == [
        3,
        None,
        None,
        None,
    ]
