"""Every field class that MongoEngine ships: created, read, filtered, updated with its diff, and refused when wrong."""

from __future__ import annotations

import base64
import enum
from datetime import date, datetime
from decimal import Decimal
from json import dumps, loads
from typing import Any
from uuid import UUID

import mongoengine as me
import pytest
from bson import ObjectId
from mongoengine import fields

import bzz
from bzz import signals
from bzz.errors import ConfigurationError
from tests.rest import raw
from tests.rest.conftest import Api


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Parcel(me.Document):
    """What is referred to with copies of its fields."""

    name = me.StringField(db_field="nm")


class Crate(me.Document):
    """What reference fields of each class refer to; the key is a number."""

    number = me.IntField(primary_key=True)
    name = me.StringField(db_field="nm")


class Label(me.EmbeddedDocument):
    text = me.StringField(db_field="tx", max_length=5)
    size = me.IntField(db_field="sz", default=1)


class Stamp(me.EmbeddedDocument):
    code = me.IntField(db_field="cd")


class Places(me.Document):
    """One field of each class that MongoEngine makes a geographical index for: that takes time."""

    geo_point = me.GeoPointField(db_field="f34")
    point = me.PointField(db_field="f35")
    line = me.LineStringField(db_field="f36")
    polygon = me.PolygonField(db_field="f37")
    points = me.MultiPointField(db_field="f38")
    lines = me.MultiLineStringField(db_field="f39")
    polygons = me.MultiPolygonField(db_field="f40")


class Inventory(me.Document):
    """One field of each other class."""

    string = me.StringField(db_field="f1", regex=r"^[a-z ]*$")
    url = me.URLField(db_field="f2")
    email = me.EmailField(db_field="f3")
    int = me.IntField(db_field="f4", max_value=100)
    long = getattr(me, "LongField", me.IntField)(db_field="f5")  # which releases after 0.29 do not have
    float = me.FloatField(db_field="f6", min_value=-5)
    decimal = me.DecimalField(db_field="f7", precision=2)
    text_decimal = me.DecimalField(db_field="f8", force_string=True)
    boolean = me.BooleanField(db_field="f9")
    datetime = me.DateTimeField(db_field="f10")
    date = me.DateField(db_field="f11")
    complex = me.ComplexDateTimeField(db_field="f12")
    embedded = me.EmbeddedDocumentField(Label, db_field="f13")
    any_embedded = me.GenericEmbeddedDocumentField(db_field="f14", choices=(Label, Stamp))
    dynamic = me.DynamicField(db_field="f15")
    list = me.ListField(me.IntField(max_value=9), db_field="f16")
    free_list = me.ListField(db_field="f17")
    labels = me.EmbeddedDocumentListField(Label, db_field="f18")
    sorted = me.SortedListField(me.IntField(), db_field="f19")
    dict = me.DictField(db_field="f20")
    map = me.MapField(me.IntField(), db_field="f21")
    labels_by_name = me.MapField(me.EmbeddedDocumentField(Label), db_field="f22")
    reference = me.ReferenceField(Crate, db_field="f23")
    dbref = me.ReferenceField(Crate, db_field="f24", dbref=True)
    lazy = me.LazyReferenceField(Crate, db_field="f25")
    any_reference = me.GenericReferenceField(db_field="f26", choices=(Crate,))
    any_lazy = me.GenericLazyReferenceField(db_field="f27", choices=(Crate,))
    binary = me.BinaryField(db_field="f28", max_bytes=8)
    enum = me.EnumField(Colour, db_field="f29")
    number_enum = me.EnumField(Level, db_field="f30")
    object_id = me.ObjectIdField(db_field="f31")
    uuid = me.UUIDField(db_field="f32")
    text_uuid = me.UUIDField(db_field="f33", binary=False)
    decimal128 = me.Decimal128Field(db_field="f41")
    references = me.ListField(me.ReferenceField(Crate), db_field="f42")
    lists = me.ListField(me.ListField(me.IntField()), db_field="f43")
    choice = me.StringField(db_field="f44", choices=(("s", "Small"), ("l", "Large")))


