"""The codec of a field is found by its class, and what shows documents is generated as plain Python."""

from __future__ import annotations

import linecache
import traceback
from datetime import timedelta
from typing import Any

import mongoengine as me
import pytest
from mongoengine.base import BaseField

from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.shape.scalars import FloatKind


class SpanField(BaseField):
    """Holds a timedelta."""


@converts(SpanField)
class SpanCodec(FieldCodec):
    """Seconds for clients and in MongoDB, a timedelta in an instance."""

    kind = FloatKind

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        return value

    def to_attribute(self, bson: Any) -> Any:
        return None if bson is None else timedelta(seconds=bson)

    def from_attribute(self, attribute: Any) -> Any:
        return None if attribute is None else attribute.total_seconds()


class LongSpanField(SpanField):
    """Has no codec of its own."""


class Lap(me.EmbeddedDocument):
    span = LongSpanField()
    inner = me.EmbeddedDocumentField("self")
    place = me.ReferenceField("Race")


class Race(me.Document):
    total = SpanField(db_field="t")
    best = me.EmbeddedDocumentField(Lap)
    laps = me.ListField(me.EmbeddedDocumentField(Lap))
    by_name = me.MapField(me.ListField(SpanField()))
    price = me.DecimalField()


def test_a_field_is_served_by_the_codec_of_the_nearest_class_above_it() -> None:
    codec = Registry(Race, (), ()).root
    assert isinstance(codec.fields["total"], SpanCodec)
    assert isinstance(codec.fields["best"].target().fields["span"], SpanCodec)


def test_a_new_kind_of_field_is_loaded_in_lists_maps_and_embedded_documents() -> None:
    instance = Registry(Race, (), ()).root.load(
        {"t": 1.5, "best": {"span": 2.0}, "laps": [{"span": 3.0}], "by_name": {"a": [4.0]}}
    )
    assert instance.total == timedelta(seconds=1.5)
    assert instance.best.span == timedelta(seconds=2)
    assert instance.laps[0].span == timedelta(seconds=3)
    assert instance.by_name["a"] == [timedelta(seconds=4)]


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"t": 1.0, "best": None, "laps": [], "by_name": {}, "price": 1.5, "_id": 1},
        {"t": 1.0, "best": {"span": 1.0}, "laps": [None, {"span": 1.0}, "text"], "unknown": 1, "more": 2, "_id": 1},
        {"best": {"inner": {"inner": {"span": 1.0}}, "span": 2.0, "place": 3}, "laps": {"a": {"span": 1.0}}},
        {"best": "text", "laps": "text", "by_name": 5},
    ],
)
def test_the_generated_function_shows_what_the_codecs_of_the_fields_show(raw: dict[str, Any]) -> None:
    codec = Registry(Race, (), ()).root
    assert codec.to_json(raw) == {name: field.to_json(raw.get(field.stored)) for name, field in codec.fields.items()}


def test_a_class_may_have_a_name_that_python_cannot_write() -> None:
    model = type("Odd name", (me.Document,), {"text": me.StringField()})
    assert Registry(model, (), ()).root.to_json({"_id": 1, "text": "x"}) == {"id": 1, "text": "x"}


class FragileField(BaseField):
    """Holds what cannot be shown."""


@converts(FragileField)
class FragileCodec(FieldCodec):
    """Fails."""

    shows_as_is = False

    def to_value(self, bson: Any) -> Any:
        raise ArithmeticError


class Vase(me.Document):
    clay = FragileField()


def test_a_traceback_shows_the_generated_source() -> None:
    codec = Registry(Vase, (), ()).root
    with pytest.raises(ArithmeticError) as raised:
        codec.to_json({"clay": 1})
    (frame,) = [each for each in traceback.extract_tb(raised.tb) if each.filename.startswith("<bzz generated")]
    assert "'clay'" in str(frame.line)
    assert linecache.getline(frame.filename, 1) == "def to_json_Vase(raw):\n"
