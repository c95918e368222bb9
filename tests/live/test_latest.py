"""What was made of a change is kept for the next who asks, and no longer than the change itself."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bzz.live.latest import Latest
from bzz.providers.changes import Commit, Position


class Made:
    """Something that was made of a change."""


def commit() -> Commit:
    return Commit("user", 1, "created", None, {}, True, Position(1, 1, 1), datetime.now(UTC))


def test_the_value_of_a_change_is_found_again() -> None:
    latest: Latest[str] = Latest()
    change = commit()
    assert latest.put(change, "made") == "made"
    assert latest.get(change) == "made"


def test_there_is_none_of_another_change() -> None:
    latest: Latest[str] = Latest()
    first, second = commit(), commit()
    assert latest.get(first) is None
    latest.put(first, "made")
    assert latest.get(second) is None
    latest.put(second, "made")
    assert latest.get(first) is None


@pytest.fixture
def without_collector() -> Iterator[None]:
    """Nothing but counting references frees anything meanwhile."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
def test_the_value_goes_with_its_change() -> None:
    latest: Latest[Made] = Latest()
    change = commit()
    made = weakref.ref(latest.put(change, Made()))
    assert made() is not None
    del change
    assert made() is None


@pytest.mark.usefixtures("without_collector")
def test_an_older_change_takes_nothing_of_a_newer_one_with_it() -> None:
    latest: Latest[str] = Latest()
    older, newer = commit(), commit()
    latest.put(older, "older")
    latest.put(newer, "newer")
    del older
    assert latest.get(newer) == "newer"


@pytest.mark.usefixtures("without_collector")
def test_what_keeps_a_value_goes_with_its_owner() -> None:
    latest: Latest[Made] = Latest()
    change = commit()
    made = weakref.ref(latest.put(change, Made()))
    del latest
    assert made() is None