UUID_TEXT = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
RING = [[0, 0], [0, 2], [2, 2], [2, 0], [0, 0]]
CROSSED = [[0, 0], [2, 2], [0, 2], [2, 0], [0, 0]]


def geo(kind: str, coordinates: Any) -> dict[str, Any]:
    return {"type": kind, "coordinates": coordinates}


CRATE = {"@type": "Crate", "id": 7}

# For each field: the JSON that is sent and shown, another one, the model's values of both (ids of references), and JSON
# that is refused.
ROWS: dict[str, tuple[Any, Any, Any, Any, list[Any]]] = {
    "string": ("a b", "c", "a b", "c", [1, True, [], {}, "UPPER"]),
    "url": ("http://a.io/x", "https://b.io", "http://a.io/x", "https://b.io", ["x", 1]),
    "email": ("a@b.io", "c@d.io", "a@b.io", "c@d.io", ["x", 1]),
    "int": (1, 100, 1, 100, [101, 1.5, "1", True, 2**63, 10**500]),
    "long": (2**62, -(2**63), 2**62, -(2**63), [2**63, "1", False]),
    "float": (1.5, -5, 1.5, -5.0, [-6, "1", True]),
    "decimal": ("1.50", "2.25", Decimal("1.50"), Decimal("2.25"), ["x", True, "NaN", "1e30"]),
    "text_decimal": ("1.50", "2.25", Decimal("1.50"), Decimal("2.25"), ["x", [], "Infinity"]),
    "boolean": (True, False, True, False, [0, 1, "true", "yes"]),
    "datetime": (
        "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.001000Z",
        datetime(2026, 1, 31, 10), datetime(2026, 1, 31, 10, 0, 0, 1000), ["2026-13-01T00:00:00Z", "x", 1, "2026"],
    ),
    "date": ("2026-01-31", "0001-01-01", date(2026, 1, 31), date(1, 1, 1), ["2026-02-30", 1, "2026-01-31T00:00:00Z"]),
    "complex": (
        "2026-01-31T10:00:00.000001Z", "2026-01-31T10:00:00.000002Z",
        datetime(2026, 1, 31, 10, 0, 0, 1), datetime(2026, 1, 31, 10, 0, 0, 2), ["x", 1],
    ),
    "embedded": ({"text": "a", "size": 1}, {"text": "b", "size": 1}, "a", "b", [1, [], {"zz": 1}, {"text": "x" * 6}]),
    "any_embedded": (
        {"@type": "Stamp", "code": 1}, {"@type": "Label", "text": "a", "size": 2},
        Stamp(code=1), Label(text="a", size=2),
        [{"code": 1}, {"@type": "Crate"}, {"@type": "Stamp", "code": "x"}, {"@type": "Stamp", "text": "x"}, 1],
    ),
    "dynamic": ({"a": [1, "x"]}, 1, {"a": [1, "x"]}, 1, [{"$a": 1}, {"_cls": "Crate"}]),
    "list": ([1, 2], [2, 1], [1, 2], [2, 1], [1, ["x"], [10], [None], [[1]]]),
    "free_list": ([1, "a", {"b": None}], [], [1, "a", {"b": None}], [], ["x", [{"$a": 1}]]),
    "labels": (
        [{"text": "a", "size": 1}], [{"text": "a", "size": 2}],
        [Label(text="a", size=1)], [Label(text="a", size=2)], [{}, [{"text": "x" * 6}], [{"zz": 1}]],
    ),
    "sorted": ([1, 2], [1, 2, 3], [1, 2], [1, 2, 3], [["x"]]),
    "dict": ({"a": {"b": 1}}, {"a": {"b": True}}, {"a": {"b": 1}}, {"a": {"b": True}}, [[], {"a.b": 1}, {"_cls": "x"}]),
    "map": ({"a": 1}, {"a": 1, "b": 2}, {"a": 1}, {"a": 1, "b": 2}, [{"a": "x"}, [], {"$a": 1}]),
    "labels_by_name": (
        {"a": {"text": "x", "size": 1}}, {"b": {"text": "x", "size": 1}},
        {"a": Label(text="x", size=1)}, {"b": Label(text="x", size=1)}, [{"a": 1}, {"a": {"text": "x" * 6}}],
    ),
    "reference": (7, 8, 7, 8, ["x", "9", [], True]),
    "dbref": (7, 8, 7, 8, ["x", "9", {}]),
    "lazy": (7, 8, 7, 8, ["x", "9", {}]),
    "any_reference": (CRATE, {**CRATE, "id": 8}, CRATE, {**CRATE, "id": 8}, ["7", {"@type": "Label", "id": "7"}]),
    "any_lazy": (CRATE, {**CRATE, "id": 8}, CRATE, {**CRATE, "id": 8},
                 ["7", {**CRATE, "id": "9"}, {**CRATE, "x": 1}]),
    "binary": (base64.b64encode(b"\0\xff").decode(), "", b"\0\xff", b"", ["*", "a", 1, "OTk5OTk5OTk5"]),
    "enum": ("red", "blue", Colour.RED, Colour.BLUE, ["green", 1, "RED"]),
    "number_enum": (1, 2, Level.LOW, Level.HIGH, [3, "1", True]),
    "object_id": ("5f0000000000000000000000", "5f0000000000000000000001",
                  ObjectId("5f0000000000000000000000"), ObjectId("5f0000000000000000000001"), ["x", 1, "5f"]),
    "uuid": (UUID_TEXT, UUID_TEXT.replace("6", "7"), UUID(UUID_TEXT), UUID(UUID_TEXT.replace("6", "7")), ["x", 1]),
    "text_uuid": (UUID_TEXT, UUID_TEXT.replace("6", "7"), UUID(UUID_TEXT), UUID(UUID_TEXT.replace("6", "7")), ["x", 1]),
    "geo_point": (geo("Point", [1, 2]), geo("Point", [1.5, 2]), [1, 2], [1.5, 2],
                  [[1], geo("Point", [1, "x"]), geo("Point", [999, 2]), 1]),
    "point": (geo("Point", [1, 2]), geo("Point", [1.5, 2]), geo("Point", [1, 2]), geo("Point", [1.5, 2]),
              [geo("Polygon", [1, 2]), geo("Point", [1]), geo("Point", [999, 2]), {"type": "Point"}, "x"]),
    "line": (geo("LineString", [[0, 0], [1, 1]]), geo("LineString", [[0, 0], [2, 1]]),
             geo("LineString", [[0, 0], [1, 1]]), geo("LineString", [[0, 0], [2, 1]]),
             [geo("LineString", [[0, 0]]), geo("LineString", [1, 2]), geo("LineString", [])]),
    "polygon": (geo("Polygon", [RING]), geo("Polygon", [[[x, y + 1] for x, y in RING]]),
                geo("Polygon", [RING]), geo("Polygon", [[[x, y + 1] for x, y in RING]]),
                [geo("Polygon", [RING[:-1]]), geo("Polygon", []), geo("Polygon", [CROSSED])]),
    "points": (geo("MultiPoint", [[0, 0]]), geo("MultiPoint", [[0, 0], [1, 1]]),
               geo("MultiPoint", [[0, 0]]), geo("MultiPoint", [[0, 0], [1, 1]]), [geo("MultiPoint", [0, 0])]),
    "lines": (geo("MultiLineString", [[[0, 0], [1, 1]]]), geo("MultiLineString", [[[0, 0], [2, 1]]]),
              geo("MultiLineString", [[[0, 0], [1, 1]]]), geo("MultiLineString", [[[0, 0], [2, 1]]]),
              [geo("MultiLineString", [[0, 0]])]),
    "polygons": (geo("MultiPolygon", [[RING]]), geo("MultiPolygon", [[[[x, y + 1] for x, y in RING]]]),
                 geo("MultiPolygon", [[RING]]), geo("MultiPolygon", [[[[x, y + 1] for x, y in RING]]]),
                 [geo("MultiPolygon", [RING])]),
    "decimal128": ("1.50", "1E+100", Decimal("1.50"), Decimal("1E+100"), ["x", True, "NaN", "1" * 35]),
    "references": ([7], [7, 8], [7], [7, 8], [["9"], "7", [["7"]], [None]]),
    "lists": ([[1], []], [[1, 2]], [[1], []], [[1, 2]], [[1], [["x"]]]),
    "choice": ("s", "l", "s", "l", ["m", "Small", 1]),
}  # fmt: skip

