"""What is accepted without asking MongoEngine is what MongoEngine accepts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import mongoengine as me
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mongoengine.base import BaseField

from bzz.providers.mongoengine.codecs.fast_checks import fast_check

lengths = st.none() | st.integers(0, 4)
numbers = st.none() | st.integers(-3, 3)


def make(kind: type[BaseField], *names: str) -> st.SearchStrategy[BaseField]:
    options: dict[str, st.SearchStrategy[Any]] = {name: lengths if "length" in name else numbers for name in names}
    return st.builds(kind, required=st.booleans(), **options)


scalars = st.one_of(
    make(me.StringField, "min_length", "max_length"),
    make(me.IntField, "min_value", "max_value"),
    make(me.FloatField, "min_value", "max_value"),
    make(me.BooleanField),
    make(me.DateTimeField),
)
lists = st.builds(me.ListField, st.none() | scalars, required=st.booleans(), max_length=lengths)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=6) | st.datetimes() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
)


@given(field=scalars | lists, value=values)
@example(field=me.ListField(me.StringField(), required=True), value=[])
@example(field=me.IntField(), value=True)
@example(field=me.FloatField(max_value=3), value=float("nan"))
def test_mongoengine_refuses_nothing_that_is_accepted(field: BaseField, value: Any) -> None:
    accepts = fast_check(field)
    if accepts is not None and accepts(value):
        field._validate(value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (me.StringField(max_length=3), "abc"),
        (me.StringField(), "José"),
        (me.IntField(min_value=1, max_value=2), 2),
        (me.FloatField(min_value=0), 0.5),
        (me.BooleanField(), False),
        (me.DateTimeField(), datetime(2026, 1, 31)),
        (me.ListField(me.StringField(max_length=1)), ["a", "b"]),
    ],
)
def test_common_values_are_accepted_at_once(field: BaseField, value: Any) -> None:
    accepts = fast_check(field)
    assert accepts is not None
    assert accepts(value)


class Shouting(me.StringField):
    def validate(self, value: Any) -> None:
        if value != value.upper():
            self.error("Louder.")


@pytest.mark.parametrize(
    "field",
    [
        Shouting(),
        me.StringField(regex="a*"),
        me.StringField(choices=["a"]),
        me.StringField(validation=print),
        me.EmailField(),
        me.ListField(Shouting()),
        me.ListField(me.StringField(), max_length=2),
        me.DictField(),
    ],
)
def test_only_mongoengine_can_tell_of_others(field: BaseField) -> None:
    assert fast_check(field) is None
