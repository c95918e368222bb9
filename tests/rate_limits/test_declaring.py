"""Limits as an application declares them, and the mistakes that it is told of at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.web import Application

import bzz
from bzz.errors import ConfigurationError
from bzz.rate_limits.quota import Quota, quotas_of
from bzz.windows import Windows
from tests.rate_limits.conftest import Turnstile

ITEM = re.compile(r'"[\x20\x21\x23-\x5b\x5d-\x7e]+";q=\d{1,15};w=\d{1,15}')
"""An item of RateLimit-Policy: a string and two integers (RFC 9651, sections 3.3.3 and 3.3.1)."""


DIGITS, UNITS = st.text("0123456789", max_size=20), st.sampled_from(["second", "days", "year"])


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("100/minute", '"100/minute";q=100;w=60'),
        ("100 per minute", '"100/minute";q=100;w=60'),
        ("5/second", '"5/second";q=5;w=1'),
        ("1 per 2 hours", '"1/2 hours";q=1;w=7200'),
        ("10/DAY", '"10/day";q=10;w=86400'),
        ("1/month", '"1/month";q=1;w=2592000'),
        ("1/year", '"1/year";q=1;w=31104000'),
    ],
)
def test_a_limit_is_written_in_words(text: str, policy: str) -> None:
    assert [each.policy for each in quotas_of("", [text])] == [policy]


def test_a_text_may_hold_several() -> None:
    assert [each.amount for each in quotas_of("", "5/second; 100/minute")] == [5, 100]


@pytest.mark.parametrize(
    "limit", ["", "many", "100", "0/minute", "-1/minute", "1.5/minute", "5/fortnight", "9" * 16 + "/day", 100, None]
)
def test_what_is_no_limit_is_an_error_that_shows_one(limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="'100/minute'"):
        bzz.RateLimits(limit)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs a limit"),
        ({"reads": 5}, "not 5"),
        ({"writes": ["5/minute", 7]}, "not 7"),
        ({"reads": "5/minute", "storage": "memcached://localhost"}, "storage is 'memory://' or the URL of a Redis"),
        ({"reads": "5/minute", "storage": None}, "not None"),
        ({"reads": "5/minute", "storage": "redis://localhost:port"}, "storage: "),
        ({"reads": "5/minute", "key": lambda: "a"}, r"key is called with \(handler\)"),
    ],
)
def test_a_mistake_is_an_error_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        bzz.RateLimits(**options)


def test_an_application_has_limits_once() -> None:
    app = Application()
    bzz.RateLimits("1/hour").attach(app)
    with pytest.raises(ConfigurationError, match="already"):
        bzz.RateLimits("2/hour").attach(app)


def test_a_model_takes_limits_and_no_texts() -> None:
    with pytest.raises(ConfigurationError, match=r"a bzz\.RateLimits is expected, not '1/hour'"):
        bzz.ModelHive.routes_for("mongoengine", Turnstile, rate_limits="1/hour")


@given(st.text() | st.builds("{}{}{} {}".format, st.integers(), st.sampled_from(["/", " per "]), DIGITS, UNITS))
def test_whatever_text_comes_is_a_policy_or_an_error(text: str) -> None:
    try:
        found = quotas_of("writes", text)
    except ConfigurationError:
        return
    assert found
    assert all(ITEM.fullmatch(each.policy) for each in found)


@given(st.integers(1, 10**15), st.floats(-1, 1e9))
def test_what_is_left_is_never_less_than_nothing_and_always_in_the_future(count: int, left: float) -> None:
    found = re.fullmatch(r'"5/second";r=(\d+);t=(\d+)', Quota("5/second", 5, 1).state(count, left))
    assert found is not None
    assert int(found[1]) == max(0, 5 - count)
    assert max(left, 0) <= int(found[2]) <= max(left, 0) + 1


def test_a_window_begins_with_its_first_count_and_is_not_made_longer_by_others() -> None:
    windows = Windows()
    _, first = windows.add("a", 1, 60)
    later = [windows.add("a", 1, 60) for _ in range(3)]
    assert [count for count, _ in later] == [2, 3, 4]
    assert all(left < first for _, left in later)
