"""How the text and the JSON of single values are read."""

from __future__ import annotations

import contextlib
import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.model.validation import MAX_ERRORS, BodyReading, Errors
from bzz.shape import TOP, Field, Kind, Shape
from bzz.shape.containers import ListKind, MapKind
from bzz.shape.documents import EmbeddedKind, ReferenceKind
from bzz.shape.free import AnyKind
from bzz.shape.geo import GeoKind
from bzz.shape.scalars import BooleanKind, FloatKind, IdKind, IntegerKind, StringKind
from bzz.shape.texts import BinaryKind, DecimalKind, UUIDKind
from bzz.shape.times import DateKind, DateTimeKind

from . import ADDRESS, LIMITS, USER

KINDS = [field.kind for field in USER.fields.values()]


def from_json(kind: Kind, value: Any, name: str, reading: BodyReading) -> Any:
    return None if value is None else kind.read(value, (TOP, name), reading)


def read(name: str, value: Any) -> Any:
    """Read a JSON value for a field of a user; a refusal is an assertion error."""
    reading = BodyReading()
    answer = from_json(USER.fields[name].kind, value, name, reading)
    assert not reading.errors
    return answer


def refusals(name: str, value: Any) -> Errors:
    reading = BodyReading()
    from_json(USER.fields[name].kind, value, name, reading)
    return reading.errors


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_are_read_back_from_their_text(number: int) -> None:
    assert IntegerKind().from_text(str(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_read_back_from_their_text(number: float) -> None:
    assert FloatKind().from_text(repr(number)) == number


@given(st.uuids())
def test_uuids_are_read_back_from_their_text(value: uuid.UUID) -> None:
    assert UUIDKind().from_text(str(value)) == value


@given(st.integers(0, 10**34 - 1), st.integers(-6100, 6100))
def test_decimals_are_read_back_from_their_text(digits: int, exponent: int) -> None:
    value = Decimal(digits).scaleb(exponent - len(str(digits)))
    assert DecimalKind(LIMITS).from_text(str(value)) == value


@given(st.datetimes())
def test_datetimes_without_a_zone_are_utc(moment: datetime) -> None:
    assert DateTimeKind().from_text(moment.isoformat()) == moment


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-1439, 1439))
def test_datetimes_with_a_zone_become_utc(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = moment - timedelta(minutes=minutes)
    assert DateTimeKind().from_text(aware.isoformat()) == expected
    assert from_json(DateTimeKind(), aware, "it", BodyReading()) == expected


@given(st.dates())
def test_dates_are_read_back_from_their_text(day: date) -> None:
    assert DateKind().from_text(day.isoformat()) == day


@given(st.sampled_from(KINDS), st.text(alphabet=st.characters(), max_size=30))
def test_text_is_read_or_refused_with_a_value_error(kind: Kind, text: str) -> None:
    with contextlib.suppress(ValueError):
        kind.from_text(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (IntegerKind(), "+1"),
        (IntegerKind(), "-0"),
        (IntegerKind(), "007"),
        (IntegerKind(), "1_000"),
        (IntegerKind(), "1\n"),
        (IntegerKind(), "\u0663"),  # an Arabic three
        (IntegerKind(), "9223372036854775808"),
        (IntegerKind(), "9" * 5000),
        (FloatKind(), "nan"),
        (FloatKind(), "inf"),
        (FloatKind(), "1e999"),
        (FloatKind(), "0x1p3"),
        (FloatKind(), "1_0.5"),
        (DecimalKind(LIMITS), "NaN"),
        (DecimalKind(LIMITS), "1e99999"),
        (DecimalKind(LIMITS), "1e-6144"),
        (DecimalKind(LIMITS), "1" * 35),
        (BooleanKind(), "True"),
        (BooleanKind(), "1"),
        (DateTimeKind(), "2026-02-30T00:00:00Z"),
        (DateTimeKind(), "0001-01-01T00:00:00+14:00"),
        (DateTimeKind(), "9999-12-31T23:59:59-01:00"),
        (DateTimeKind(), "2026-01-01T00:00:00+24:00"),
        (DateTimeKind(), "2026-01-31T24:00:00Z"),
        (DateTimeKind(), "yesterday"),
        (DateKind(), "2026-13-01"),
        (DateKind(), "20260101"),
        (UUIDKind(), "{12345678-1234-5678-1234-567812345678}"),
        (UUIDKind(), "12345678123456781234567812345678"),
        (BinaryKind(), "not base64"),
        (StringKind(), "\ud800"),
    ],
)
def test_text_that_is_no_value_is_refused_in_words_for_people(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=kind.expected.split(",")[0]):
        kind.from_text(text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (DateTimeKind(), "2026-01-31T12:00:00.1234567Z", datetime(2026, 1, 31, 12, 0, 0, 123456)),
        (DateTimeKind(), "2026-01-31T12:00+0530", datetime(2026, 1, 31, 6, 30)),
        (DateTimeKind(), "2026-01-31", datetime(2026, 1, 31)),
        (BooleanKind(), "false", False),
        (BinaryKind(), "aGk=", b"hi"),
        (StringKind(), "", ""),
        (FloatKind(), "-1.5e3", -1500.0),
    ],
)
def test_text_is_read_by_its_kind(kind: Kind, text: str, value: Any) -> None:
    assert kind.from_text(text) == value


