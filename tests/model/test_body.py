"""How bodies are decoded and read into values."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.codec import dumps
from bzz.errors import BadRequest, Invalid, UnsupportedMediaType
from bzz.model.body import MAX_LINKS, decode, read_links, read_values
from bzz.model.scalar import EXPECTED
from bzz.shape import Kind

from . import CITY, ORDER, USER

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def form(text: str) -> dict[str, Any]:
    return decode(USER, FORM, text.encode())


def errors(data: dict[str, Any], **options: Any) -> Any:
    with pytest.raises(Invalid) as caught:
        read_values(USER, data, **options)
    return caught.value.errors


@pytest.mark.parametrize("content_type", [JSON, "Application/JSON ; charset=UTF-8", 'application/json;charset="utf8"'])
def test_json_is_decoded_as_it_is(content_type: str) -> None:
    assert decode(USER, content_type, b'{"age": 1, "x": [null]}') == {"age": 1, "x": [None]}


@pytest.mark.parametrize("content_type", [None, ""])
def test_nothing_at_all_is_an_empty_object(content_type: str | None) -> None:
    assert decode(USER, content_type, b"") == {}


@pytest.mark.parametrize(
    "content_type", [None, "", ";", "text/plain", "application/merge-patch+json", "application/json; charset=latin-1"]
)
def test_another_type_is_unsupported(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaType):
        decode(USER, content_type, b"{}")


def test_an_unsupported_type_is_told_which_types_are_read() -> None:
    with pytest.raises(UnsupportedMediaType) as caught:
        decode(USER, "text/plain", b"", merge_patch=True)
    assert "application/merge-patch+json" in caught.value.headers["Accept-Patch"]
    assert caught.value.headers["Accept"].startswith(JSON)


def test_a_merge_patch_is_read_where_it_is_asked_for() -> None:
    assert decode(USER, "application/merge-patch+json", b'{"age": null}', merge_patch=True) == {"age": None}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b"null", b"{", b"[" * 100_000, b'{"age": NaN}', b'{"a": 1e999}', b'{"a": "\\ud800"}', b"\xff"],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        decode(USER, JSON, body)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("name=Ann+Lee%21&age=3", {"name": "Ann Lee!", "age": 3}),
        ("height=1.5&active=true", {"height": 1.5, "active": True}),
        ("age=x&active=yes", {"age": "x", "active": "yes"}),
        ("balance=1.50&seen=2026-01-01&boss=42", {"balance": "1.50", "seen": "2026-01-01", "boss": "42"}),
        ("address.street=Rua&address.zip=7", {"address": {"street": "Rua", "zip": 7}}),
        ("tags%5B%5D=a", {"tags": ["a"]}),
        ("tags=a", {"tags": ["a"]}),
        ("tags=a&tags%5B%5D=b&tags=c", {"tags": ["a", "b", "c"]}),
        ("ranks=1&ranks=2", {"ranks": [1, 2]}),
        ("address.children[]=x", {"address": {"children": ["x"]}}),
        ("unknown[]=x", {"unknown": ["x"]}),
        ("scores.a=3&meta.color=red", {"scores": {"a": 3}, "meta": {"color": "red"}}),
        ("name", {"name": ""}),
        ("", {}),
    ],
)
def test_forms_are_read_as_browsers_write_them(text: str, data: dict[str, Any]) -> None:
    assert form(text) == data


@pytest.mark.parametrize(
    "text",
    [
        "address=1&address.zip=2",
        "address.zip=2&address=1",
        "name=a&name=b",
        "unknown=a&unknown=b",
        "name=%FF",
        "name=%zz",
        "x" + ".x" * 40 + "=1",
        "addresses" + ".children" * 10_000 + "=1",
        "&" * 2000,
    ],
)
def test_a_form_that_contradicts_itself_or_breaks_a_limit_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        form(text)


def test_a_hidden_list_is_no_list_in_a_form() -> None:
    answers = []
    for name in ("old_password", "old_passworx"):
        with pytest.raises(BadRequest) as caught:
            form(f"{name}=a&{name}=b")
        answers.append(caught.value.detail.replace("old_password", "old_passworx"))
    assert answers[0] == answers[1]


def test_values_are_those_of_the_named_fields_and_no_others() -> None:
    data = {"name": "Ann", "balance": "1.5", "address": {"zip": 7}, "boss": None}
    assert read_values(USER, data) == {"name": "Ann", "balance": Decimal("1.5"), "address": {"zip": 7}, "boss": None}


def test_every_mistake_is_named_at_once() -> None:
    data = {"age": "12", "role": "x", "_cls": "Admin", "address": {"zip": True, "street": 1}}
    assert errors(data) == {
        "age": [EXPECTED[Kind.INTEGER]],
        "role": ["Unknown field."],
        "_cls": ["Unknown field."],
        "address.zip": [EXPECTED[Kind.INTEGER]],
        "address.street": [EXPECTED[Kind.STRING]],
    }


def test_what_a_receiver_filled_in_is_read_also_in_hidden_and_read_only_fields() -> None:
    data = {"password": "x", "address": {"verified": True}}
    assert read_values(USER, data) == data


def test_what_a_receiver_nested_without_end_is_refused() -> None:
    data: dict[str, Any] = {}
    data["meta"] = data
    with pytest.raises(Invalid) as refusal:
        read_values(USER, data)
    assert "Must not nest deeper than 32 levels." in str(refusal.value.errors)


@pytest.mark.parametrize("given_id", ["42", 42])
def test_an_update_may_repeat_the_id_which_is_left_out(given_id: Any) -> None:
    assert read_values(ORDER, {"id": given_id, "total": 1}, own_id=42, updating=True) == {"total": Decimal(1)}


@pytest.mark.parametrize("given_id", ["44", "x", 42.0, None, True, {}])
def test_an_update_cannot_change_the_id(given_id: Any) -> None:
    assert errors({"id": given_id, "age": "x"}, own_id=42, updating=True) == {
        "id": ["This field cannot change."],
        "age": [EXPECTED[Kind.INTEGER]],
    }


def test_an_id_is_left_to_compare_where_it_is_not_known_what_it_is() -> None:
    assert read_values(ORDER, {"id": "42", "total": 1}, updating=True) == {"id": 42, "total": Decimal(1)}


def test_an_id_cannot_be_unset_where_it_is_not_known_what_it_is() -> None:
    assert errors({"id": None}, updating=True) == {"id": ["This field cannot change."]}


@pytest.mark.parametrize("code", ["", ".", ".."])
def test_an_id_that_no_url_can_name_is_refused(code: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_values(CITY, {"code": code})
    assert caught.value.errors == {"code": ["This id cannot stand in a URL."]}


def test_a_number_as_id_is_read_from_the_text_in_which_it_is_shown() -> None:
    assert read_values(ORDER, {"id": "7"}) == {"id": 7}


@pytest.mark.parametrize(
    ("name", "ids", "keys"),
    [
        ("friends", ["8", "2", "8"], [8, 2]),
        ("friends", "8", [8]),
        ("orders", [1, "1", "2"], [1, 2]),
        ("boss", "8", [8]),
        ("boss", ["8"], [8]),
        ("home", "GIG", ["GIG"]),
    ],
)
def test_links_are_ids_in_order_and_each_once(name: str, ids: Any, keys: list[Any]) -> None:
    assert read_links(USER.fields[name], {name: ids}) == keys


@pytest.mark.parametrize(
    ("name", "data", "mistakes"),
    [
        ("friends", {}, {"friends"}),
        ("friends", {"friends": []}, {"friends"}),
        ("friends", {"friends": None}, {"friends"}),
        ("friends", {"friends": ["2", None]}, {"friends"}),
        ("friends", {"friends": ["2", "x", {}]}, {"friends.1", "friends.2"}),
        ("friends", {"friends": ["2"], "name": "x"}, {"name"}),
        ("friends", {"friends": ["2"] * (MAX_LINKS + 1)}, {"friends"}),
        ("boss", {"boss": ["2", "4"]}, {"boss"}),
    ],
)
def test_a_body_of_links_holds_ids_and_nothing_else(name: str, data: dict[str, Any], mistakes: set[str]) -> None:
    with pytest.raises(Invalid) as caught:
        read_links(USER.fields[name], data)
    assert set(caught.value.errors or {}) == mistakes


def test_a_read_only_list_takes_no_links() -> None:
    with pytest.raises(Invalid) as caught:
        read_links(replace(USER.fields["friends"], read_only=True), {"friends": ["2"]})
    assert caught.value.errors == {"friends": ["This field is read-only."]}


def test_a_form_of_links_is_decoded_by_the_shape_that_holds_them() -> None:
    assert read_links(USER.fields["friends"], form("friends%5B%5D=2&friends%5B%5D=4")) == [2, 4]


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


def judge(content_type: str, body: bytes) -> None:
    for updating in (False, True):
        try:
            data = decode(USER, content_type, body, merge_patch=True)
            read_values(USER, data, own_id=42, updating=updating)
            read_links(USER.fields["friends"], data)
        except BadRequest as error:
            dumps(error.problem())


@given(st.sampled_from([JSON, FORM, "application/merge-patch+json"]), st.binary())
def test_any_bytes_are_read_or_refused(content_type: str, body: bytes) -> None:
    judge(content_type, body)


@given(st.dictionaries(names, values, max_size=6))
def test_any_json_is_read_or_refused(data: dict[str, Any]) -> None:
    judge(JSON, json.dumps(data).encode())


@given(st.lists(st.tuples(names, st.sampled_from(["", "[]", ".zip", ".a.b"]), st.text()), max_size=6))
def test_any_form_is_read_or_refused(fields: list[tuple[str, str, str]]) -> None:
    judge(FORM, urlencode([(name + end, text) for name, end, text in fields]).encode())


@given(st.dictionaries(names, values | st.binary() | st.decimals() | st.datetimes() | st.uuids(), max_size=6))
def test_whatever_a_receiver_leaves_is_read_or_refused(data: dict[str, Any]) -> None:
    try:
        read_values(USER, data)
    except BadRequest as error:
        dumps(error.problem())