FILTERED = {
    "string": "a b", "url": "http://a.io/x", "email": "a@b.io", "int": "1", "long": str(2**62), "float": "1.5",
    "decimal": "1.50", "text_decimal": "1.50", "boolean": "true", "datetime": "2026-01-31T10:00:00Z",
    "date": "2026-01-31", "complex": "2026-01-31T10:00:00.000001Z", "embedded.text": "a", "list": "2",
    "labels.text": "a", "sorted": "2", "reference": "7", "dbref": "7", "lazy": "7", "enum": "red",
    "number_enum": "1", "object_id": "5f0000000000000000000000", "uuid": UUID_TEXT, "text_uuid": UUID_TEXT,
    "decimal128": "1.50", "references": "7", "choice": "s", "binary": "AP8=",
}  # fmt: skip


def model_of(name: str) -> Any:
    """The model that has a field of this name."""
    return Places if name in Places._fields else Inventory


@pytest.fixture
def crates(database_name: str) -> None:
    for number in (7, 8):
        Crate(number=number, name=f"crate {number}").save()


def test_every_field_class_that_mongoengine_ships_is_tried_here() -> None:
    shipped = {each for each in vars(fields).values() if isinstance(each, type) and issubclass(each, me.base.BaseField)}
    shipped = {each for each in shipped if each.__module__ == "mongoengine.fields"} | {me.ObjectIdField}
    elsewhere = {me.FileField, me.ImageField, me.SequenceField, me.CachedReferenceField}
    tried = Inventory._fields | Places._fields
    assert {type(each) for each in tried.values()} == shipped - elsewhere
    assert ROWS.keys() == tried.keys() - {"id"}