@pytest.mark.parametrize(
    "kind", [ListKind(Field("", StringKind())), MapKind(), AnyKind(), GeoKind("Point"), EmbeddedKind(lambda: ADDRESS)]
)
def test_values_of_many_parts_have_no_text(kind: Kind) -> None:
    with pytest.raises(ValueError, match="no text form"):
        kind.from_text("x")


def test_a_reference_is_read_by_the_key_of_its_target() -> None:
    assert USER.fields["boss"].kind.from_text("42") == 42


@pytest.mark.parametrize("value", [{"zip": 1}, "x"])
def test_a_reference_to_a_key_of_many_parts_cannot_be_written(value: Any) -> None:
    house = Shape("House", object, pk=Field("id", EmbeddedKind(lambda: ADDRESS)))
    reading = BodyReading()
    from_json(ReferenceKind(lambda: house), value, "it", reading)
    assert list(reading.errors) == ["it"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age", True),
        ("age", "12"),
        ("age", 12.0),
        ("age", 2**63),
        ("height", True),
        ("height", "1.5"),
        ("height", float("nan")),
        ("height", 10**400),
        ("balance", True),
        ("balance", Decimal("Infinity")),
        ("balance", "1e9999"),
        ("active", 1),
        ("active", "true"),
        ("name", 1),
        ("name", b"bytes"),
        ("name", "\ud800"),
        ("seen", 1700000000),
        ("born", datetime(2026, 1, 1)),
        ("token", 1),
        ("photo", "!"),
        ("id", 42),
        ("id", 42.0),
        ("id", "41"),
        ("id", ["42"]),
        ("boss", {"id": "42"}),
        ("home", 1),
        ("orders", ["x"]),
        ("tags", "a"),
        ("tags", ["a", None]),
        ("grid", [[1, "2"]]),
        ("address", "street"),
        ("address", []),
        ("meta", []),
        ("scores", {"a": "1"}),
    ],
)
def test_json_of_another_type_is_refused(name: str, value: Any) -> None:
    assert refusals(name, value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("age", -(2**63), -(2**63)),
        ("height", 2, 2.0),
        ("balance", 1.1, Decimal("1.1")),
        ("balance", 3, Decimal(3)),
        ("balance", "1.50", Decimal("1.50")),
        ("seen", "2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12)),
        ("seen", datetime(2026, 1, 31, 12), datetime(2026, 1, 31, 12)),
        ("born", date(2026, 1, 31), date(2026, 1, 31)),
        ("photo", b"hi", b"hi"),
        ("photo", "aGk=", b"hi"),
        ("token", uuid.UUID(int=1), uuid.UUID(int=1)),
        ("boss", "42", 42),
        ("home", "GIG", "GIG"),
        ("orders", ["7", 8], [7, 8]),
        ("grid", [[1], []], [[1], []]),
        ("bag", [1, None, {"a": []}], [1, None, {"a": []}]),
        ("scores", {"a": 1}, {"a": 1}),
        ("address", {"zip": None}, {"zip": None}),
        ("where", [1, 2.5], {"type": "Point", "coordinates": [1, 2.5]}),
        ("thing", {"@type": "Phone", "key": "k"}, {"@type": "Phone", "key": "k"}),
        ("link", {"@type": "Order", "id": "7"}, {"@type": "Order", "id": 7}),
    ],
)
def test_json_is_read_by_its_kind(name: str, value: Any, expected: Any) -> None:
    answer = read(name, value)
    assert answer == expected
    assert type(answer) is type(expected)


