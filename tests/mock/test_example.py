"""Examples made from schemas: they satisfy them, as ``jsonschema`` finds."""

from __future__ import annotations

import logging
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bzz.mock.example import example_of


def is_valid(schema: Any, value: Any) -> bool:
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(value)


PATTERNS = [
    ("^[A-Z]{3}-[0-9]{2,}$", "ABC-123"),
    ("^(?:red|green)$", "green"),
    (r"^\d{4}(-\d{2}){2}$", "2026-01-31"),
    (r"^[^\s@]+@[^\s@]+$", "a@b"),
    ("[xyz]", "axe"),
    (r"^(?=.*\d)(?=.*[a-z]).{8,}$", "abcdefg1"),
    (r"^(a|b)\1+$", "aaa"),
    (r"^\+?[1-9]\d{1,14}$", "+4912345"),
    ("^.*$", "any"),
]


@st.composite
def number_schemas(draw: Any) -> tuple[Any, Any]:
    """A schema of numbers, and a number that satisfies it."""
    whole = draw(st.booleans())
    step = Fraction(draw(st.sampled_from([1, 3, 7])) if whole else draw(st.sampled_from(["0.5", "0.25", "2", "1"])))
    exact = step * draw(st.integers(-40, 40))
    value = int(exact) if whole else float(exact)
    made: dict[str, Any] = {"type": "integer" if whole else draw(st.sampled_from(["number", ["null", "number"]]))}
    if draw(st.booleans()):
        made["multipleOf"] = int(step) if whole else float(step)
    below, above = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    if draw(st.booleans()):
        made["minimum" if below == 0 or draw(st.booleans()) else "exclusiveMinimum"] = value - below
    if draw(st.booleans()):
        made["maximum" if above == 0 or draw(st.booleans()) else "exclusiveMaximum"] = value + above
    return made, value


@st.composite
def text_schemas(draw: Any) -> tuple[Any, Any]:
    """A schema of texts, and a text that satisfies it."""
    made: dict[str, Any] = {"type": "string"}
    pattern, value = draw(st.sampled_from([*PATTERNS, (None, "x" * draw(st.integers(0, 40)))]))
    if pattern is not None:
        made["pattern"] = pattern
    elif draw(st.booleans()):
        made["format"], value = draw(
            st.sampled_from([("email", "a@b.cd"), ("date", "2026-02-01"), ("uri", "https://a/")])
        )
    if draw(st.booleans()):
        made["minLength"] = draw(st.integers(0, len(value)))
    if draw(st.booleans()):
        made["maxLength"] = len(value) + draw(st.integers(0, 5))
    return made, value


@st.composite
def array_schemas(draw: Any, inner: Any) -> tuple[Any, Any]:
    """A schema of arrays, and an array that satisfies it."""
    parts = draw(st.lists(inner, max_size=3))
    value = [each for _, each in parts]
    made: dict[str, Any] = {"type": "array"}
    if parts and draw(st.booleans()):
        made["prefixItems"] = [schema for schema, _ in parts]
        if draw(st.booleans()):
            made["items"] = False
    elif parts:
        item, one = parts[0]
        value = [one] * draw(st.integers(0, 3))
        made["items"] = item
    if value and draw(st.booleans()):
        made["contains"] = {"const": value[0]}
    if is_valid({"uniqueItems": True}, value) and draw(st.booleans()):
        made["uniqueItems"] = True
    if draw(st.booleans()):
        made["minItems"] = draw(st.integers(0, len(value)))
    if draw(st.booleans()):
        made["maxItems"] = len(value) + draw(st.integers(0, 2))
    return made, value


