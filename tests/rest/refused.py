"""Every kind of field with its options, and values that it refuses: as JSON, in forms, and in filters."""

from __future__ import annotations

import enum
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import mongoengine as me

from bzz.providers.mongoengine.duration import DurationField

__all__ = ["CASES", "MessagePart", "MessagePlain", "MessageSaved"]


class Hue(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


def returns_false(value: Any) -> bool:
    return False


def returns_text(value: Any) -> str:
    return "I do not like it"


def raises(value: Any) -> None:
    raise me.ValidationError("Nobody says that.")


def asks_mongoengine(value: Any) -> None:
    me.IntField(max_value=3).validate(value)


class Upper(me.StringField):
    """A field class with a check of its own."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value.upper() != value:
            self.error("Must be in upper case.")


class Counting(me.StringField):
    """A field class whose conversion fails in Python's words."""

    def to_mongo(self, value: Any) -> Any:
        return int(value)


class MessagePart(me.EmbeddedDocument):
    text = me.StringField(max_length=3)
    size = me.IntField(min_value=1)
    hue = me.EnumField(Hue)


class MessageTarget(me.Document):
    name = me.StringField()


class Case(NamedTuple):
    """A declaration and the values that it refuses.

    :param json: values in a body.
    :param forms: texts in a form.
    :param filters: what stands in a query behind the field's name.
    """

    field: Any
    json: list[Any]
    forms: list[str] = []  # noqa: RUF012  # never changed
    filters: list[str] = []  # noqa: RUF012


def geometries(kind: str, *coordinates: Any) -> list[Any]:
    """Return geometries of one type."""
    return [{"type": kind, "coordinates": each} for each in coordinates]


POINT = {"type": "Point", "coordinates": [400, 400]}
LINE = [[1, 1], [2, 2]]
FAR, CROSSING = [[[0, 0], [0, 1], [500, 1], [0, 0]]], [[[0, 0], [2, 2], [0, 2], [2, 0], [0, 0]]]
MOMENT, DAY = datetime(2026, 1, 2, 3, 4), date(2026, 1, 2)

CASES: dict[str, Case] = {
    "text": Case(me.StringField(), [1, True, [], {"a": 1}]),
    "longest": Case(me.StringField(max_length=3), ["abcd", 1], ["abcd"]),
    "shortest": Case(me.StringField(min_length=2), ["a", 1], ["a"]),
    "between": Case(me.StringField(min_length=2, max_length=3), ["a", "abcd"], ["a"]),
    "exactly": Case(me.StringField(min_length=2, max_length=2), ["a"], ["a"]),
    "regex": Case(me.StringField(regex="^[a-z]+$"), ["A", ""], ["A"]),
    "long_regex": Case(me.StringField(regex=re.compile("^[a-z]+\n  $", re.VERBOSE)), ["A"], ["A"]),
    "regex_and_length": Case(me.StringField(regex="^[a-z]+$", max_length=3), ["A", "abcd"], ["A"]),
    "text_choices": Case(me.StringField(choices=["a", "b"]), ["c", 1], ["c"], ["=c", "__in=a,c", "__ne=c"]),
    "pair_choices": Case(me.StringField(choices=[("a", "The A"), ("b", "The B")]), ["c"], ["c"], ["=c"]),
    "many_choices": Case(me.StringField(choices=[f"c{at}" for at in range(50)]), ["c"], ["c"], ["=c"]),
    "choices_and_length": Case(me.StringField(choices=["a", "b"], max_length=3), ["abcd"], ["c"], ["=c"]),
    "url": Case(me.URLField(), ["www.example.com", "gopher://x.org", "http://", "", 1], ["www.example.com"]),
    "secure_url": Case(me.URLField(schemes=["https"]), ["http://x.org"]),
    "email": Case(me.EmailField(), ["a", "a@b", "a@-b-.c", "a b@example.com", 1], ["a"]),
    "short_email": Case(me.EmailField(max_length=8), ["ann@example.com"], ["ann@example.com"]),
    "integer": Case(me.IntField(), ["x", "1", 1.0, 2**63, True, [], {}], ["x", "1.5"], ["=x", "__gt=1.5", "__in=1,x"]),
    "least": Case(me.IntField(min_value=2), [1, "x"], ["1"], ["=x"]),
    "most": Case(me.IntField(max_value=2), [3], ["3"]),
    "range": Case(me.IntField(min_value=1, max_value=2), [0, 3], ["3"]),
    "integer_choices": Case(me.IntField(choices=[1, 2]), [3, "x"], ["3"], ["=3", "=x"]),
    "number": Case(me.FloatField(min_value=0.5, max_value=2), [3, "x", 0.25], ["3", "x", "nan"], ["=x", "=1e 5e"]),
    "float_choices": Case(me.FloatField(choices=[1.5, 2.5]), [3], ["3"], ["=3"]),
    "truth": Case(me.BooleanField(), ["true", 1, []], ["yes"], ["=yes", "=1"]),
    "truth_choices": Case(me.BooleanField(choices=[True]), [False], ["false"], ["=false"]),
    "decimal": Case(me.DecimalField(), ["x", "1e7000", "1" * 40, True, []], ["x"], ["=x", "=1e7000"]),
    "huge_decimal": Case(me.DecimalField(), ["1e400", 1e308, "1e6000"], ["1e6000"]),
    "text_decimal": Case(me.DecimalField(force_string=True, min_value=0), ["x", "-1", "1e7000"], ["-1"], ["=x"]),
    "decimal_range": Case(me.DecimalField(min_value=Decimal("0.5"), max_value=Decimal("2")), ["3", 0.1], ["3"], ["=x"]),
    "decimal_choices": Case(me.DecimalField(choices=[Decimal("1.5"), Decimal("2.5")]), ["3", "x"], ["3"], ["=3", "=x"]),
    "decimal128": Case(me.Decimal128Field(max_value=Decimal(2)), ["3", "x", "1e7000"], ["3"], ["=x"]),
    "moment": Case(
        me.DateTimeField(),
        ["x", "2026-02-30", "2026-01-01T00:00:00 00:00", 1, [], "9999-12-31T23:59:59-01:00"],
        ["x"],
        ["=x", "=2026-01-01T00:00:00+00:00", "__gte=2026-01-01T00:00+0200", "__in=2026-01-01,2026-01-01T00:00+01:00"],
    ),
    "moment_choices": Case(
        me.DateTimeField(choices=[MOMENT]), ["2026-01-01T00:00:00Z"], ["2026-01-01"], ["=2026-01-01"]
    ),
    "exact_moment": Case(me.ComplexDateTimeField(), ["x", 1], ["x"], ["=x"]),
    "day": Case(me.DateField(), ["x", "2026-02-30", "2026-01-01T00:00:00Z", 1], ["x"], ["=x"]),
    "day_choices": Case(me.DateField(choices=[DAY]), ["2026-01-01"], ["2026-01-01"], ["=2026-01-01"]),
    "duration": Case(DurationField(), ["x", "P1Y", "P999999999D", 1], ["x", "P999999999D"], ["=x", "=P999999999D"]),
    "duration_choices": Case(DurationField(choices=[timedelta(hours=1)]), ["PT2H"], ["PT2H"], ["=PT2H"]),
    "uuid": Case(me.UUIDField(), ["x", 1, "{" + "0" * 32 + "}"], ["x"], ["=x"]),
    "uuid_choices": Case(me.UUIDField(choices=[UUID(int=1)]), [str(UUID(int=2))], [], [f"={UUID(int=2)}"]),
    "bytes": Case(me.BinaryField(max_bytes=3), ["AAAAAAAA", "x", 1], ["AAAAAAAA", "x"], ["=x"]),
    "bytes_choices": Case(me.BinaryField(choices=[b"ab"]), ["AAAA"], ["AAAA"], ["=AAAA"]),
    "object_id": Case(me.ObjectIdField(), ["x", 1, []], ["x"], ["=x"]),
    "hue": Case(me.EnumField(Hue), ["green", 1, []], ["green"], ["=green", "__in=red,green"]),
    "level": Case(me.EnumField(Level), [3, "x"], ["3"], ["=3", "=x"]),
    "some_hues": Case(me.EnumField(Hue, choices=[Hue.RED]), ["blue"], ["blue"], ["=blue"]),
    "hues": Case(me.ListField(me.EnumField(Hue)), [["red", "green"]], ["green"], ["=green"]),
    "point": Case(
        me.PointField(),
        [
            [400, 400],
            POINT,
            [1],
            [1, 2, 3],
            [],
            ["x", 1],
            "x",
            {"type": "Line"},
            {"type": "Point", "coordinates": [[1]]},
        ],
        [],
        ["__near=x", "__near=400,0,1", "__within=1,2,3", "__near=1, 2,3"],
    ),
    "line": Case(
        me.LineStringField(),
        geometries("LineString", [], [1], [[1, 2, 3]], [[1]], [[400, 400], [1, 1]]),
    ),
    "area": Case(
        me.PolygonField(),
        geometries("Polygon", [], [[]], LINE, [LINE], [[[1, 2, 3], [1, 2, 3]]], FAR, CROSSING),
    ),
    "points": Case(me.MultiPointField(), geometries("MultiPoint", [1], [[1]], [[400, 400]])),
    "lines": Case(me.MultiLineStringField(), geometries("MultiLineString", [1], [[[1]], [[2]]])),
    "areas": Case(me.MultiPolygonField(), geometries("MultiPolygon", [1], [[LINE]], [[[[1]]]])),
    "old_point": Case(
        me.GeoPointField(), [[400, 400], [1], [1, 2, 3], "x", {"type": "Point", "coordinates": [1]}], [], ["__near=x"]
    ),
    "numbers": Case(
        me.ListField(me.IntField(max_value=3)),
        [[1, "x"], [4], [None], "x", 1, {}],
        ["x", "4"],
        ["=x", "__size=x", "__all=1,x"],
    ),
    "few": Case(me.ListField(me.IntField(), max_length=2), [[1, 2, 3]], [], ["__size=-1"]),
    "texts": Case(me.ListField(me.StringField(choices=["a", "b"])), [["c"], ["a", "c"]], ["c"], ["=c"]),
    "list_choices": Case(me.ListField(me.StringField(), choices=["a", "b"]), [["a", "c"]], ["c"], ["=c"]),
    "any_list": Case(me.ListField(), ["x", 1, {}], [], ["__size=x"]),
    "lists": Case(me.ListField(me.ListField(me.IntField(max_value=3))), [[[4]], [1], [["x"]], [None]]),
    "sorted": Case(me.SortedListField(me.IntField()), [["x"], [None], 1], ["x"], ["=x"]),
    "sorted_by": Case(me.SortedListField(me.DictField(), ordering="at"), [[{"a": 1}], [{"at": 1}, {"at": "x"}]]),
    "free": Case(me.DictField(), ["x", 1, [], {"$a": 1}, {"a.b": 1}, {"_cls": "x"}, {"": 1}]),
    "any": Case(me.DynamicField(), [{"$a": 1}]),
    "counts": Case(me.MapField(me.IntField(max_value=3)), [{"a": None}, {"a": "x"}, {"a": 4}, 1], [], [".a=x"]),
    "text_map": Case(me.DictField(me.StringField(max_length=3)), [{"a": None}, {"a": 1}, {"a": "abcd"}]),
    "truths": Case(me.MapField(me.BooleanField()), [{"a": None}, {"a": "x"}]),
    "moments": Case(me.MapField(me.DateTimeField()), [{"a": None}, {"a": "x"}], [], [".a=x"]),
    "prices": Case(me.MapField(me.DecimalField(max_value=3)), [{"a": None}, {"a": "4"}]),
    "list_map": Case(
        me.MapField(me.ListField(me.IntField(max_value=3))), [{"a": None}, {"a": [4]}, {"a": [None]}, {"a": 1}]
    ),
    "map_list": Case(me.ListField(me.MapField(me.IntField(max_value=3))), [[{"a": None}], [{"a": 4}], [1]]),
    "parts_by_name": Case(
        me.MapField(me.EmbeddedDocumentField(MessagePart)),
        [{"a": None}, {"a": {"text": "abcd"}}, {"a": 1}, {"a": {"hue": "green"}}],
    ),
    "part": Case(
        me.EmbeddedDocumentField(MessagePart),
        [1, {"text": "abcd"}, {"size": 0}, {"x": 1}, {"hue": "green"}, []],
        [],
        [".size=x", ".hue=green"],
    ),
    "parts": Case(
        me.EmbeddedDocumentListField(MessagePart),
        [1, [{"text": "abcd"}], [{"size": 0}], [None], [1]],
        [],
        ["[].size=x", ".hue=green"],
    ),
    "any_part": Case(
        me.GenericEmbeddedDocumentField(choices=[MessagePart]),
        [1, {"text": "a"}, {"@type": "MessagePart", "text": "abcd"}, {"@type": "x"}],
    ),
    "target": Case(me.ReferenceField(MessageTarget), ["x", "0" * 24, 1, []], ["x", "0" * 24], ["=x"]),
    "lazy": Case(me.LazyReferenceField(MessageTarget), ["x", "0" * 24, 1], ["x"], ["=x"]),
    "cached": Case(me.CachedReferenceField(MessageTarget), ["x", "0" * 24, 1], ["x"], ["=x"]),
    "targets": Case(me.ListField(me.ReferenceField(MessageTarget)), [["x"], ["0" * 24], [None], 1], ["x"], ["=x"]),
    "generic": Case(
        me.GenericReferenceField(choices=[MessageTarget]),
        ["x", {"@type": "x"}, {"@type": "MessageTarget", "id": "x"}, {"@type": "MessageTarget", "id": "0" * 24}],
    ),
    "false": Case(me.StringField(validation=returns_false), ["x"], ["x"]),
    "returned": Case(me.IntField(validation=returns_text), [1], ["1"]),
    "said": Case(me.StringField(validation=raises), ["x"], ["x"]),
    "asked": Case(me.IntField(validation=asks_mongoengine), [4], ["4"]),
    "said_of_items": Case(me.ListField(me.StringField(validation=raises)), [["x"]], ["x"]),
    "false_of_items": Case(me.MapField(me.IntField(validation=returns_false)), [{"a": 1}]),
    "upper": Case(Upper(max_length=3), ["a", "ABCD"], ["a"]),
    "counting": Case(Counting(), ["x"], ["x"]),
    "required_list": Case(me.ListField(me.IntField(), required=True, default=lambda: [1]), [[]]),
    "required_map": Case(me.DictField(required=True, default=lambda: {"a": 1}), [{}]),
    "sequence": Case(me.SequenceField(), [1], ["1"], ["=x"]),
}

MessagePlain: Any = type(
    "MessagePlain",
    (me.Document,),
    {
        "__module__": __name__,
        **{name: each.field for name, each in CASES.items() if name not in ("cached", "sequence")},
    },
)
"""Stored by bzz itself."""

MessageSaved: Any = type(
    "MessageSaved",
    (me.Document,),
    {
        "__module__": __name__,
        **{name: each.field for name, each in CASES.items()},
        "clean": lambda self: None,
    },
)
"""Saved by MongoEngine, for it has a ``clean()``."""
