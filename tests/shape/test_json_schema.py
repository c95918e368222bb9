"""The JSON Schema of each kind of field: it allows what is read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bzz.codec import plain
from bzz.model.validation import BodyReading
from bzz.shape import TOP, Field, JsonSchema, Shape
from bzz.shape.containers import ListKind
from bzz.shape.json_schema import field_schema, shape_schema
from bzz.shape.scalars import IntegerKind, StringKind
from bzz.shape.texts import DecimalKind
from tests.model import ADDRESS, ORDER, PHONE, USER


def refer(shape: Shape) -> JsonSchema:
    return {"$ref": f"#/$defs/{shape.name}"}


def allows(name: str, value: Any) -> bool:
    """Whether the schema of a field of a user allows a JSON value."""
    schemas = {each.name: shape_schema(each, refer) for each in (USER, ADDRESS, PHONE)}
    schema = {"$defs": schemas, **field_schema(USER.fields[name], refer)}
    Draft202012Validator.check_schema(schema)
    return bool(Draft202012Validator(schema).is_valid(value))


def is_read(name: str, value: Any) -> bool:
    reading = BodyReading()
    reading.fields(USER, {name: value}, TOP)
    return not reading.errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "42"),
        ("name", "Ann"),
        ("age", -(2**63)),
        ("height", 2),
        ("height", 1.5),
        ("balance", 3),
        ("balance", "1.50"),
        ("active", False),
        ("born", "2026-01-31"),
        ("seen", "2026-01-31T12:00:00Z"),
        ("token", "12345678-1234-5678-1234-567812345678"),
        ("photo", "aGk="),
        ("notes", {"a": [1, None]}),
        ("meta", {"a": {"b": None}}),
        ("scores", {"a": 1, "b": None}),
        ("where", [1, 2.5]),
        ("where", {"type": "Point", "coordinates": [1, 2.5]}),
        ("area", {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}),
        ("grid", [[1], []]),
        ("tags", ["a"]),
        ("address", {"zip": 1, "children": [{"street": "x"}], "city": "GIG"}),
        ("addresses", [{}, {"zip": None}]),
        ("boss", "42"),
        ("orders", ["7", 8]),
        ("thing", {"@type": "Phone", "key": "k"}),
        ("link", {"@type": "Order", "id": "7"}),
        ("link", {"@type": "Order", "id": 7}),
    ],
)
def test_what_is_read_is_allowed(name: str, value: Any) -> None:
    assert is_read(name, value)
    assert allows(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", 1),
        ("age", 1.5),
        ("age", 2**63),
        ("age", "1"),
        ("height", "1.5"),
        ("balance", "much"),
        ("balance", True),
        ("active", 1),
        ("born", 1),
        ("seen", 1),
        ("token", 1),
        ("photo", 1),
        ("meta", []),
        ("scores", {"a": "1"}),
        ("where", {"type": "Polygon", "coordinates": []}),
        ("where", {"type": "Point"}),
        ("area", [1, 2]),
        ("grid", [[1, "2"]]),
        ("tags", ["a", None]),
        ("tags", "a"),
        ("address", "street"),
        ("address", {"zip": "x"}),
        ("addresses", [{"children": [1]}]),
        ("boss", 42),
        ("orders", [True]),
        ("thing", {"key": "k"}),
        ("thing", {"@type": "City"}),
        ("thing", {"@type": "Address", "zip": "x"}),
        ("link", {"@type": "Order"}),
        ("link", {"@type": "Order", "id": True}),
        ("link", {"id": "7"}),
    ],
)
def test_what_is_refused_by_its_type_is_not_allowed(name: str, value: Any) -> None:
    assert not is_read(name, value)
    assert not allows(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("balance", Decimal("1.50")),
        ("seen", datetime(2026, 1, 31, tzinfo=UTC)),
        ("born", date(2026, 1, 31)),
        ("photo", b"hi"),
    ],
)
def test_what_clients_are_shown_is_allowed(name: str, value: Any) -> None:
    assert allows(name, plain(value))


def test_a_hidden_field_is_not_in_the_schema() -> None:
    assert "password" not in shape_schema(USER, refer)["properties"]


def test_a_read_only_field_is_marked() -> None:
    assert shape_schema(USER, refer)["properties"]["created"]["readOnly"] is True


@pytest.mark.parametrize(
    ("required", "has_default", "allowed"), [(False, False, True), (True, True, True), (True, False, False)]
)
def test_null_is_allowed_where_a_value_is_not_needed(required: bool, has_default: bool, allowed: bool) -> None:
    field = Field("a", StringKind(), required=required, has_default=has_default)
    schema = shape_schema(Shape("Sample", object, {"a": field}), refer)
    assert Draft202012Validator(schema).is_valid({"a": None}) is allowed


def test_a_number_that_is_the_id_may_be_written_as_its_text() -> None:
    validator = Draft202012Validator(shape_schema(ORDER, refer))
    assert [validator.is_valid({"id": key}) for key in ("7", 7, True)] == [True, True, False]


def test_only_a_field_that_nothing_else_fills_in_is_required() -> None:
    fields = [
        Field("a", StringKind(), required=True),
        Field("b", StringKind(), required=True, has_default=True),
        Field("c", StringKind()),
    ]
    shape = Shape("Sample", object, {each.name: each for each in fields})
    assert shape_schema(shape, refer)["required"] == ["a"]


@pytest.mark.parametrize("choices_of_the_list", [False, True])
def test_the_choices_of_a_list_are_those_of_its_items(choices_of_the_list: bool) -> None:
    own, inner = (("s", "l"), ()) if choices_of_the_list else ((), ("s", "l"))
    sizes = Field("sizes", ListKind(Field("", StringKind(), choices=inner)), choices=own)
    assert field_schema(sizes, refer) == {"type": "array", "items": {"type": "string", "enum": ["s", "l"]}}


def test_the_choices_of_a_single_value_are_listed() -> None:
    assert field_schema(Field("level", IntegerKind(), choices=(1, 2)), refer)["enum"] == [1, 2]


def test_a_decimal_is_shown_as_a_string_and_may_be_sent_as_a_number() -> None:
    assert DecimalKind().json_schema(refer)["type"] == ["string", "number"]
