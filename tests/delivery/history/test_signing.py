"""The process that wrote and the one that records tell a change alike, whatever is in it and however it was stored."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from enum import Enum
from typing import Any, ClassVar

import mongoengine as me
import pytest

import bzz
from tests.conftest import Driver
from tests.delivery.conftest import listening
from tests.delivery.history.conftest import Reader


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class InnerKind(me.EmbeddedDocument):
    at = me.DateTimeField(default=lambda: datetime.now(UTC))
    price = me.DecimalField(default=1)
    note = me.StringField(default="x")


class Kinds(me.Document):
    text = me.StringField()
    made = me.DateTimeField(default=lambda: datetime.now(UTC))
    due = me.DateTimeField()
    day = me.DateField()
    exact = me.ComplexDateTimeField()
    price = me.DecimalField(precision=3)
    ratio = me.FloatField()
    large = me.LongField()
    token = me.UUIDField(default=uuid.uuid4)
    raw = me.BinaryField()
    color = me.EnumField(Color, default=Color.RED)
    place = me.PointField()
    extra = me.DictField()
    each = me.MapField(me.IntField())
    inner = me.EmbeddedDocumentField(InnerKind)
    inners = me.EmbeddedDocumentListField(InnerKind)
    sorted = me.SortedListField(me.IntField())
    other = me.ReferenceField("self")
    any_other = me.GenericReferenceField()
    count = me.SequenceField()
    secret = me.StringField()
    pin = me.StringField()
    meta: ClassVar = {"bzz": {"write_only": ["pin"], "hidden": ["secret"]}}


class Saved(me.Document):
    name = me.StringField()
    tags = me.ListField(me.StringField())
    at = me.DateTimeField()

    def save(self, *arguments: Any, **more: Any) -> Any:
        self.at = datetime.now(UTC)
        return super().save(*arguments, **more)


class Scrubbed(me.Document):
    name = me.StringField()
    tags = me.ListField(me.StringField())
    secret = me.StringField()
    meta: ClassVar = {"bzz": {"hidden": ["secret"]}}

    def clean(self) -> None:
        self.secret = f"of {self.name}"


CHANGING = {"made", "token"}
"""Fields whose default is another value each time: who unsets one is not known, since both sides see another value."""

VALUES: dict[str, Any] = {
    "text": " é",
    "due": "2026-01-02T03:04:05.678901Z",
    "day": "2026-01-02",
    "exact": "2026-01-02T03:04:05.678901Z",
    "price": "1.2345",
    "ratio": 0.1,
    "large": 2**53 + 1,
    "raw": "aGk=",
    "color": "blue",
    "place": {"type": "Point", "coordinates": [1, 2.5]},
    "extra": {"a": {"b": [1, {"c": None}]}, "d": 1.0},
    "each": {"b": 1, "a": 2},
    "inner": {"note": "y"},
    "inners": [{"price": "2"}, {"note": None}],
    "sorted": [3, 1, 2],
    "pin": "1234",
    "made": "2026-01-02T03:04:05Z",
    "token": "00000000-0000-0000-0000-000000000001",
}


@pytest.mark.parametrize("model", [Kinds, Saved, Scrubbed])
async def test_whatever_is_written_is_signed(served: Any, driver: Driver, database_name: str, model: Any) -> None:
    bzz.history(model)
    app = served(bzz.ModelHive.routes_for("mongoengine", model, database=driver()))
    values: dict[str, Any] = VALUES if model is Kinds else {"name": "a", "tags": ["b"]}
    name = model.__name__.lower()
    async with bzz.deliver():
        await listening()
        first = await app.create(f"/{name}/", "ann")
        number = 1
        for field, value in values.items():
            await first.put("ann", **{field: value})
            number += 1
        await first.put("bob", **dict.fromkeys(values.keys() - CHANGING))
        second = await app.create(f"/{name}/", "cid", **values)
        assert await first.signed(number + 1)
        [created] = await second.signed(1)
    assert created["who"] == "cid"


class Baggy(me.DynamicDocument):
    name = me.StringField()


class KeptThing(me.EmbeddedDocument):
    size = me.IntField()
    secret = me.StringField()
    meta: ClassVar = {"bzz": {"hidden": ["secret"]}}


class Clasped(me.Document):
    thing = me.GenericEmbeddedDocumentField(choices=[KeptThing])
    things = me.ListField(me.GenericEmbeddedDocumentField(choices=[KeptThing]))
    by_name = me.MapField(me.EmbeddedDocumentField(KeptThing))
    rows = me.ListField(me.ListField(me.IntField()))
    boss = me.GenericReferenceField()


def without_types(value: Any) -> Any:
    """What a diff tells of embedded documents: it does not name their classes."""
    if isinstance(value, list):
        return [without_types(each) for each in value]
    if isinstance(value, dict) and "id" not in value:
        return {key: without_types(each) for key, each in value.items() if key != "@type"}
    return value


@pytest.mark.parametrize("model", [Kinds, Baggy, Clasped])
async def test_what_is_told_has_the_form_in_which_the_document_is_shown(
    served: Any, database_name: str, model: Any
) -> None:
    bzz.history(model)
    app = served(bzz.ModelHive.routes_for("mongoengine", model))
    name = model.__name__.lower()
    async with bzz.deliver():
        await listening()
        if model is Kinds:
            document = await app.create(f"/{name}/", **VALUES)
        else:
            thing = KeptThing(size=1, secret="s3cret")
            made = (
                model(name="a", more={"a": [1]})
                if model is Baggy
                else model(
                    thing=thing, things=[thing], by_name={"x": thing}, rows=[[1], [2, 3]], boss=Saved(name="b").save()
                )
            )
            document = Reader(app.client, f"/{name}/{made.save().pk}/")
        [entry] = await document.history(1)
        shown = (await app.client.get(document.place)).json()
    assert entry["diff"]
    assert "s3cret" not in str(entry)
    for dotted, pair in entry["diff"].items():
        value: Any = shown
        for part in dotted.split("."):
            value = value[int(part) if isinstance(value, list) else part] if dotted != "pin" else "***"
        assert pair["to"] == without_types(value), dotted
