"""What a provider states of its storage, and the reading keeps to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bzz.errors import BadRequest
from bzz.model.body import FORM, JSON, decode
from bzz.model.validation import BodyReading
from bzz.shape import TOP, Field, Limits, Shape
from bzz.shape.containers import MapKind
from bzz.shape.free import AnyKind
from bzz.shape.texts import DecimalKind

FEW = Limits(depth=2, decimal_digits=3, decimal_exponents=(-2, 2), allows_key=lambda key: key != "no")


def sample(limits: Limits) -> Shape:
    fields = [
        Field("price", DecimalKind(limits)),
        Field("free", AnyKind(limits)),
        Field("labels", MapKind(limits=limits)),
    ]
    return Shape("Sample", object, {each.name: each for each in fields}, limits=limits)


def refusals(limits: Limits, values: dict[str, Any]) -> dict[str, list[str]]:
    reading = BodyReading()
    reading.fields(sample(limits), values, TOP)
    return reading.errors


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({"price": "1.23"}, {}),
        (
            {"price": "1.234"},
            {"price": ["Must be a decimal number of at most 3 digits, with an exponent from -2 to 2."]},
        ),
        ({"price": 12345}, {"price": ["Must be a decimal number of at most 3 digits, with an exponent from -2 to 2."]}),
        ({"price": "1e3"}, {"price": ["Must be a decimal number of at most 3 digits, with an exponent from -2 to 2."]}),
        (
            {"price": "1e-3"},
            {"price": ["Must be a decimal number of at most 3 digits, with an exponent from -2 to 2."]},
        ),
        ({"free": Decimal("1.234")}, {"free": [AnyKind.expected]}),
        ({"free": {"no": 1}}, {"free.no": ["This key is not allowed."]}),
        ({"labels": {"no": 1}}, {"labels.no": ["This key is not allowed."]}),
        ({"free": [[1]]}, {}),
        ({"free": [[[1]]]}, {"free.0.0.0": ["Must not nest deeper than 2 levels."]}),
    ],
)
def test_what_the_storage_cannot_hold_is_refused(values: dict[str, Any], errors: dict[str, list[str]]) -> None:
    assert refusals(FEW, values) == errors


@pytest.mark.parametrize(
    "values",
    [
        {"price": "1" * 60},
        {"price": "1e-9999"},
        {"free": {"_cls": {"$where": {"a.b": 1}}}},
        {"labels": {"no": Decimal("1" * 60)}},
    ],
)
def test_without_limits_all_that_json_can_write_is_taken(values: dict[str, Any]) -> None:
    assert refusals(Limits(), values) == {}


def test_a_decimal_without_a_limit_of_digits_names_none() -> None:
    assert refusals(Limits(), {"price": "x"}) == {"price": ["Must be a decimal number."]}


@pytest.mark.parametrize("key", ["", 1, None])
def test_a_key_is_a_text_whatever_the_limits(key: Any) -> None:
    assert refusals(Limits(), {"free": {key: 1}}) == {f"free.{key}": ["This key is not allowed."]}


def test_a_body_nests_as_deep_as_the_storage_can_hold() -> None:
    assert decode(sample(FEW), JSON, b'{"free": [1]}') == {"free": [1]}
    with pytest.raises(BadRequest, match="The body is nested deeper than 2 levels"):
        decode(sample(FEW), JSON, b'{"free": [[1]]}')


def test_a_form_nests_as_deep_as_the_storage_can_hold() -> None:
    assert decode(sample(FEW), FORM, b"labels.a=1") == {"labels": {"a": "1"}}
    with pytest.raises(BadRequest, match="A name is nested deeper than 2 levels"):
        decode(sample(FEW), FORM, b"labels.a.b=1")
