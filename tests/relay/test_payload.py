"""Values come out of a message as they went in; what is not in the table of types does not travel."""

from __future__ import annotations

import contextlib
import enum
import math
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import mongoengine as me
import orjson
import pytest
from bson import DBRef, Decimal128, ObjectId
from hypothesis import given
from hypothesis import strategies as st

from bzz.relay import Document, documents
from bzz.relay.payload import MAX_DEPTH, pack, register, unpack

documents.register_loaded()


class Colour(enum.Enum):
    RED = "r"


class Level(enum.IntEnum):
    HIGH = 3


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Mode(enum.IntFlag):
    ON = 1
    FAST = 4


class SentAddress(me.EmbeddedDocument):
    city = me.StringField()


class SentPerson(me.Document):
    name = me.StringField(db_field="n")
    born = me.DateTimeField()
    addresses = me.EmbeddedDocumentListField(SentAddress)
    friend = me.ReferenceField("self")
    meta = {"collection": "relayed_person"}  # noqa: RUF012  # MongoEngine reads it as it is


def travelled(value: Any) -> Any:
    return unpack(orjson.loads(orjson.dumps(pack(value))))


@pytest.mark.parametrize(
    "value",
    [
        None, True, 7, -(1 << 70), 1.5, math.inf, "text", b"\x00\xff", [1, [2]], (1, (2,)), {1, 2}, frozenset({3}),
        {"a": {"b": 1}}, {1: "a", (2, 3): "b"}, {"$": "escaped"}, datetime(2026, 1, 2, 3, 4, 5, 6),
        datetime(2026, 1, 2, tzinfo=UTC), date(2026, 1, 2), time(3, 4), timedelta(days=-1, microseconds=5),
        Decimal("1.50"), uuid.UUID(int=5), Colour.RED, Level.HIGH, Right.READ,
        Right.READ | Right.WRITE, Right(0), Mode.ON | Mode.FAST, Mode(0), ObjectId("0" * 24), Decimal128("1.2"),
        DBRef("a", 5),
    ],
)  # fmt: skip
def test_a_value_travels_with_its_type(value: Any) -> None:
    assert travelled(value) == value
    assert type(travelled(value)) is type(value)


def test_not_a_number_travels_too() -> None:
    assert math.isnan(travelled(math.nan))


numbers = st.integers() | st.floats(allow_nan=False) | st.decimals(allow_nan=False)
scalars = st.none() | st.booleans() | numbers | st.text() | st.binary() | st.datetimes()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner) | st.dictionaries(scalars, inner)
    ),
    max_leaves=20,
)


@given(values)
def test_whatever_is_made_of_these_types_travels(value: Any) -> None:
    assert travelled(value) == value


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["$", "v", "a"]), inner | st.sampled_from(["datetime", "enum", "map", "document", "uuid", "int"])
)))  # fmt: skip
def test_whatever_json_comes_is_a_value_or_a_value_error(message: Any) -> None:
    with contextlib.suppress(ValueError):
        unpack(message)


def test_a_document_travels_as_its_class_its_id_and_its_values() -> None:
    friend = ObjectId()
    person = SentPerson(
        id=ObjectId(), name="Ada", born=datetime(1815, 12, 10), addresses=[SentAddress(city="London")], friend=friend
    )
    arrived = travelled(person)
    assert isinstance(arrived, SentPerson)
    assert (arrived.pk, arrived.name, arrived.born) == (person.pk, "Ada", datetime(1815, 12, 10))
    assert [each.city for each in arrived.addresses] == ["London"]
    assert arrived.friend.id == friend  # following it would ask the database
    assert arrived._get_changed_fields() == []  # saving it would write nothing


def test_a_document_whose_class_is_not_there_comes_without_it() -> None:
    packed = pack(SentPerson(id=ObjectId("0" * 24), name="Ada"))
    packed["v"]["class"] = "Nobody"
    arrived = unpack(packed)
    assert isinstance(arrived, Document)
    assert (arrived.model, arrived.id, arrived.values["n"]) == ("Nobody", ObjectId("0" * 24), "Ada")


def test_a_member_of_an_enum_that_is_not_there_comes_as_its_value() -> None:
    packed = pack(Colour.RED)
    packed["v"][0] = "elsewhere:Colour"
    assert unpack(packed) == "r"


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


def test_a_type_that_is_not_in_the_table_does_not_travel_until_it_is() -> None:
    with pytest.raises(TypeError, match=r"Money is not in the table of types: see bzz\.relay\.register"):
        pack(Money(5))
    register(Money, "money", lambda money: money.cents, Money)
    assert travelled(Money(5)).cents == 5


def test_what_is_nested_too_deep_does_not_travel() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert travelled(value) == value
    with pytest.raises(ValueError, match="nested deeper"):
        pack([[value]])
