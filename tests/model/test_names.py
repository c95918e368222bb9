"""What a client's body may name."""

from __future__ import annotations

from typing import Any

import pytest

from bzz.errors import Invalid
from bzz.model.names import check_names
from tests.model import USER


def refusals(data: dict[str, Any], *, updating: bool = False) -> dict[str, Any]:
    with pytest.raises(Invalid) as caught:
        check_names(USER, data, updating=updating)
    return dict(caught.value.errors or {})


def test_declared_names_pass_at_every_depth() -> None:
    check_names(
        USER, {"name": "Ann", "address": {"zip": 1, "children": [{"street": "x"}]}, "meta": {"any": {"name": 1}}}
    )


@pytest.mark.parametrize("name", ["role", "_cls", "$set", "name.first", ""])
def test_an_undeclared_name_is_refused(name: str) -> None:
    assert refusals({name: 1}) == {name: ["Unknown field."]}


def test_a_hidden_field_is_refused_in_the_words_for_an_unknown_one() -> None:
    assert refusals({"password": "x"}) == {"password": ["Unknown field."]}


@pytest.mark.parametrize("value", [1, None, {"zip": {}}, ["a"], "x" * 100])
def test_no_value_tells_a_hidden_field_from_an_unknown_one(value: Any) -> None:
    hidden, unknown = refusals({"old_password": value}), refusals({"old_passworx": value})
    assert str(hidden).replace("old_password", "old_passworx") == str(unknown)


def test_hidden_and_read_only_fields_are_refused_inside_embedded_documents() -> None:
    data = {"address": {"secret": 1, "verified": True, "children": [{"secret": 2}]}}
    assert refusals(data) == {
        "address.secret": ["Unknown field."],
        "address.verified": ["This field is read-only."],
        "address.children.0.secret": ["Unknown field."],
    }


def test_a_read_only_field_is_named_as_such() -> None:
    assert refusals({"created": "2026-01-01"}) == {"created": ["This field is read-only."]}


def test_an_update_may_repeat_the_id() -> None:
    check_names(USER, {"id": "42"}, updating=True)