@st.composite
def object_schemas(draw: Any, inner: Any) -> tuple[Any, Any]:
    """A schema of objects, and an object that satisfies it."""
    parts = draw(st.dictionaries(st.sampled_from(["a", "b", "c", "d_1"]), inner, max_size=3))
    value = {name: each for name, (_, each) in parts.items()}
    made: dict[str, Any] = {"properties": {name: schema for name, (schema, _) in parts.items()}}
    if draw(st.booleans()):
        made["type"] = "object"
    if parts and draw(st.booleans()):
        made["required"] = draw(st.lists(st.sampled_from(sorted(parts)), unique=True))
    if draw(st.booleans()):
        made["additionalProperties"] = draw(st.sampled_from([False, True, {"type": "integer"}]))
    if draw(st.booleans()):
        made["minProperties"] = draw(st.integers(0, len(value)))
    if draw(st.booleans()):
        made["maxProperties"] = len(value) + draw(st.integers(0, 1))
    return made, value


@st.composite
def combined_schemas(draw: Any, inner: Any) -> tuple[Any, Any]:
    """A schema with ``allOf``, ``anyOf`` or ``oneOf``, beside other keywords or not, and what satisfies it."""
    (schema, value), (other, _) = draw(inner), draw(inner)
    kind = draw(st.sampled_from(["allOf", "anyOf", "oneOf", "beside", "enum", "const", "not"]))
    if kind == "beside":
        names = draw(st.lists(st.sampled_from(sorted(schema)), unique=True)) if schema else []
        rest = {name: each for name, each in schema.items() if name not in names}
        return {**rest, "allOf": [{name: schema[name] for name in names}]}, value
    if kind == "enum":
        return {**schema, "enum": [7, value, "seven"]}, value
    if kind == "const":
        return {"const": value}, value
    if kind == "not":
        return {**schema, "not": {"const": "string"}}, value
    return {kind: [other, schema] if kind != "allOf" else [schema, {"title": "x"}]}, value


def deeper(inner: Any) -> Any:
    return array_schemas(inner) | object_schemas(inner) | combined_schemas(inner)


SCHEMAS = st.recursive(number_schemas() | text_schemas() | st.just(({"type": "boolean"}, True)), deeper, max_leaves=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(SCHEMAS.filter(lambda pair: is_valid(*pair)))
def test_an_example_satisfies_its_schema(pair: tuple[Any, Any]) -> None:
    schema, _ = pair
    made = example_of(schema)
    assert is_valid(schema, made), made


@pytest.mark.parametrize("name", ["email", "hostname", "iri-reference", "json-pointer", "media-range", "regex", "uri"])
def test_a_text_of_a_format_has_any_length_that_is_asked_for(name: str) -> None:
    shortest = {"email": 6, "media-range": 3, "uri": 3}.get(name, 1)
    for length in range(shortest, 40):
        schema = {"type": "string", "format": name, "minLength": length, "maxLength": length}
        made = example_of(schema)
        assert made is not None, schema
        assert is_valid(schema, made), (schema, made)


@given(SCHEMAS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_example_is_the_same_each_time(pair: tuple[Any, Any]) -> None:
    assert example_of(pair[0]) == example_of(pair[0])


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True}, [0, 1, -1]),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 0}, []),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "uniqueItems": True}, ["a", "b"]),
        ({"prefixItems": [{"type": "string"}, {"const": 7}]}, ["string", 7]),
        ({"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"}, "AA0"),
        ({"type": "string", "minLength": 8}, "stringst"),
        ({"type": "string", "maxLength": 3}, "str"),
        ({"type": "string", "format": "email", "minLength": 22}, "aaasomeone@example.org"),
        ({"type": "integer", "minimum": 5, "maximum": 6}, 5),
        ({"type": "integer", "minimum": 5, "exclusiveMinimum": True}, 6),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "number", "multipleOf": 0.01, "minimum": 0.05}, 0.05),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "string", "nullable": True, "enum": ["x", None]}, "x"),
        ({"allOf": [{"required": ["a"]}], "properties": {"a": {"type": "integer", "minimum": 3}}}, {"a": 3}),
        ({"oneOf": [{"required": ["b"]}], "properties": {"b": {"type": "boolean"}}}, {"b": True}),
        ({"anyOf": [{"minimum": 4}], "type": "integer"}, 4),
        ({"type": "object", "required": ["x"], "additionalProperties": {"type": "integer"}}, {"x": 0}),
        ({"type": "object", "minProperties": 1, "patternProperties": {"^x-": {"const": 1}}}, {"x-": 1}),
        ({"type": "integer", "default": 3, "minimum": 5}, 5),
        ({"type": "string", "example": "longer than that", "maxLength": 4}, "stri"),
        ({"const": None}, None),
        (True, None),
        ({}, None),
    ],
)
def test_an_example_is_plain(schema: Any, expected: Any, caplog: pytest.LogCaptureFixture) -> None:
    made = example_of(schema)
    assert (made, type(made), caplog.text) == (expected, type(expected), "")