@pytest.mark.parametrize("name", ROWS)
async def test_a_value_is_created_shown_filtered_and_changed_with_its_diff(api: Api, crates: None, name: str) -> None:
    root = f"/{model_of(name).__name__.lower()}/"
    first, second, typed_first, typed_second, _ = ROWS[name]
    client, seen = api(model_of(name)), []

    def listen(sender: Any, updated_fields: dict[str, Any]) -> None:
        seen.append(updated_fields)

    created = await client.post(root, json={name: first})
    assert (created.status_code, created.json()[name]) == (201, first)
    place = created.headers["Location"]
    assert (await client.get(place)).json() == created.json()
    assert [each[name] for each in (await client.get(root)).json()] == [first]
    with signals.post_update_instance.connected_to(listen):
        same = await client.put(place, json={name: first})
        changed = await client.put(place, json={name: second})
        emptied = await client.patch(place, json={name: None})
    assert (same.status_code, changed.status_code, changed.json()[name]) == (200, 200, second)
    assert (emptied.status_code, emptied.json()[name]) == (200, None)
    if name == "embedded":
        name = "embedded.text"
    assert seen[:2] == [{}, {name: {"from": typed_first, "to": typed_second}}]
    assert seen[2][name] == {"from": typed_second, "to": None}
    assert isinstance(seen[1][name]["from"], type(typed_first))
    assert isinstance(seen[1][name]["to"], type(typed_second))


