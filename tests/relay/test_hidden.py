"""What any routes hide is hidden from other processes too, at any depth."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import pytest
from bson import ObjectId

import bzz
from bzz.providers.hidden import hides, without_hidden
from bzz.providers.mongoengine.portable import put_together, take_apart


class Payment(me.EmbeddedDocument):
    number = me.StringField()
    kind = me.StringField()
    meta = {"allow_inheritance": True}  # noqa: RUF012  # MongoEngine reads it as it is


class GoldPayment(Payment):
    limit = me.IntField()


class Payer(me.Document):
    name = me.StringField()
    secret = me.StringField(db_field="s")
    card = me.EmbeddedDocumentField(Payment)
    cards = me.EmbeddedDocumentListField(Payment)
    by_name = me.MapField(me.EmbeddedDocumentField(Payment))
    meta = {"collection": "relayed_holder", "allow_inheritance": True}  # noqa: RUF012


class SpecialPayer(Payer):
    extra = me.StringField()


class LooseNote(me.Document):
    tags = me.ListField()
    notes = me.DictField()
    rows = me.ListField(me.ListField())
    by_day = me.MapField(me.ListField())


@pytest.fixture(autouse=True)
def _routes(database_name: str) -> None:
    bzz.ModelHive.routes_for("mongoengine", Payer, hidden=["secret", "card.number"])


def nothing(model: type, name: str) -> bool:
    return False


def test_a_field_is_hidden_in_the_classes_below_and_above() -> None:
    assert hides(Payer, "secret")
    assert hides(SpecialPayer, "secret")
    assert hides(GoldPayment, "number")
    assert not hides(Payer, "name")


def test_lists_and_maps_of_anything_are_sent_as_they_are() -> None:
    values = {"tags": ["a", 1], "notes": {"k": {"l": [1]}}, "rows": [["a"], []], "by_day": {"mo": ["b"]}}
    parts = take_apart(LooseNote(id=ObjectId(), **values), nothing)
    assert {name: parts["values"][name] for name in values} == values


def test_no_hidden_value_is_in_a_document_at_any_depth() -> None:
    card = GoldPayment(number="4111", kind="visa", limit=5)
    holder = SpecialPayer(
        id=ObjectId(), name="Ada", secret="x", card=card, cards=[card], by_name={"a": card}, extra="e"
    )
    parts = take_apart(holder, nothing)
    assert "4111" not in str(parts)
    assert parts["values"].keys() == {"_id", "_cls", "name", "card", "cards", "by_name", "extra"}
    again = put_together(parts["class"], parts["values"])
    assert type(again) is SpecialPayer
    assert (again.name, again.secret, again.card.kind, again.card.number) == ("Ada", None, "visa", None)
    assert [each.limit for each in (again.cards[0], again.by_name["a"])] == [5, 5]  # a map looks at whose they are


def test_what_is_named_leaves() -> None:
    holder = Payer(id=ObjectId(), secret="x", card=Payment(number="4111"))
    parts = take_apart(holder, lambda model, name: (model, name) == (Payer, "secret"))
    assert (parts["values"]["s"], "number" in parts["values"]["card"]) == ("x", False)


@pytest.mark.parametrize(
    ("diff", "open_part"),
    [
        ({"secret": {"from": 1, "to": 2}}, {}),
        ({"card.number": {"from": 1, "to": 2}}, {}),
        ({"cards.0.number": {"from": 1, "to": 2}}, {}),
        (
            {"cards.0": {"from": None, "to": {"number": "4111", "kind": "v"}}},
            {"cards.0": {"from": None, "to": {"kind": "v"}}},
        ),
        ({"cards.0.kind": {"from": 1, "to": 2}}, {"cards.0.kind": {"from": 1, "to": 2}}),
        ({"by_name.a.number": {"from": 1, "to": 2}}, {}),
        ({"card.kind": {"from": 1, "to": 2}}, {"card.kind": {"from": 1, "to": 2}}),
        ({"name": {"from": 1, "to": 2}}, {"name": {"from": 1, "to": 2}}),
        (
            {"cards": {"from": [], "to": [{"number": "4111", "kind": "visa"}]}},
            {"cards": {"from": [], "to": [{"kind": "visa"}]}},
        ),
        (
            {"by_name": {"from": None, "to": {"a": {"number": "4111", "kind": "visa"}}}},
            {"by_name": {"from": None, "to": {"a": {"kind": "visa"}}}},
        ),
        (
            {"by_name": {"from": None, "to": {"number": {"kind": "visa"}}}},  # a key of the map, and no name of a field
            {"by_name": {"from": None, "to": {"number": {"kind": "visa"}}}},
        ),
    ],
)
def test_no_hidden_value_is_in_the_changes(diff: dict[str, Any], open_part: dict[str, Any]) -> None:
    assert without_hidden(Payer, diff, nothing) == open_part
