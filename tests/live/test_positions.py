"""A sealed position holds for the feed that gave it, and cannot be made up."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.errors import BadRequest
from bzz.live.positions import MAX_LENGTH, Sealer
from bzz.providers.changes import Position

SEALER = Sealer(b"k" * 32)

NUMBERS = st.integers(0, 2**32 - 1)


@given(position=st.builds(Position, NUMBERS, NUMBERS, NUMBERS), subject=st.text())
def test_what_was_sealed_is_opened_again(position: Position, subject: str) -> None:
    sealed = SEALER.seal(position, subject)
    assert SEALER.open(sealed, subject) == position
    assert len(sealed) <= MAX_LENGTH


def test_it_holds_for_no_other_feed() -> None:
    assert SEALER.open(SEALER.seal(Position(1, 2, 3), "users of Rio"), "users of Olinda") is None


def test_it_holds_for_no_other_key() -> None:
    assert Sealer(b"x" * 32).open(SEALER.seal(Position(1, 2, 3), "users"), "users") is None


@given(other=NUMBERS)
def test_none_of_its_numbers_can_be_changed(other: int) -> None:
    version, *numbers, mac = SEALER.seal(Position(5, 6, 7), "users").split(".")
    for place in range(3):
        changed = [*numbers]
        changed[place] = str(other)
        if changed != numbers:
            assert SEALER.open(".".join([version, *changed, mac]), "users") is None


@pytest.mark.parametrize(
    "text",
    ["", "x", "v1.1.2.3", "v2.1.2.3." + "A" * 22, "v1.01.2.3." + "A" * 22, "v1.-1.2.3." + "A" * 22, "v1." * 40_000],
)
def test_what_does_not_look_like_one_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="not one that a feed gave"):
        SEALER.open(text, "users")


@given(text=st.text())
def test_nothing_made_up_is_opened(text: str) -> None:
    with contextlib.suppress(BadRequest):
        assert SEALER.open(text, "users") is None