@pytest.mark.parametrize("item", [StringKind(), AnyKind()])
def test_null_is_no_item_of_a_list(item: Kind) -> None:
    reading = BodyReading()
    from_json(ListKind(Field("", item)), ["a", None], "it", reading)
    assert reading.errors == {"it.1": ["Must not be null."]}


def test_null_unsets_any_field() -> None:
    assert [read(name, None) for name in USER.fields] == [None] * len(USER.fields)


class HexId:
    """As a driver's id: its text reads back to an equal one."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HexId) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text


def test_an_id_that_a_receiver_left_in_the_type_of_its_driver_is_kept() -> None:
    left = HexId("ab")
    assert from_json(IdKind(HexId), left, "id", BodyReading()) is left


def test_a_foreign_object_is_no_id() -> None:
    reading = BodyReading()
    from_json(IdKind(HexId), object(), "id", reading)
    assert reading.errors == {"id": [IdKind.expected]}


@pytest.mark.parametrize("key", ["_cls", "$where", "a.b", "a\0b", ""])
def test_keys_that_a_database_would_read_as_something_else_are_refused_at_any_depth(key: str) -> None:
    assert refusals("meta", {"a": [{key: 1}]}) == {f"meta.a.0.{key}": ["This key is not allowed."]}
    assert refusals("notes", {key: 1}) == {f"notes.{key}": ["This key is not allowed."]}
    assert f"scores.{key}" in refusals("scores", {key: 1})


@pytest.mark.parametrize("value", [2**63, float("inf"), object(), {1, 2}, "\ud800"])
def test_a_free_value_that_cannot_be_stored_is_refused(value: Any) -> None:
    assert refusals("meta", {"a": value}) == {"meta.a": [AnyKind.expected]}


def test_a_free_value_has_a_limit_of_depth() -> None:
    value: Any = 1
    for _ in range(40):
        value = [value]
    assert "deeper" in str(refusals("notes", value))


def test_a_class_name_is_no_field_at_any_depth() -> None:
    errors = refusals("addresses", [{"children": [{"_cls": "Admin"}]}])
    assert errors == {"addresses.0.children.0._cls": ["Unknown field."]}


@pytest.mark.parametrize(
    "value",
    [
        {"type": "Polygon", "coordinates": [1, 2]},
        {"type": "Point"},
        {"type": "Point", "coordinates": ["1", 2]},
        {"type": "Point", "coordinates": [True, 2]},
        {"type": "Point", "coordinates": [float("inf"), 2]},
        {"type": "Point", "coordinates": [[[[[1]]]]]},
        {"type": "Point", "coordinates": [1, 2], "$where": "1"},
        {"type": [], "coordinates": [1, 2]},
        "1,2",
    ],
)
def test_what_is_no_geometry_is_refused(value: Any) -> None:
    assert refusals("where", value)


def test_only_a_point_may_be_bare_coordinates() -> None:
    assert refusals("area", [[[0, 0], [0, 1], [1, 1], [0, 0]]])


@pytest.mark.parametrize("value", [{}, {"@type": "City"}, {"@type": []}, {"@type": "Phone", "zip": 1}, []])
def test_an_embedded_document_of_any_type_names_one_of_its_types(value: Any) -> None:
    assert refusals("thing", value)


@pytest.mark.parametrize(
    "value", [{"@type": "Order"}, {"@type": "Order", "id": "x"}, {"@type": "Order", "id": "1", "total": 1}]
)
def test_a_reference_of_any_type_is_a_type_and_an_id(value: Any) -> None:
    assert refusals("link", value)


def test_the_list_of_mistakes_ends_somewhere() -> None:
    assert len(refusals("ranks", ["x"] * 100_000)) == MAX_ERRORS


texts = st.text(max_size=4) | st.just("\ud800") | st.just("2026-01-31T12:00:00Z")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["zip", "city", "verified", "x"]), inner, max_size=3)
    ),
)


@given(name=st.sampled_from([name for name in USER.fields if USER.fields[name] is not USER.pk]), value=json_values)
def test_a_field_is_read_alike_by_itself_and_in_an_object(name: str, value: Any) -> None:
    alone, within = BodyReading(), BodyReading()
    expected = from_json(USER.fields[name].kind, value, name, alone)
    read = within.fields(USER, {name: value}, TOP)
    assert within.errors == alone.errors
    assert alone.errors or repr(read[name]) == repr(expected)  # repr, since true is 1 to Python
