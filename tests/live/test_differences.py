"""The diff of two versions holds what changed, all of it, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bzz.live.differences import difference

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.text(max_size=1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
ROWS = st.dictionaries(NAMES, VALUES, max_size=3)


def applied(row: dict[str, Any], diff: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a row with the changes made; each ``from`` has to be what is there."""
    row = copy.deepcopy(row)
    for path, pair in diff.items():
        place: Any = row
        *way, last = path.split(".")
        for name in way:
            if isinstance(place, list):
                place = place[int(name)]
            else:
                if place.get(name) is None:
                    place[name] = {}
                place = place[name]
        known = place[int(last)] if isinstance(place, list) else place.get(last)
        assert known == pair["from"]
        if isinstance(place, list):
            place[int(last)] = pair["to"]
        else:
            place[last] = pair["to"]
    return row


def emptied(value: Any) -> Any:
    """Return a value without what is null or empty, which a diff of members does not tell apart."""
    if isinstance(value, dict):
        inner = {name: emptied(each) for name, each in value.items()}
        return {name: each for name, each in inner.items() if each is not None} or None
    if isinstance(value, list):
        return [emptied(each) for each in value]
    return value


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=ROWS, after=ROWS)
def test_the_diff_leads_from_one_version_to_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert emptied(applied(before, difference(before, after))) == emptied(after)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(row=ROWS)
def test_what_is_the_same_differs_in_nothing(row: dict[str, Any]) -> None:
    assert difference(row, copy.deepcopy(row)) == {}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, {"name": "Ann", "team": None}, {"name": {"from": None, "to": "Ann"}}),
        ({"name": "Ann"}, None, {"name": {"from": "Ann", "to": None}}),
        ({"n": 1}, {"n": True}, {"n": {"from": 1, "to": True}}),
        ({"home": None}, {"home": {"city": "Rio"}}, {"home.city": {"from": None, "to": "Rio"}}),
        ({"tags": ["a"]}, {"tags": ["a", "b"]}, {"tags": {"from": ["a"], "to": ["a", "b"]}}),
        (
            {"pets": [{"id": "1", "name": "Rex"}]},
            {"pets": [{"id": "1", "name": "Max"}]},
            {"pets.0.name": {"from": "Rex", "to": "Max"}},
        ),
        (
            {"pets": [{"id": "1"}]},
            {"pets": [{"id": "2"}]},
            {"pets": {"from": [{"id": "1"}], "to": [{"id": "2"}]}},
        ),
    ],
)
def test_differences_have_the_form_of_every_diff(before: Any, after: Any, expected: Any) -> None:
    assert difference(before, after) == expected