@pytest.mark.parametrize("name", ROWS)
async def test_a_value_of_the_wrong_type_is_refused_and_named(alone: Api, crates: None, name: str) -> None:
    root = f"/{model_of(name).__name__.lower()}/"
    client = alone(model_of(name))
    place = (await client.post(root, json={})).headers["Location"]
    for value in ROWS[name][4]:
        for verb, where in (("POST", root), ("PUT", place), ("PATCH", place)):
            answer = await client.request(verb, where, json={name: value})
            assert (verb, value, answer.status_code) == (verb, value, 400)
            errors = list(answer.json().get("errors", {}))
            assert [each for each in errors if each.partition(".")[0] not in (name, "*")] == []
    assert model_of(name).objects.count() == 1


@pytest.mark.parametrize("name", FILTERED)
async def test_a_value_is_filtered_by_its_text(alone: Api, crates: None, name: str) -> None:
    field = name.partition(".")[0]
    client = alone(Inventory)
    for value in ROWS[field][:2]:
        assert (await client.post("/inventory/", json={field: value})).status_code == 201
    await client.post("/inventory/", json={})
    wanted = {"list": 2, "sorted": 2, "references": 2, "labels.text": 2}.get(name, 1)
    found = await client.get("/inventory/", params={name: FILTERED[name]})
    assert (found.status_code, len(found.json())) == (200, wanted)
    assert len((await client.get("/inventory/", params={f"{name}__in": FILTERED[name]})).json()) == wanted
    assert len((await client.get("/inventory/", params={f"{name}__ne": FILTERED[name]})).json()) == 3 - wanted


async def test_what_no_enum_can_be_is_refused_without_naming_its_class(alone: Api, crates: None) -> None:
    answer = await alone(Inventory).post("/inventory/", json={"enum": "green", "number_enum": 3})
    assert answer.json()["errors"] == {"enum": ["Must be one of: red, blue."], "number_enum": ["Must be one of: 1, 2."]}


@pytest.mark.parametrize("query", ["enum=green", "enum=RED", "number_enum=3", "choice=m", "choice__in=s,Small"])
async def test_a_filter_by_what_no_enum_or_choice_can_be_is_refused(alone: Api, crates: None, query: str) -> None:
    answer = await alone(Inventory).get(f"/inventory/?{query}")
    assert (answer.status_code, "Must be one of: " in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    "name", [name for name in ROWS if name not in FILTERED and not isinstance(ROWS[name][0], list)]
)
async def test_what_has_no_text_form_is_filtered_by_its_being_there(alone: Api, crates: None, name: str) -> None:
    root = f"/{model_of(name).__name__.lower()}/"
    client = alone(model_of(name))
    await client.post(root, json={name: ROWS[name][0]})
    empty = (await client.post(root, json={})).headers["Location"]
    assert (await client.patch(empty, json={name: None})).json()[name] is None
    found = (await client.get(f"{root}?{name}__exists=true")).json()
    assert [each[name] for each in found] == [ROWS[name][0]]


async def test_a_point_may_be_given_as_an_array_and_is_shown_as_geojson(api: Api) -> None:
    answer = await api(Places).post("/places/", json={"point": [3, 4], "geo_point": [3, 4]})
    assert [answer.json()[name] for name in ("point", "geo_point")] == [geo("Point", [3, 4])] * 2
    stored = raw(Places.objects.get())
    assert (stored["f34"], stored["f35"]) == ([3, 4], geo("Point", [3, 4]))


