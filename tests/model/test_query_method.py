"""The body of a QUERY is read as the query string that asks for the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bzz.errors import BadRequest
from bzz.model.query import read_list_query
from bzz.model.query_method import equivalent_query
from bzz.shape import Field, Shape
from bzz.shape.scalars import IntegerKind, StringKind

SHAPE = Shape(
    "Reed",
    object,
    {
        "name": Field("name", StringKind()),
        "length": Field("length", IntegerKind()),
        "secret": Field("secret", StringKind(), hidden=True),
    },
)

REFUSED: list[tuple[Any, str]] = [
    ([], "The body must be a JSON object."),
    ({"length": 3}, "Unknown parameter or field: 'length'."),
    ({"filter": {}}, "The parameter 'filter' cannot be read. Must be an object with at least one condition."),
    ({"filter": []}, "The parameter 'filter' cannot be read. Must be an object with at least one condition."),
    ({"filter": {"secret": "x"}}, "Unknown parameter or field: 'filter.secret'."),
    ({"filter": {"nothing": "x"}}, "Unknown parameter or field: 'filter.nothing'."),
    ({"filter": {"or": [{"length": 1}, {"secret": {"startswith": "x"}}]}},
     "Unknown parameter or field: 'filter.or[1].secret'."),
    ({"filter": {"not": {"length": {"contains": 1}}}}, "Unknown parameter or field: 'filter.not.length.contains'."),
    ({"filter": {"or": [{"length": 1}, {"length": {"gte": "2"}}]}},
     "The parameter 'filter.or[1].length.gte' cannot be read. Must be an integer within 64 bits."),
    ({"filter": {"length": True}}, "The parameter 'filter.length' cannot be read. Must be an integer within 64 bits."),
    ({"filter": {"or": {}}}, "The parameter 'filter.or' cannot be read. Must be an array of at least one object."),
    ({"filter": {"and": []}}, "The parameter 'filter.and' cannot be read. Must be an array of at least one object."),
    ({"filter": {"or": [{}]}},
     "The parameter 'filter.or[0]' cannot be read. Must be an object with at least one condition."),
    ({"filter": {"length": {}}},
     "The parameter 'filter.length' cannot be read. Must be a value, or an object of operators such as gte."),
    ({"filter": {"length": {"in": 3}}},
     "The parameter 'filter.length.in' cannot be read. Must be an array of 0 to 100 values."),
    ({"filter": {"length": {"in": [None]}}},
     "The parameter 'filter.length.in' cannot be read. Must not be null; exists asks whether there is a value."),
    ({"filter": {"length": {"exists": 1}}},
     "The parameter 'filter.length.exists' cannot be read. Must be true or false."),
    ({"filter": {"name": {"contains": "\0"}}},
     "The parameter 'filter.name.contains' cannot be read."
     " Must be a text of at most 1000 characters, none of them NUL."),
    ({"sort": ["secret"]}, "Unknown parameter or field: 'secret'."),
    ({"sort": ["name,length"]}, "Unknown parameter or field: 'name,length'."),
    ({"sort": 3},
     "The parameter 'sort' cannot be read. Must be an array of names, or a text with commas between them."),
    ({"page": "2"}, "The parameter 'page' cannot be read. Must be a number."),
    ({"page": 0}, "The parameter 'page' cannot be read. Must be a number from 1 to 999999999."),
    ({"q": 7}, "The parameter 'q' cannot be read. Must be a text."),
]  # fmt: skip


@pytest.mark.parametrize(("body", "told"), REFUSED, ids=str)
def test_what_cannot_be_asked_is_named_by_its_place(body: Any, told: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_list_query(
            SHAPE, equivalent_query("application/json", json.dumps(body).encode()), per_page=9, max_per_page=9
        )
    assert caught.value.detail == told


@pytest.mark.parametrize(
    ("value", "text"),
    [("a b", "near=a+b"), (3, "near=3"), (1.5, "near=1.5"), (True, "near=true"), (False, "near=false")],
)
def test_a_parameter_of_the_application_is_written_as_a_query_string_has_it(value: Any, text: str) -> None:
    assert equivalent_query("application/json", json.dumps({"near": value}).encode(), ["near"]) == text


@pytest.mark.parametrize("value", [None, [], {}, [1]])
def test_a_parameter_of_the_application_is_one_value(value: Any) -> None:
    with pytest.raises(BadRequest):
        equivalent_query("application/json", json.dumps({"near": value}).encode(), ["near"])