def test_what_is_only_written_is_not_shown() -> None:
    account = {
        "required": ["name", "password"],
        "properties": {
            "name": {"type": "string"},
            "password": {"type": "string", "writeOnly": True},
            "pin": {"allOf": [{"type": "string"}, {"writeOnly": True}]},
        },
    }
    assert example_of(account) == {"name": "string"}
    assert example_of({"allOf": [account, {"required": ["password", "pin"]}]}) == {"name": "string"}
    assert example_of({**account, "example": {"name": "ada", "password": "x"}}) == {"name": "ada"}
    assert example_of({"type": "array", "items": account}) == [{"name": "string"}]


def test_a_schema_that_contains_itself_ends() -> None:
    tree: dict[str, Any] = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    tree["properties"].update(
        parent=tree,
        left={"allOf": [tree, {"title": "left"}]},
        children={"type": "array", "items": tree},
        kin={"anyOf": [tree, {"type": "null"}]},
    )
    assert example_of(tree) == {"name": "string", "children": [], "kin": None}


def test_an_example_of_many_schemas_that_contain_one_another_is_not_endless() -> None:
    web: list[dict[str, Any]] = [{"type": "object", "required": ["id"], "properties": {}} for _ in range(30)]
    for number, schema in enumerate(web):
        names = {f"to{other}": web[other] for other in range(30) if other != number}
        schema["properties"] = {"id": {"type": "integer"}, **names, "all": {"type": "array", "items": web[0]}}
    made = example_of(web[0])
    assert is_valid({"required": ["id", "to1"]}, made)
    assert len(str(made)) < 20_000


def test_schemas_may_be_in_one_another_hundreds_deep(caplog: pytest.LogCaptureFixture) -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(700):
        deep = {"type": "object", "properties": {"in": deep}, "allOf": [{"required": []}]}
    assert "in" in example_of(deep)
    assert caplog.text == ""


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "string", "minLength": 3, "maxLength": 2},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"type": "object", "required": ["a"], "properties": {"a": False}},
        {"enum": []},
    ],
)
def test_a_schema_that_nothing_satisfies_is_said_in_the_log(schema: Any, caplog: pytest.LogCaptureFixture) -> None:
    example_of(schema, "GET /pets 200")
    assert [(record.name, record.levelno) for record in caplog.records] == [("bzz.mock", logging.WARNING)]
    assert "no example can be made for GET /pets 200" in caplog.text


def test_an_unknown_format_is_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    schema = {"properties": {"isbn": {"type": "string", "format": "isbn"}, "at": {"format": "date", "type": "string"}}}
    assert example_of(schema, "GET /books 200") == {"isbn": "string", "at": "2026-01-31"}
    assert [record.getMessage() for record in caplog.records] == [
        "no example can be made for GET /books 200: its format 'isbn' is not known"
    ]


def test_an_unknown_format_with_an_example_is_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    assert example_of({"type": "string", "format": "isbn", "example": "978-3"}) == "978-3"
    assert caplog.text == ""
