"""What a client's body may hold, and how it is read before and after receivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.codec import dumps
from bzz.errors import BadRequest, Invalid
from bzz.model.validation import ValidatedBody, validate
from bzz.providers.base import Unchanged
from bzz.shape import Field, Shape
from bzz.shape.containers import ListKind, MapKind
from bzz.shape.documents import EmbeddedKind
from bzz.shape.scalars import IntegerKind, StringKind
from bzz.shape.times import DateTimeKind

from . import ADDRESS, CITY, ORDER, PHONE, USER, no_rules


def sent(data: dict[str, Any], **options: Any) -> ValidatedBody:
    return validate(USER, data, no_rules, has_receivers=True, **options)


def refusals(data: dict[str, Any], **options: Any) -> dict[str, Any]:
    with pytest.raises(Invalid) as caught:
        sent(data, **options)
    return dict(caught.value.errors or {})


def final_values(shape: Shape, data: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What is read of data that receivers left, where a client sent nothing."""
    return ValidatedBody(shape, {}, **options).final_values(data)


def errors(data: dict[str, Any], **options: Any) -> Any:
    with pytest.raises(Invalid) as caught:
        final_values(USER, data, **options)
    return caught.value.errors


# -- what a client may name


def test_declared_names_pass_at_every_depth() -> None:
    data = {"name": "Ann", "address": {"zip": 1, "children": [{"street": "x"}]}, "meta": {"any": {"name": 1}}}
    assert sent(data).values == data


@pytest.mark.parametrize("name", ["role", "_cls", "$set", "name.first", ""])
def test_an_undeclared_name_is_refused(name: str) -> None:
    assert refusals({name: 1}) == {name: ["Unknown field."]}


def test_a_hidden_field_is_refused_in_the_words_for_an_unknown_one() -> None:
    assert refusals({"password": "x"}) == {"password": ["Unknown field."]}


@pytest.mark.parametrize("updating", [False, True])
@pytest.mark.parametrize("value", [1, None, {"zip": {}}, ["a"], "x" * 100])
def test_no_value_tells_a_hidden_field_from_an_unknown_one(value: Any, updating: bool) -> None:
    hidden = refusals({"old_password": value}, updating=updating)
    unknown = refusals({"old_passworx": value}, updating=updating)
    assert str(hidden).replace("old_password", "old_passworx") == str(unknown)


def test_hidden_and_read_only_fields_are_refused_inside_embedded_documents() -> None:
    data = {"address": {"secret": 1, "verified": True, "children": [{"secret": 2}]}}
    assert refusals(data) == {
        "address.secret": ["Unknown field."],
        "address.verified": ["This field is read-only."],
        "address.children.0.secret": ["Unknown field."],
    }


def test_a_read_only_field_of_a_new_instance_is_named_as_such() -> None:
    assert refusals({"created": "2026-01-01"}) == {"created": ["This field is read-only."]}


def test_an_update_may_repeat_the_id_which_stays_in_the_data() -> None:
    data = {"id": "42", "created": None}
    assert sent(data, own_id=42, updating=True).values == {"created": Unchanged(None)}
    assert data == {"id": "42"}


# -- one answer for everything that is wrong


def test_names_types_and_rules_are_refused_in_one_answer() -> None:
    def too_long(shape: Shape, values: Mapping[str, Any]) -> dict[str, Sequence[str]]:
        return {"name": ["Too long."]} if values.get("name") else {}

    with pytest.raises(Invalid) as caught:
        validate(USER, {"name": "x" * 9, "age": "x", "role": 1, "address": {"secret": 1, "zip": "x"}}, too_long)
    assert caught.value.errors == {
        "age": [IntegerKind.expected],
        "role": ["Unknown field."],
        "address.secret": ["Unknown field."],
        "address.zip": [IntegerKind.expected],
        "name": ["Too long."],
    }


@pytest.mark.parametrize(("has_receivers", "times"), [(True, 1), (False, 0)])
def test_the_rules_of_a_body_without_mistakes_are_asked_only_where_receivers_will_hear_of_it(
    has_receivers: bool, times: int
) -> None:
    asked: list[Mapping[str, Any]] = []

    def rules(shape: Shape, values: Mapping[str, Any]) -> dict[str, Sequence[str]]:
        asked.append(values)
        return {}

    validate(USER, {"name": "Ann"}, rules, has_receivers=has_receivers)
    assert asked == [{"name": "Ann"}] * times


