"""How the query string of a list or an item is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.codec import dumps
from bzz.errors import BadRequest
from bzz.model.query import check_item_query, project, read_facets, read_fields, read_list_query
from bzz.providers.asked import filters_in
from bzz.providers.base import ListQuery
from bzz.shape import Field, Shape
from bzz.shape.containers import ListKind
from bzz.shape.scalars import IntegerKind, StringKind

from . import USER


def read(query: str) -> ListQuery:
    return read_list_query(USER, query, per_page=20, max_per_page=100)


def conditions(query: str) -> list[list[tuple[str, str, Any]]]:
    """Every filter as a list of (path, operator, value)."""
    return [[(each.path, one.operator, one.value) for one in each.any_of] for each in filters_in(read(query).filters)]


def refusal(query: str) -> str:
    """The body of the problem that answers ``query``."""
    with pytest.raises(BadRequest) as caught:
        read(query)
    return json.dumps(caught.value.problem())


def test_no_parameters_ask_for_the_first_page() -> None:
    assert read("") == ListQuery(page=1, per_page=20)


def test_pages_are_numbered_and_their_size_has_a_maximum() -> None:
    query = read("page=3&per_page=999999999")
    assert (query.page, query.per_page) == (3, 100)


@pytest.mark.parametrize("number", ["", "0", "-1", "01", "1.0", "x", "1e3", "9" * 10, "9" * 5000, "%D9%A3", "+1"])
@pytest.mark.parametrize("name", ["page", "per_page"])
def test_a_page_or_size_that_is_no_number_of_at_least_one_is_refused(name: str, number: str) -> None:
    assert repr(name) in refusal(f"{name}={number}")


@pytest.mark.parametrize("query", ["page=1&after=x", "page=1&before=x", "after=x&before=y"])
def test_a_page_and_the_cursors_exclude_each_other(query: str) -> None:
    assert "only one" in refusal(query)


@pytest.mark.parametrize("name", ["page", "per_page", "sort", "fields", "after", "before"])
def test_a_parameter_of_one_value_is_not_repeated(name: str) -> None:
    assert repr(name) in refusal(f"{name}=1&{name}=1")


def test_a_cursor_is_handed_on_as_it_came() -> None:
    assert read("after=a%2Bb").after == "a+b"
    assert read("before=x&per_page=2").before == "x"
    assert "'after'" in refusal("after=")


def test_sort_keys_keep_their_order() -> None:
    keys = read("sort=-age,address.zip").sort
    assert [(key.path, key.descending) for key in keys] == [("age", True), ("address.zip", False)]


@pytest.mark.parametrize(
    "name", ["", "-", "--age", "nothing", "password", "tags", "address", "addresses.zip", "meta", "meta.a", "age."]
)
def test_only_single_values_of_visible_fields_outside_lists_are_sorted_by(name: str) -> None:
    assert f"Unknown parameter or field: {name.removeprefix('-')!r}." in refusal(f"sort={name}")


def test_sort_keys_are_few_and_different() -> None:
    assert "twice" in refusal("sort=age,-age")
    assert "at most" in refusal("sort=" + ",".join(["age"] * 9))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("age=3", [[("age", "eq", 3)]]),
        ("age=3&age=4", [[("age", "eq", 3), ("age", "eq", 4)]]),
        ("age__gte=18&age__lt=65", [[("age", "gte", 18)], [("age", "lt", 65)]]),
        ("age__ne=3", [[("age", "ne", 3)]]),
        ("age__ne=3&age__ne=4", [[("age", "nin", [3, 4])]]),
        ("age__in=3,4&age__in=5", [[("age", "in", [3, 4, 5])]]),
        ("age__nin=3&age__nin=4", [[("age", "nin", [3, 4])]]),
        ("address.street=Rio+Branco", [[("address.street", "eq", "Rio Branco")]]),
        ("addresses.zip__gt=1", [[("addresses.zip", "gt", 1)]]),
        ("name__icontains=a%5Eb", [[("name", "icontains", "a^b")]]),
        ("name=", [[("name", "eq", "")]]),
        ("name", [[("name", "eq", "")]]),
        ("tags__startswith=a", [[("tags", "startswith", "a")]]),
        ("ranks=3", [[("ranks", "eq", 3)]]),
        ("friends__in=2,4", [[("friends", "in", [2, 4])]]),
        ("boss=8", [[("boss", "eq", 8)]]),
        ("address__exists=false", [[("address", "exists", False)]]),
        ("meta__exists=true", [[("meta", "exists", True)]]),
        ("tags[]=a&tags[]=b", [[("tags", "eq", "a"), ("tags", "eq", "b")]]),
        ("meta.a=1", [[("meta.a", "eq", "1"), ("meta.a", "eq", 1)]]),
        ("meta.a.b__ne=x", [[("meta.a.b", "ne", "x")]]),
        ("notes__in=1,x", [[("notes", "in", ["1", 1, "x"])]]),
        ("seen__lt=2026-01-01T00:00:00Z", [[("seen", "lt", datetime(2026, 1, 1))]]),
        ("page__eq=3", [[("page", "eq", 3)]]),
    ],
)
def test_filters_are_read_by_the_type_of_their_field(query: str, expected: list[Any]) -> None:
    assert conditions(query) == expected


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "password",
        "password__exists",
        "password__startswith",
        "address.secret",
        "address.secret__gt",
        "address.",
        "address..zip",
        ".age",
        "boss.boss.name",
        "$where",
        "age[$ne]",
        "age.$ne",
        "age__$ne",
        "__proto__",
        "__class__",
        "_cls",
        "age__",
        "__gt",
        "__",
        "",
        "age__regex",
        "age__contains",
        "age__EQ",
        "age__gt__gt",
        "active__gt",
        "photo__lt",
        "ranks__gt",
        "ranks__contains",
        "meta",
        "meta.",
        "meta.a__gt",
        "notes__gt",
        "where__ne",
        "grid",
        "bag__gte",
        "address",
        "addresses__ne",
        "a\0b",
        "address" + ".children" * 5000,
        "addresses" + ".children" * 40 + ".zip",
    ],
)
@pytest.mark.parametrize("value", ["1", "x"])
def test_whatever_cannot_be_asked_for_is_refused_in_the_same_words(name: str, value: str) -> None:
    expected = BadRequest(f"Unknown parameter or field: {name!r}.").problem()
    assert refusal(f"{quote(name)}={value}") == json.dumps(expected)


names = st.sampled_from(["eq", "gt", "in", "exists", "contains", "regex", ""])


@given(names, st.text(max_size=5), st.booleans())
def test_a_hidden_field_is_answered_as_one_that_does_not_exist(operator: str, value: str, repeated: bool) -> None:
    answers = []
    for name in ("password", "passworx"):
        pair = urlencode({f"{name}__{operator}" if operator else name: value})
        answers.append(refusal("&".join([pair] * (1 + repeated))).replace("password", "passworx"))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age", "x"),
        ("age", ""),
        ("age__gt", "9223372036854775808"),
        ("age", "9" * 5000),
        ("age__in", "1,x"),
        ("ranks", "x"),
        ("height", "nan"),
        ("seen__gte", "yesterday"),
        ("active", "yes"),
        ("boss", "41"),
        ("name__exists", "1"),
        ("name__contains", "a%00"),
        ("name__contains", "a" * 1001),
        ("age__in", ",".join(["1"] * 101)),
    ],
)
def test_a_value_that_does_not_fit_its_field_names_the_parameter(name: str, value: str) -> None:
    assert f"The parameter {name!r} cannot be read." in refusal(f"{name}={value}")


@pytest.mark.parametrize("query", ["name=%FF", "name=%ED%A0%80", "%ED%A0%80=1", "name=%zz", "name=50%", "after=\ud800"])
def test_a_malformed_encoding_is_refused(query: str) -> None:
    assert "Bad Request" in refusal(query)


def test_filters_are_counted() -> None:
    (found,) = filters_in(read("&".join(["age=1"] * 32 + ["page=2", "sort=age"])).filters)
    assert len(found.any_of) == 32
    assert "32 filters" in refusal("&".join(["age=1"] * 33))
    assert "more than" in refusal("&" * 100_000)


parameters = st.tuples(
    st.sampled_from(["page", "per_page", "sort", "fields", "after", "before", *USER.fields]) | st.text(),
    st.sampled_from(["", "__eq", "__in", "__nin", "__exists", "__contains", ".zip", "[]", "__"]),
    st.text() | st.integers().map(str) | st.sampled_from([*USER.fields]),
)


@given(
    st.one_of(
        st.text(alphabet=st.characters()),
        st.lists(parameters, max_size=5).map(lambda many: urlencode([(name + end, text) for name, end, text in many])),
    )
)
def test_any_query_string_is_read_or_a_bad_request(query: str) -> None:
    for reader in (read, lambda text: read_fields(USER, text), lambda text: check_item_query(USER, text)):
        try:
            reader(query)
        except BadRequest as error:
            dumps(error.problem())


def test_fields_are_named_by_their_dotted_paths() -> None:
    assert read_fields(USER, "fields=name,address.street,name&age=3") == ("name", "address.street")
    assert read_fields(USER, "age=3") is None


@pytest.mark.parametrize("name", ["", "nothing", "password", "address.secret", "address.", "boss.name", "meta."])
def test_fields_that_are_not_visible_are_refused_in_the_same_words(name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_fields(USER, f"fields=age,{name}")
    assert caught.value.detail == f"Unknown parameter or field: {name!r}."


def test_fields_are_counted() -> None:
    paths = ",".join("address" + ".children" * (1 + n % 20) + f".{n}" for n in range(101))
    with pytest.raises(BadRequest, match="at most 100"):
        read_fields(USER, f"fields={paths}")


@pytest.mark.parametrize(("name", "reader"), [("fields", read_fields), ("facets", read_facets)])
def test_names_that_are_repeated_are_counted_too(name: str, reader: Callable[[Shape, str], object]) -> None:
    with pytest.raises(BadRequest, match="at most"):
        reader(USER, f"{name}={','.join(['age'] * 101)}")


def test_one_item_takes_fields_and_nothing_else() -> None:
    assert check_item_query(USER, "fields=age") == ("age",)
    assert check_item_query(USER, "") is None


@pytest.mark.parametrize("name", ["page", "sort", "after", "age", "password", "nothing"])
def test_one_item_refuses_the_parameters_of_lists(name: str) -> None:
    with pytest.raises(BadRequest, match=f"Unknown parameter or field: '{name}'"):
        check_item_query(USER, f"fields=age&{name}=1")


def test_a_projection_keeps_the_named_paths_and_the_id() -> None:
    shown = {
        "id": "7",
        "name": "Ann",
        "address": {"zip": 1, "street": "x"},
        "addresses": [{"zip": 1, "street": "x"}, {"zip": 2, "street": "y"}],
        "phone": None,
    }
    assert project(shown, ("address.zip", "addresses.street", "phone.digits")) == {
        "id": "7",
        "address": {"zip": 1},
        "addresses": [{"street": "x"}, {"street": "y"}],
        "phone": None,
    }


def test_a_projection_of_a_whole_and_of_its_part_keeps_the_whole() -> None:
    assert project({"a": {"b": 1, "c": 2}}, ("a.b", "a")) == {"a": {"b": 1, "c": 2}}


STATUS = Field("status", StringKind(), choices=("open", "solved"))
TICKET = Shape(
    "Ticket",
    object,
    {
        "status": STATUS,
        "level": Field("level", IntegerKind(), choices=(1, 2)),
        "colours": Field("colours", ListKind(Field("", StringKind(), choices=("red", "blue")))),
        "sizes": Field("sizes", ListKind(Field("", StringKind())), choices=("s", "l")),
        "code": Field("code", IntegerKind(), choices=tuple(range(100))),
    },
)


@pytest.mark.parametrize(
    "query",
    [
        "status=bogus",
        "status__ne=bogus",
        "status__in=open,bogus",
        "status__nin=bogus",
        "status=open&status=bogus",
        "level=3",
        "colours=green",
        "colours__in=red,green",
        "sizes=m",
    ],
)
def test_a_value_that_is_none_of_a_fields_choices_is_refused(query: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_list_query(TICKET, query, per_page=20, max_per_page=100)
    assert repr(query.partition("=")[0]) in caught.value.detail
    assert "Must be one of: " in caught.value.detail


@pytest.mark.parametrize(
    "query",
    [
        "status=open",
        "status__in=open,solved",
        "status__startswith=bog",
        "status__gte=bogus",
        "status__exists=true",
        "level__gt=5",
        "colours=red",
        "sizes=s",
    ],
)
def test_a_choice_is_read_and_so_is_a_part_or_a_bound_of_one(query: str) -> None:
    assert read_list_query(TICKET, query, per_page=20, max_per_page=100).filters


def test_a_long_list_of_choices_is_told_in_part() -> None:
    with pytest.raises(BadRequest) as caught:
        read_list_query(TICKET, "code=100", per_page=20, max_per_page=100)
    assert caught.value.detail.endswith("18, 19, ...")
