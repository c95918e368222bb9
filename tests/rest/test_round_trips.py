"""GET, then PUT of what was shown, changes nothing that is stored: for any document and any rights to its fields."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID, uuid4

import mongoengine as me
import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bzz
from bzz.codec import dumps
from tests.conftest import Serve


class Mood(Enum):
    CALM = "calm"
    WILD = "wild"


class Petal(me.EmbeddedDocument):
    """Has no id."""

    text = me.StringField(default="-")
    secret = me.StringField()
    at = me.ComplexDateTimeField()


class Twig(me.EmbeddedDocument):
    """Has an id, and other documents in it."""

    meta: ClassVar[dict[str, Any]] = {"allow_inheritance": True}
    key = me.UUIDField(primary_key=True, default=uuid4)
    text = me.StringField(required=True, default="twig")
    secret = me.StringField(required=True, default="s")
    petal = me.EmbeddedDocumentField(Petal)
    petals = me.EmbeddedDocumentListField(Petal)


class LongTwig(Twig):
    """A class below; fields of its own could not be sent back, since a body is read by the declared class."""


class Seed(me.Document):
    """What a plant refers to."""


class Growing(me.Document):
    """A field of every kind, and every kind of nesting."""

    meta: ClassVar[dict[str, Any]] = {"abstract": True}
    title = me.StringField()
    count = me.IntField(null=True)
    ratio = me.FloatField(default=1.5)
    price = me.DecimalField(precision=2)
    exact = me.Decimal128Field()
    flag = me.BooleanField(default=True)
    when = me.DateTimeField()
    day = me.DateField()
    uid = me.UUIDField()
    blob = me.BinaryField()
    mood = me.EnumField(Mood)
    point = me.GeoPointField()
    link = me.LazyReferenceField("Seed")
    links = me.ListField(me.ReferenceField("Seed"))
    any_link = me.GenericReferenceField(choices=["Seed"])
    free = me.DictField()
    free_list = me.ListField()
    ratios = me.ListField(me.FloatField())
    petal = me.EmbeddedDocumentField(Petal)
    petals = me.ListField(me.EmbeddedDocumentField(Petal))
    twig = me.EmbeddedDocumentField(Twig)
    twigs = me.ListField(me.EmbeddedDocumentField(Twig))
    twig_map = me.MapField(me.EmbeddedDocumentField(Twig))
    grid = me.ListField(me.ListField(me.EmbeddedDocumentField(Petal)))
    some = me.GenericEmbeddedDocumentField(choices=(Petal, Twig))
    somes = me.ListField(me.GenericEmbeddedDocumentField(choices=(Petal, Twig)))


class Plant(Growing):
    """Is written by the asynchronous driver."""


class SavedPlant(Growing):
    """Is written by MongoEngine itself."""

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)


KNOWN = ObjectId()
GONE = ObjectId()

text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3)
floats = st.sampled_from([0.0, -1.5, math.nan, math.inf])
petals = st.builds(
    Petal, text=text | st.none(), secret=text | st.none(), at=st.none() | st.datetimes(datetime(1900, 1, 1))
)
petals_of = st.lists(petals, max_size=3)
twigs = st.builds(
    lambda kind, **values: kind(**values),
    st.sampled_from([Twig, LongTwig]),
    text=text,
    secret=text,
    petal=st.none() | petals,
    petals=petals_of,
)
free = st.recursive(
    st.none() | st.integers(-9, 9) | text | st.just(KNOWN) | st.just(b"x") | st.just(datetime(2026, 1, 1)) | floats,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "title": text,
    "count": st.integers(-9, 9) | st.none(),
    "ratio": floats,
    "price": st.sampled_from([Decimal("1.50"), Decimal("-2")]),
    "exact": st.sampled_from([Decimal("1.50"), Decimal("1E+100")]),
    "flag": st.booleans(),
    "when": st.datetimes(datetime(1900, 1, 1)),
    "day": st.just(date(2026, 1, 31)),
    "uid": st.just(UUID(int=7)),
    "blob": st.binary(max_size=3),
    "mood": st.sampled_from(Mood),
    "point": st.just([1.0, 2.5]),
    "link": st.sampled_from([KNOWN, GONE]),
    "links": st.lists(st.sampled_from([KNOWN, GONE]), max_size=2),
    "free": st.dictionaries(st.sampled_from("abc"), free, max_size=2),
    "free_list": st.lists(free.filter(lambda item: dumps(item) != b"null"), max_size=2),  # a null is no item
    "ratios": st.lists(st.sampled_from([0.0, 1.5]), max_size=2),
    "petal": petals,
    "petals": petals_of,
    "twig": twigs,
    "twigs": st.lists(twigs, max_size=3, unique_by=lambda twig: twig.key),
    "twig_map": st.dictionaries(st.sampled_from("ab"), twigs, max_size=2),
    "grid": st.lists(petals_of, max_size=2),
    "some": petals | twigs.filter(lambda twig: type(twig) is Twig),
    "somes": st.lists(petals | twigs.filter(lambda twig: type(twig) is Twig), max_size=3, unique_by=id),
}
RIGHTS = [
    *(name for name in VALUES if name not in ("some", "somes")),
    *("petal.text", "petal.secret", "petal.at", "twigs.key", "twigs.text", "twigs.secret", "twigs.petal"),
    "twigs.petals",
]


def stored_form(model: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The raw document that MongoEngine makes of ``values``, with free-form values as others may have stored them."""
    as_given = {name: values[name] for name in ("free", "free_list") if name in values}
    links = {name: values[name] for name in ("link", "links") if name in values}
    rest = {name: value for name, value in values.items() if name not in as_given and name not in links}
    return {**dict(model(**rest).to_mongo()), **links, **as_given}


class Mount:
    """One server, on which a model is mounted anew for each example."""

    def __init__(self, serve: Serve) -> None:
        self._routes = bzz.ModelHive.routes_for("mongoengine", Plant, resource_name="plant")
        self.client = serve(self._routes)

    def change(self, model: Any, **rights: Any) -> None:
        (route,) = bzz.ModelHive.routes_for("mongoengine", model, resource_name="plant", **rights)
        self._routes[0][2].update(route[2])


@pytest.fixture
def mount(serve: Serve, database_name: str) -> Mount:
    return Mount(serve)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    values=st.fixed_dictionaries({}, optional=VALUES),
    hidden=st.sets(st.sampled_from(RIGHTS), max_size=4),
    read_only=st.sets(st.sampled_from(RIGHTS), max_size=4),
    model=st.sampled_from([Plant, SavedPlant]),
)
async def test_what_is_put_as_it_was_got_changes_nothing(
    mount: Mount, values: dict[str, Any], hidden: set[str], read_only: set[str], model: Any
) -> None:
    collection = model._get_collection()
    Seed(id=KNOWN).save()
    number = collection.insert_one(stored_form(model, values)).inserted_id
    before = collection.find_one({"_id": number})
    mount.change(model, hidden=sorted(hidden), read_only=sorted(read_only))
    shown = (await mount.client.get(f"/plant/{number}/")).json()
    answer = await mount.client.put(f"/plant/{number}/", json=shown)
    assert answer.status_code == 200, answer.text
    assert repr(collection.find_one({"_id": number})) == repr(before)  # NaN is not NaN, and 1 is 1.0