# -- read-only values that an update sends back


def test_a_read_only_value_that_is_sent_back_is_taken_out_of_the_data() -> None:
    data = {"name": "Ann", "created": "2026-01-01T00:00:00Z"}
    values = sent(data, updating=True).values
    assert values == {"name": "Ann", "created": Unchanged(datetime(2026, 1, 1))}
    assert data == {"name": "Ann"}


@pytest.mark.parametrize(
    ("data", "values"),
    [
        ({"address": {"verified": True}}, {"address": {"verified": Unchanged(True)}}),
        (
            {"addresses": [{"zip": 1}, {"children": [{"verified": None}]}]},
            {"addresses": [{"zip": 1}, {"children": [{"verified": Unchanged(None)}]}]},
        ),
        (
            {"thing": {"@type": "Address", "verified": False, "zip": 1}},
            {"thing": {"@type": "Address", "verified": Unchanged(False), "zip": 1}},
        ),
    ],
)
def test_it_is_taken_out_at_any_depth_and_stands_at_its_place(data: dict[str, Any], values: dict[str, Any]) -> None:
    found = sent(data, updating=True)
    assert found.values == values
    assert "verified" not in str(data)
    assert found.final_values(data) == values


BOX: Shape = Shape(
    "Box",
    object,
    {
        "homes": Field("homes", MapKind(Field("", EmbeddedKind(lambda: ADDRESS)))),
        "sealed": Field("sealed", ListKind(Field("", EmbeddedKind(lambda: ADDRESS))), read_only=True),
        "labels": Field("labels", MapKind(), read_only=True),
        "phone": Field("phone", EmbeddedKind(lambda: PHONE), read_only=True),
    },
)


def test_it_is_taken_out_of_the_entries_of_a_map() -> None:
    data = {"homes": {"a": {"verified": True, "zip": 1}}}
    values = validate(BOX, data, no_rules, updating=True).values
    assert values == {"homes": {"a": {"verified": Unchanged(True), "zip": 1}}}
    assert data == {"homes": {"a": {"zip": 1}}}


def test_a_read_only_list_map_or_document_is_one_value_whatever_is_read_only_in_it() -> None:
    data = {"sealed": [{"verified": True}], "labels": {"a": [1]}, "phone": {"digits": "1"}}
    whole = {name: Unchanged(value) for name, value in data.items()}
    assert validate(BOX, data, no_rules, updating=True).values == whole
    assert data == {}


def test_a_read_only_value_of_the_wrong_type_is_refused_and_nothing_is_taken_out() -> None:
    data = {"created": "soon", "address": {"verified": True}}
    assert refusals(data, updating=True) == {"created": [DateTimeKind.expected]}
    assert data == {"created": "soon", "address": {"verified": True}}


def test_a_hidden_name_inside_a_read_only_value_is_unknown() -> None:
    with pytest.raises(Invalid) as caught:
        validate(BOX, {"sealed": [{"secret": "x"}]}, no_rules, updating=True)
    assert caught.value.errors == {"sealed.0.secret": ["Unknown field."]}


def test_what_was_taken_out_goes_with_its_document_where_a_receiver_moves_it() -> None:
    data: dict[str, Any] = {"addresses": [{"zip": 1, "verified": True}, {"zip": 2, "verified": False}]}
    found = sent(data, updating=True)
    data["addresses"].reverse()
    data["addresses"].insert(0, {"zip": 3})
    assert found.final_values(data)["addresses"] == [
        {"zip": 3},
        {"zip": 2, "verified": Unchanged(False)},
        {"zip": 1, "verified": Unchanged(True)},
    ]


def test_it_is_forgotten_with_a_document_that_a_receiver_replaced() -> None:
    data: dict[str, Any] = {"address": {"verified": True}, "created": None}
    found = sent(data, updating=True)
    data["address"] = {"zip": 1}
    assert found.final_values(data) == {"address": {"zip": 1}, "created": Unchanged(None)}
    assert found.final_values({"name": "Ann"}) == {"name": "Ann"}