async def test_what_bzz_stores_mongoengine_reads(api: Api, crates: None) -> None:
    client = api(Inventory)
    await client.post("/inventory/", json={name: row[0] for name, row in ROWS.items() if name in Inventory._fields})
    read = Inventory.objects.get()
    assert (read.enum, read.number_enum, read.decimal) == (Colour.RED, Level.LOW, Decimal("1.50"))
    assert (read.reference.name, read.dbref.name, read.any_reference.name) == ("crate 7", "crate 7", "crate 7")
    assert (read.lazy.fetch().name, read.any_lazy.fetch().name) == ("crate 7", "crate 7")
    assert (type(read.any_embedded), read.any_embedded.code) == (Stamp, 1)
    assert (read.complex, read.date, read.uuid) == (
        datetime(2026, 1, 31, 10, 0, 0, 1),
        date(2026, 1, 31),
        UUID(UUID_TEXT),
    )
    read.validate()


async def test_what_mongoengine_stores_bzz_shows_the_same(api: Api, crates: None) -> None:
    client = api(Inventory)
    created = await client.post(
        "/inventory/", json={name: row[0] for name, row in ROWS.items() if name in Inventory._fields}
    )
    copy = Inventory.objects.get()
    copy.id = None
    copy.save(force_insert=True)
    shown = (await client.get(f"/inventory/{copy.id}/")).json()
    assert {**shown, "id": 0} == {**created.json(), "id": 0}


# -- fields that ask the database while they are saved


class Ticket(me.Document):
    text = me.StringField()
    number = me.SequenceField(db_field="nr")
    text_number = me.SequenceField(db_field="tn", value_decorator=str)
    parcel = me.CachedReferenceField(Parcel, fields=["name"], db_field="pc")
    parcels = me.ListField(me.CachedReferenceField(Parcel, fields=["name"]), db_field="ps")


class Receipt(me.Document):
    id = me.SequenceField(primary_key=True)
    total = me.IntField()


async def test_sequences_count_and_cannot_be_written(api: Api) -> None:
    client = api(Ticket)
    shown = [(await client.post("/ticket/", json={})).json() for _ in range(3)]
    assert [(each["number"], each["text_number"]) for each in shown] == [(1, "1"), (2, "2"), (3, "3")]
    for verb, place in (("POST", "/ticket/"), ("PUT", f"/ticket/{shown[0]['id']}/")):
        answer = await client.request(verb, place, json={"number": 9})
        assert (answer.status_code, answer.json()["errors"]) == (400, {"number": ["This field is read-only."]})
    assert [each["number"] for each in (await client.get("/ticket/?sort=-number&number__gt=1")).json()] == [3, 2]


async def test_a_sequence_may_be_the_primary_key(api: Api) -> None:
    client = api(Receipt)
    answers = [await client.post("/receipt/", json={"total": number}) for number in (5, 6)]
    assert [each.headers["Location"] for each in answers] == ["/receipt/1/", "/receipt/2/"]
    assert (await client.get("/receipt/2/")).json() == {"id": 2, "total": 6}
    assert (await client.put("/receipt/2/", json={"id": "2", "total": 7})).json() == {"id": 2, "total": 7}


@pytest.mark.parametrize(("name", "sent"), [("reference", "7"), ("references", ["7"])])
async def test_a_reference_to_an_integer_key_is_read_from_text_too(
    alone: Api, crates: None, name: str, sent: object
) -> None:
    answer = await alone(Inventory).post("/inventory/", json={name: sent})
    assert answer.json()[name] in (7, [7])


async def test_links_by_an_integer_key_are_answered_as_integers(alone: Api, crates: None) -> None:
    client = alone(Inventory)
    place = (await client.post("/inventory/", json={})).headers["Location"]
    for name, sent in (("reference", "7"), ("references", ["7"])):
        answer = await client.post(f"{place}{name}/", json={name: sent})
        assert (answer.status_code, answer.json()) == (200, {name: (await client.get(place)).json()[name]})


@pytest.fixture
def parcels(database_name: str) -> list[str]:
    """The ids of two parcels."""
    return [str(Parcel(name=name).save().id) for name in "ab"]


