"""Trees of conditions are read exactly, and within limits."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.errors import BadRequest
from bzz.model.query import read_list_query
from bzz.providers.base import AllOf, AnyOf, Filter, ListQuery, Not
from bzz.shape import Field, Shape
from bzz.shape.scalars import IntegerKind, StringKind

SHAPE = Shape(
    "Reed",
    object,
    {
        "name": Field("name", StringKind()),
        "age": Field("age", IntegerKind()),
        "or": Field("or", IntegerKind()),
        "filter": Field("filter", StringKind()),
    },
)


def read(query: str) -> ListQuery:
    return read_list_query(SHAPE, query, per_page=20, max_per_page=100)


def tree(value: Any) -> ListQuery:
    return read(urlencode({"filter": json.dumps(value)}))


def encoded(name: str, text: str) -> str:
    """Return a condition as it stands in ``or``."""
    return f"{quote(name, safe='')}={quote(text, safe='')}"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_or_takes_any_text_and_gives_it_back(texts: list[str]) -> None:
    (found,) = read(urlencode({"or": "|".join(encoded("name", each) for each in texts)})).filters
    assert isinstance(found, AnyOf)
    assert [each.any_of[0].value for each in found.of if isinstance(each, Filter)] == texts


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_filter_takes_any_text_and_gives_it_back(text: str) -> None:
    (found,) = tree({"name": text}).filters
    assert isinstance(found, Filter)
    assert found.any_of[0].value == text


def test_an_object_means_all_of_its_conditions() -> None:
    found = tree({"age": {"gte": 1, "lt": 9}, "and": [{"name": "a"}, {"name": "b"}]}).filters
    assert [(each.path, each.any_of[0].operator) for each in found if isinstance(each, Filter)] == [
        ("name", "eq"),
        ("name", "eq"),
        ("age", "gte"),
        ("age", "lt"),
    ]


def test_the_words_combine() -> None:
    (found,) = tree({"not": {"or": [{"age": 1}, {"age": 2, "name": "a"}]}}).filters
    assert isinstance(found, Not)
    assert isinstance(found.of, AnyOf)
    assert [type(each) for each in found.of.of] == [Filter, AllOf]


@pytest.mark.parametrize("query", ["or__eq=3", "filter=" + quote('{"or__eq": 3}'), "or=or__eq=3"])
def test_a_field_that_is_called_as_a_word_is_asked_for_with_its_operator(query: str) -> None:
    (found,) = read(query).filters
    leaf = found.of[0] if isinstance(found, AnyOf) else found
    assert isinstance(leaf, Filter)
    assert (leaf.path, leaf.any_of[0].value) == ("or", 3)


def nested(levels: int) -> dict[str, Any]:
    return {"not": nested(levels - 1)} if levels > 1 else {"age": 1}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("or=age", "The parameter 'or' cannot be read. Must be conditions such as age__gte=18, parted by |."),
        ("or=age=1|", "The parameter 'or' cannot be read. Must be conditions such as age__gte=18, parted by |."),
        ("or=nothing=1", "Unknown parameter or field: 'nothing'."),
        ("or=age=x", "The parameter 'age' cannot be read. Must be an integer within 64 bits."),
        (
            "or=name=100%25",
            "The parameter 'or' cannot be read. Write %25 for a percent sign and %7C for a | in a condition, before it"
            " is encoded.",
        ),
        ("or=name=%25FF", "The parameter 'or' cannot be read. A condition is not valid UTF-8."),
        ("or=" + "|".join(["age=1"] * 101), "The parameter 'or' cannot be read. Must be at most 100 conditions."),
        ("&".join(["or=" + "|".join(["age=1"] * 51)] * 2), "There are more than 100 conditions in or and filter."),
        ("&".join(["or=age=1"] * 33), "There are more than 32 filters."),
        ("filter=", "The parameter 'filter' cannot be read. Must be a JSON object, nested at most 8 levels."),
        ("filter=[]", "The parameter 'filter' cannot be read. Must be an object with at least one condition."),
        (
            "filter=" + "[" * 9999,
            "The parameter 'filter' cannot be read. Must be a JSON object, nested at most 8 levels.",
        ),
        (
            urlencode({"filter": json.dumps({"or": [{"age": 1}] * 101})}),
            "There are more than 100 conditions in or and filter.",
        ),
        (
            urlencode({"filter": json.dumps({"or": [{"name": {"contains": "x"}}] * 17})}),
            "There are more than 16 conditions on parts of text in or and filter.",
        ),
        (
            urlencode({"filter": json.dumps({"or": [{"nothing": 1}] * 999})}),
            "There are more than 100 conditions in or and filter.",
        ),
        (
            urlencode({"filter": json.dumps({"age": {"in": [1] * 101}})}),
            "The parameter 'filter.age.in' cannot be read. Must be an array of 0 to 100 values.",
        ),
        (
            urlencode({"filter": json.dumps(nested(9))}),
            f"The parameter 'filter{'.not' * 8}' cannot be read. Must not nest deeper than 8 levels.",
        ),
    ],
)
def test_what_cannot_be_read_is_named(query: str, told: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(query)
    assert caught.value.detail == told


def test_eight_levels_are_read() -> None:
    assert tree(nested(8)).filters


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["and", "or", "not", "name", "age", "in", "gte", "name__in", "age[]", "age[].x", "exists", "x.y"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused(value: Any) -> None:
    with contextlib.suppress(BadRequest):
        tree(value)