def test_what_a_receiver_filled_in_wins() -> None:
    data: dict[str, Any] = {"address": {"verified": True}, "created": None}
    found = sent(data, updating=True)
    data["address"]["verified"], data["created"] = False, "2026-01-01"
    assert found.final_values(data) == {"address": {"verified": False}, "created": datetime(2026, 1, 1)}


# -- what receivers left


def test_values_are_those_of_the_named_fields_and_no_others() -> None:
    data = {"name": "Ann", "balance": "1.5", "address": {"zip": 7}, "boss": None}
    assert final_values(USER, data) == {"name": "Ann", "balance": Decimal("1.5"), "address": {"zip": 7}, "boss": None}


def test_every_mistake_is_named_at_once() -> None:
    data = {"age": "12", "role": "x", "_cls": "Admin", "address": {"zip": True, "street": 1}}
    assert errors(data) == {
        "age": [IntegerKind.expected],
        "role": ["Unknown field."],
        "_cls": ["Unknown field."],
        "address.zip": [IntegerKind.expected],
        "address.street": [StringKind.expected],
    }


def test_what_a_receiver_filled_in_is_read_also_in_hidden_and_read_only_fields() -> None:
    data = {"password": "x", "address": {"verified": True}}
    assert final_values(USER, data) == data


def test_what_a_receiver_nested_without_end_is_refused() -> None:
    data: dict[str, Any] = {}
    data["meta"] = data
    with pytest.raises(Invalid) as refusal:
        final_values(USER, data)
    assert "Must not nest deeper than 32 levels." in str(refusal.value.errors)


@pytest.mark.parametrize("given_id", ["42", 42])
def test_an_update_may_repeat_the_id_which_is_left_out(given_id: Any) -> None:
    assert final_values(ORDER, {"id": given_id, "total": 1}, own_id=42, updating=True) == {"total": Decimal(1)}


@pytest.mark.parametrize("given_id", ["44", "x", 42.0, None, True, {}])
def test_an_update_cannot_change_the_id(given_id: Any) -> None:
    assert errors({"id": given_id, "age": "x"}, own_id=42, updating=True) == {
        "id": ["This field cannot change."],
        "age": [IntegerKind.expected],
    }


def test_an_id_is_left_to_compare_where_it_is_not_known_what_it_is() -> None:
    assert final_values(ORDER, {"id": "42", "total": 1}, updating=True) == {"id": 42, "total": Decimal(1)}


def test_an_id_cannot_be_unset_where_it_is_not_known_what_it_is() -> None:
    assert errors({"id": None}, updating=True) == {"id": ["This field cannot change."]}


@pytest.mark.parametrize("code", ["", ".", ".."])
def test_an_id_that_no_url_can_name_is_refused(code: str) -> None:
    with pytest.raises(Invalid) as caught:
        final_values(CITY, {"code": code})
    assert caught.value.errors == {"code": ["This id cannot stand in a URL."]}


def test_a_number_as_id_is_read_from_the_text_in_which_it_is_shown() -> None:
    assert final_values(ORDER, {"id": "7"}) == {"id": 7}


def test_a_number_as_id_of_another_name_is_shown_and_read_as_a_number() -> None:
    number = Field("number", IntegerKind())
    crate = Shape("Crate", object, {"number": number}, pk=number, url_id=number)
    assert final_values(crate, {"number": 7}) == {"number": 7}
    with pytest.raises(Invalid):
        final_values(crate, {"number": "7"})


names = st.sampled_from([*USER.fields, "street", "zip", "city", "key", "@type", "_cls", "$set", "a.b"]) | st.text()
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["42", "2026-01-01T00:00:00Z", "Phone", "City", "Point"])
)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4))


@given(st.dictionaries(names, values | st.binary() | st.decimals() | st.datetimes() | st.uuids(), max_size=6))
def test_whatever_a_receiver_leaves_is_read_or_refused(data: dict[str, Any]) -> None:
    try:
        final_values(USER, data)
    except BadRequest as error:
        dumps(error.problem())