async def test_a_cached_reference_is_an_id_to_clients_and_holds_its_copies(api: Api, parcels: list[str]) -> None:
    client, (a, b) = api(Ticket), parcels
    created = await client.post("/ticket/", json={"parcel": a, "parcels": [a]})
    assert (created.json()["parcel"], created.json()["parcels"]) == (a, [a])
    assert raw(Ticket.objects.get())["pc"] == {"_id": ObjectId(a), "nm": "a"}
    assert raw(Ticket.objects.get())["ps"] == [{"_id": ObjectId(a), "nm": "a"}]
    for query in (f"parcel={a}", f"parcel__in={a},{b}", f"parcels={a}", "parcel__exists=true", f"parcel__ne={b}"):
        assert (query, len((await client.get(f"/ticket/?{query}")).json())) == (query, 1)
    assert (await client.get(f"/ticket/?parcel={b}")).json() == []
    assert (await client.get(f"{created.headers['Location']}parcel/")).json() == {"id": a, "name": "a"}


async def test_a_document_whose_cached_references_lead_nowhere_is_changed_and_keeps_them(
    api: Api, parcels: list[str]
) -> None:
    client, (a, b), tickets = api(Ticket), parcels, Ticket._get_collection()  # MongoEngine cannot load it
    place = (await client.post("/ticket/", json={"parcel": a, "parcels": [a, b]})).headers["Location"]
    stored = tickets.find_one()
    Parcel.objects(pk=a).delete()
    answer = await client.put(place, json={"text": "x"})
    assert answer.status_code == 200, answer.text
    assert tickets.find_one() == {**stored, "text": "x"}
    answer = await client.patch(place, json={"parcel": None, "parcels": [b]})
    assert (answer.json()["parcel"], answer.json()["parcels"]) == (None, [b])


async def test_a_cached_reference_is_changed_linked_and_unlinked(api: Api, parcels: list[str]) -> None:
    client, seen, (a, b) = api(Ticket), [], parcels
    place = (await client.post("/ticket/", json={"parcel": a})).headers["Location"]

    def listen(sender: Any, updated_fields: dict[str, Any]) -> None:
        seen.append(updated_fields)

    with signals.post_update_instance.connected_to(listen):
        assert (await client.put(place, json={"parcel": b})).json()["parcel"] == b
    assert seen == [{"parcel": {"from": ObjectId(a), "to": ObjectId(b)}}]
    assert raw(Ticket.objects.get())["pc"] == {"_id": ObjectId(b), "nm": "b"}
    linked = [await client.post(f"{place}parcels/", json={"parcels": [a, b]}) for _ in range(2)]
    assert [each.status_code for each in linked] == [200, 200]
    assert raw(Ticket.objects.get())["ps"] == [{"_id": ObjectId(a), "nm": "a"}, {"_id": ObjectId(b), "nm": "b"}]
    assert (await client.delete(f"{place}parcels/{a}/")).status_code == 204
    assert (await client.delete(f"{place}parcel/")).status_code == 204
    stored = raw(Ticket.objects.get())
    assert (stored.get("pc"), stored["ps"]) == (None, [{"_id": ObjectId(b), "nm": "b"}])


async def test_lists_are_walked_by_a_cached_reference(api: Api, parcels: list[str]) -> None:
    client, (a, b) = api(Ticket), parcels
    for parcel in (a, None, b, a):
        await client.post("/ticket/", json={"parcel": parcel})
    for sign, wanted in (("", [None, a, a, b]), ("-", [b, a, a, None])):
        place, seen = f"/ticket/?sort={sign}parcel&per_page=1", []
        while place:
            answer = await client.get(place)
            seen += [each["parcel"] for each in answer.json()]
            place = answer.links.get("next", {}).get("url", "")
        assert seen == wanted


# -- fields that are refused


