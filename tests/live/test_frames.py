"""Frames are read as a browser reads them, and say which positions hold."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.live.frames import OPENING, PING, ResetReason, event, identified, reset
from tests.live.reading import Frame, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(data=JSON)
def test_what_is_put_in_comes_out_whatever_it_holds(data: object) -> None:
    [frame] = parse(identified(event("updated", data), "v1.2.3.4.x"))
    assert (frame.event, json.loads(frame.data), frame.id) == ("updated", data, "v1.2.3.4.x")


def test_the_first_bytes_hold_no_frame_and_a_time_to_try_again() -> None:
    assert parse(OPENING) == []
    assert b"retry: 2000\n" in OPENING


def test_a_frame_without_a_position_leaves_the_known_one() -> None:
    assert parse(identified(PING)) == [Frame("ping", "{}", None)]


@pytest.mark.parametrize("reason", get_args(ResetReason))
def test_a_reset_takes_the_position_away_unless_it_still_holds(reason: ResetReason) -> None:
    [frame] = parse(reset(reason))
    assert json.loads(frame.data) == {"reason": reason}
    assert frame.id == (None if reason in ("shutdown", "slow", "unavailable") else "")
