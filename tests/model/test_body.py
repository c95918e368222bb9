"""How bodies are decoded, and links read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.codec import dumps
from bzz.errors import BadRequest, Invalid, UnsupportedMediaType
from bzz.model.body import MAX_LINKS, decode, read_links
from bzz.model.validation import validate

from . import USER, no_rules

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def form(text: str) -> dict[str, Any]:
    return decode(USER, FORM, text.encode())


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
        (
            "age=&active=&balance=&seen=&boss=&name=",
            {"age": None, "active": None, "balance": None, "seen": None, "boss": None, "name": ""},
        ),
        ("active=on", {"active": True}),
        ("age=on&name=on", {"age": "on", "name": "on"}),
        ("tags[]=", {"tags": []}),
        ("tags=", {"tags": []}),
        ("tags[]=&tags[]=a", {"tags": ["a"]}),
        ("ranks[]=", {"ranks": []}),
        ("address=", {"address": None}),
        ("unknown=", {"unknown": ""}),
        ("notes=", {"notes": ""}),
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
            read_links(USER.fields["friends"], data)
            sent = validate(USER, data, no_rules, own_id=42, updating=updating, has_receivers=True)
            sent.final_values(data)
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


MULTIPART = "multipart/form-data; boundary=X"


def in_parts(*given: tuple[str, str]) -> bytes:
    texts = (f"--X\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in given)
    return ("".join(texts) + "--X--\r\n").encode()


def test_a_form_in_parts_is_read_as_any_other() -> None:
    body = in_parts(
        ('name="name"', "Ann & Bob=é"), ('name="age"', "3"), ('name="tags[]"', "a"), ('name="address.zip"', "")
    )
    assert decode(USER, MULTIPART, body) == {
        "name": "Ann & Bob=é", "age": 3, "tags": ["a"], "address": {"zip": None}
    }  # fmt: skip


def test_a_media_type_is_read_whatever_its_case() -> None:
    assert decode(USER, "Multipart/Form-Data; boundary=X", in_parts(('name="age"', "3"))) == {"age": 3}


def test_a_file_in_a_form_is_unsupported_and_named() -> None:
    body = in_parts(('name="name"', "Ann"), ('name="photo"; filename="a.png"', "x"))
    with pytest.raises(UnsupportedMediaType, match="Files are not taken: 'photo' holds one"):
        decode(USER, MULTIPART, body)


def test_an_empty_input_for_a_file_is_an_empty_input() -> None:
    body = in_parts(('name="name"', "Ann"), ('name="age"; filename=""', ""))
    assert decode(USER, MULTIPART, body) == {"name": "Ann", "age": None}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", in_parts(('name="name"', "Ann"))),
        (MULTIPART, b"name=Ann"),
        (MULTIPART, in_parts(*[('name="tags[]"', "a")] * 1001)),
        (MULTIPART, in_parts(('name="name"', "Ann")).replace(b"Ann", b"\xff")),
        (MULTIPART, in_parts(("", "Ann"))),
    ],
    ids=["no boundary", "no parts", "too many", "no UTF-8", "no name"],
)
def test_a_form_in_parts_that_cannot_be_read_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(BadRequest):
        decode(USER, content_type, body)
