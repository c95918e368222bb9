"""How the path of a URL is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.errors import NotFound
from bzz.model.path import MAX_STEPS, read_path

from . import CITY, USER


@pytest.mark.parametrize("rest", ["", "/"])
def test_nothing_after_the_name_is_the_whole_list(rest: str) -> None:
    path = read_path(USER, "user", rest)
    assert path.arguments == ["user"]
    assert path.last.is_list


@pytest.mark.parametrize(
    ("rest", "arguments", "keys"),
    [
        ("42", ["user/42"], [42]),
        ("/42/", ["user/42"], [42]),
        ("42/friends", ["user/42", "friends"], [42, None]),
        ("42/friends/8/boss/friends/6", ["user/42", "friends/8", "boss", "friends/6"], [42, 8, None, 6]),
        ("42/boss/8", ["user/42", "boss/8"], [42, 8]),
        ("42/boss/8/boss", ["user/42", "boss/8", "boss"], [42, 8, None]),
        ("42/home/GIG/mayor", ["user/42", "home/GIG", "mayor"], [42, "GIG", None]),
        ("42/home/a%2Fb%20c", ["user/42", "home/a/b c"], [42, "a/b c"]),
        ("42/home/%C3%A9", ["user/42", "home/\u00e9"], [42, "\u00e9"]),
        ("42/orders/7", ["user/42", "orders/7"], [42, 7]),
        ("42/address", ["user/42", "address"], [42, None]),
        ("42/address/city", ["user/42", "address", "city"], [42, None, None]),
        ("42/addresses/0/children/12", ["user/42", "addresses/0", "children/12"], [42, 0, 12]),
        ("42/phones/work", ["user/42", "phones/work"], [42, "work"]),
        ("42/phone/work", ["user/42", "phone/work"], [42, "work"]),
    ],
)
def test_a_path_leads_through_lists_and_single_properties(rest: str, arguments: list[str], keys: list[object]) -> None:
    path = read_path(USER, "user", rest)
    assert path.arguments == arguments
    assert [step.key for step in path.steps] == keys


def test_after_a_single_property_the_name_of_a_field_comes_before_an_id() -> None:
    assert read_path(USER, "user", "2/home/mayor").arguments == ["user/2", "home", "mayor"]


@pytest.mark.parametrize(
    "rest",
    [
        "//",
        "42//friends",
        "/42//",
        "41",  # no id
        "042",
        "9" * 5000,
        "%zz",
        "4%",
        "%FF",
        "%ED%A0%80",  # a lone surrogate
        "\ud800",
        "42/name",  # a scalar
        "42/nothing",
        "42/enemy",  # hidden
        "42/tags",
        "42/tags/0",
        "42/grid/0",
        "42/thing",
        "42/link",
        "42/meta/a",
        "42/friends/boss",
        "42/address/street",
        "42/address/0",
        "42/addresses/-1",
        "42/addresses/01",
        "42/addresses/1.0",
        "42/addresses/\u0663",
        "42/addresses/1234567890",
        "42/home/GIG/SDU",
        "$where",
        "..",
    ],
)
def test_what_leads_nowhere_is_not_found_in_the_same_words(rest: str) -> None:
    with pytest.raises(NotFound, match=r"^There is nothing at this address\.$"):
        read_path(USER, "user", rest)


@pytest.mark.parametrize("rest", ["//", "GIG//", "//mayor", "%zz", "GIG%", "%ED%A0%80", "\ud800"])
def test_a_malformed_id_is_not_found_where_any_text_may_be_one(rest: str) -> None:
    with pytest.raises(NotFound):
        read_path(CITY, "city", rest)


def test_a_path_has_a_limit_of_depth() -> None:
    deepest = "42" + "/boss" * (MAX_STEPS - 1)
    assert len(read_path(USER, "user", deepest).steps) == MAX_STEPS
    with pytest.raises(NotFound):
        read_path(USER, "user", deepest + "/boss")


segments = st.sampled_from([*USER.fields, "42", "0", "work", "city", "children", "mayor", "", "%", "%2F", "%00"])


@given(st.one_of(st.text(alphabet=st.characters()), st.lists(segments | st.text()).map("/".join)))
def test_any_path_is_read_or_not_found(rest: str) -> None:
    try:
        path = read_path(USER, "user", rest)
    except NotFound:
        return
    assert path.steps[0].shape is USER
