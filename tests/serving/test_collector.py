"""The garbage collector of a process that serves."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from bzz.serving import collector


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Give the collector back what these tests take from it."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.parametrize("young", [0, 100_000], ids=["turned off", "raised"])
def test_a_threshold_of_the_application_s_own_stays(young: int) -> None:
    gc.set_threshold(young, 10, 10)
    collector.spare()
    assert gc.get_threshold()[0] == young


def test_older_generations_are_looked_through_as_before() -> None:
    gc.set_threshold(700, 11, 12)
    collector.spare()
    assert gc.get_threshold() == (collector.YOUNG_OBJECTS, 11, 12)