@pytest.mark.parametrize("field", [me.FileField])
async def test_a_file_field_is_refused_when_the_routes_are_made(field: Any) -> None:
    class Manifest(me.Document):
        scan = field()
        name = me.StringField()

    with pytest.raises(ConfigurationError, match=r"Manifest\.scan"):
        bzz.ModelHive.routes_for("mongoengine", Manifest)
    assert bzz.ModelHive.routes_for("mongoengine", Manifest, hidden=["scan"])


async def test_an_image_field_is_refused_when_the_routes_are_made() -> None:
    pytest.importorskip("PIL")

    class Poster(me.Document):
        image = me.ImageField()

    with pytest.raises(ConfigurationError, match=r"Poster\.image"):
        bzz.ModelHive.routes_for("mongoengine", Poster)


# -- defaults


class Voucher(me.Document):
    at = me.DateTimeField(default=lambda: datetime(2026, 1, 1))
    kind = me.StringField(default="plain")
    codes = me.ListField(me.IntField(), default=lambda: [1, 2])
    label = me.EmbeddedDocumentField(Label, default=lambda: Label(text="x"))
    must = me.StringField(required=True, default="here")


async def test_defaults_are_stored_and_shown(api: Api) -> None:
    shown = (await api(Voucher).post("/voucher/", json={})).json()
    assert {key: each for key, each in shown.items() if key != "id"} == {
        "at": "2026-01-01T00:00:00Z",
        "kind": "plain",
        "codes": [1, 2],
        "label": {"text": "x", "size": 1},
        "must": "here",
    }
    stored = raw(Voucher.objects.get())
    assert (stored["kind"], stored["label"]) == ("plain", {"tx": "x", "sz": 1})


async def test_null_unsets_a_field_with_a_default_and_resets_a_required_one(api: Api) -> None:
    client = api(Voucher)
    place = (await client.post("/voucher/", json={"kind": "a", "must": "b"})).headers["Location"]
    shown = (await client.put(place, json={"kind": None, "must": None})).json()
    assert (shown["kind"], shown["must"]) == (None, "here")


# -- what receivers are told of each


REFERENCES = {"reference", "dbref", "lazy", "any_reference", "any_lazy", "references"}


class Entry(me.Document):
    """An entry of an audit log."""

    diff = me.DynamicField()


class Heard:
    """The instance and the diff of one update."""

    def __call__(self, sender: Any, instance: Any, updated_fields: Any, change: Any) -> None:
        self.instance, self.diff, self.change = instance, updated_fields, change


@pytest.mark.parametrize("name", [name for name in ROWS if name not in {*REFERENCES, "embedded"}])
async def test_a_diff_holds_what_the_instance_holds(alone: Api, crates: None, name: str) -> None:
    client, heard, second = alone(model_of(name)), Heard(), ROWS[name][1]
    place = (await client.post(f"/{model_of(name).__name__.lower()}/", json={name: ROWS[name][0]})).headers["Location"]
    with signals.post_update_instance.connected_to(heard):
        await client.put(place, json={name: second})
    told = heard.diff[name]["to"]
    assert told == getattr(heard.instance, name)
    assert type(told) is type(ROWS[name][3])


@pytest.mark.parametrize("name", ROWS)
async def test_a_diff_can_be_stored_as_json_and_in_mongodb(alone: Api, crates: None, name: str) -> None:
    client, heard = alone(model_of(name)), Heard()
    place = (await client.post(f"/{model_of(name).__name__.lower()}/", json={name: ROWS[name][0]})).headers["Location"]
    with signals.post_update_instance.connected_to(heard):
        await client.put(place, json={name: ROWS[name][1]})
    for diff in (heard.diff, heard.change.diff):
        plain = bzz.storable(diff)
        assert plain.keys() == diff.keys()
        assert loads(dumps(plain)) == plain
        entry = Entry(diff=plain).save()
        assert Entry.objects.get(id=entry.id).diff == plain
    if name not in {*REFERENCES, "embedded", "any_embedded", "geo_point"}:
        assert bzz.storable(heard.diff) == {name: {"from": ROWS[name][0], "to": ROWS[name][1]}}
