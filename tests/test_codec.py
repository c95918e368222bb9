"""JSON in and out: what comes back is what went in, and nothing that a client sends is more than a 400."""

from __future__ import annotations

import json
import math
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.codec import MAX_DEPTH, check_depth, dumps, loads, plain
from bzz.errors import BadRequest

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


class Opaque:
    """A value of a type that nobody registered."""

    def __repr__(self) -> str:
        return "opaque"


@given(JSON)
def test_json_survives_the_way_out_and_in(value: Any) -> None:
    assert loads(dumps(value)) == value


@given(st.binary() | st.text().map(str.encode))
def test_any_body_is_json_or_a_bad_request(body: bytes) -> None:
    try:
        value = loads(body)
    except BadRequest:
        return
    assert value == json.loads(body, parse_int=number)


def number(text: str) -> int | float:
    """Return what orjson makes of an integer: beyond 64 bits a float, which no integer field takes."""
    return int(text) if -(2**63) <= int(text) < 2**64 else float(text)


def test_an_integer_beyond_64_bits_is_a_float() -> None:
    assert loads(b"20000000000000000001") == number("20000000000000000001") == 2e19


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"9" * 5000,
        b'"\\ud800"',
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"{} {}",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_hostile_body_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        loads(body)


def test_a_malformed_body_says_where() -> None:
    with pytest.raises(BadRequest, match="line 2"):
        loads(b'{\n"a": }')


def nested(depth: int, innermost: Any = 1) -> Any:
    value = innermost
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize("innermost", [1, "text", None])
def test_a_value_may_nest_as_deep_as_the_limit(innermost: Any) -> None:
    check_depth(nested(MAX_DEPTH, innermost))


@pytest.mark.parametrize("innermost", [1, [], {}])
def test_a_value_may_not_nest_deeper_than_the_limit(innermost: Any) -> None:
    deeper = nested(MAX_DEPTH + 1) if innermost == 1 else nested(MAX_DEPTH, innermost)
    with pytest.raises(BadRequest, match="deeper than 32"):
        check_depth(deeper)


def test_a_body_deeper_than_the_limit_is_a_bad_request() -> None:
    with pytest.raises(BadRequest, match="deeper than 32"):
        loads(dumps(nested(MAX_DEPTH + 1)))


NAIVE = datetime(2026, 1, 2, 3, 4, 5)
OFFSET = timezone(timedelta(hours=-3))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (NAIVE, '"2026-01-02T03:04:05Z"'),
        (NAIVE.replace(tzinfo=UTC), '"2026-01-02T03:04:05Z"'),
        (NAIVE.replace(tzinfo=OFFSET), '"2026-01-02T03:04:05-03:00"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Decimal("1.50"), '"1.50"'),
        (b"\x00\xff", '"AP8="'),
        (float("nan"), "null"),
        (float("inf"), "null"),
        ("é", '"é"'),
    ],
    ids=repr,
)
def test_a_value_has_one_json_form(value: Any, text: str) -> None:
    assert dumps(value).decode() == text


@pytest.mark.parametrize("value", [Opaque(), {1, 2}, 2**64, {1: "key"}], ids=repr)
def test_a_value_without_a_json_form_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError):
        dumps(value)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"a": (1, Decimal("1.50"), None)}, {"a": [1, "1.50", None]}),
        (date(2026, 1, 2), "2026-01-02"),
        (b"hi", "aGk="),
        (math.nan, None),
        ({1: "a"}, {"1": "a"}),
        ([Opaque], [str(Opaque)]),
    ],
    ids=str,
)
def test_any_value_has_a_plain_form(value: Any, wanted: Any) -> None:
    assert plain(value) == wanted
