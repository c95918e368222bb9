"""The reader of what listeners wrote knows what is missing, out of order or told too often."""

from __future__ import annotations

from pathlib import Path

import pytest

from bzz.delivery.session import WINDOW
from tests.faults.told import Told


def wrong(directory: Path, *lines: str, last: int = 2) -> list[str]:
    path = directory / "told"
    path.write_text("".join(f"{each}\n" for each in lines))
    return Told(path).read().wrong({"a": last})


def calls(process: int, *steps: int, first: int = 1) -> list[str]:
    """One call after the other, each with success."""
    pairs = [(f"{process} begin {call}", f"{process} done {call} a {step} 1") for call, step in enumerate(steps, first)]
    return [line for pair in pairs for line in pair]


@pytest.mark.parametrize(
    "lives",
    [
        [calls(1, 0, 1, 2)],
        [calls(1, 0, 1), calls(2, 2)],
        [calls(1, 0, 1), calls(2, 0, 1, 2)],
        [calls(1, 0, 1), ["1 restart"], calls(1, 1, 2, first=3)],
        [calls(1, 0), ["1 begin 2", "1 failed 2 a 1 1"], calls(1, 1, 2, first=3)],
        [["1 begin 1"], calls(2, 0, 1, 2), ["1 done 1 a 0 1"]],
        [["1 begin 1"], calls(2, 0, 1, 2)],
    ],
    ids=["all", "taken over", "from the start", "anew", "failed", "ended late", "killed in a call"],
)
def test_what_may_happen_is_right(lives: list[list[str]], tmp_path: Path) -> None:
    assert wrong(tmp_path, *(line for life in lives for line in life)) == []


@pytest.mark.parametrize(
    ("lives", "told"),
    [
        ([calls(1, 0, 1)], "1 was told, and 2 is the last one"),
        ([calls(1, 0, 2)], "2 came when 0 was the last one"),
        ([calls(1, 1, 2)], "1 came when -1 was the last one"),
        ([calls(1, 0, 1, 2, 1)], "1 came behind 2 (1/0)"),
        ([calls(1, 0, 1, 2), calls(2, 1)], "1 was told last, and 2 is the last one"),
        ([calls(1, 0, 1, 2), calls(2, 0, 2)], "2 came behind 0, which came again"),
        (
            [["1 begin 1", "1 begin 2", "1 done 1 a 0 1", "1 done 2 a 1 1"]],
            "began a call while another one was going on",
        ),
        ([calls(1, 0, 1, 2, 3)], "3 was told, and 2 is the last one"),
    ],
    ids=["missing", "skipped", "not from the start", "back", "old one last", "gap", "at a time", "not written"],
)
def test_what_must_not_happen_is_reported(lives: list[list[str]], told: str, tmp_path: Path) -> None:
    found = wrong(tmp_path, *(line for life in lives for line in life))
    assert any(told in each for each in found), found


def test_more_than_a_window_must_not_come_again(tmp_path: Path) -> None:
    steps = range(WINDOW + 1)
    assert wrong(tmp_path, *calls(1, *steps), *calls(2, *steps[1:]), last=WINDOW) == []
    (found,) = wrong(tmp_path, *calls(1, *steps), *calls(2, *steps), last=WINDOW)
    assert found == f"{WINDOW + 1} changes came again in 2/0"
