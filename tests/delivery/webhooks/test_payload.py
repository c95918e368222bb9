"""What a webhook says of an event: all that a client may see, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import mongoengine as me
import pytest
from bson import ObjectId

import bzz
from bzz.change import Diff
from bzz.delivery.webhooks.payload import id_of, write
from bzz.events import Created, Deleted, Event, FieldUpdated, Updated
from bzz.events.event import stamp
from tests.conftest import Driver, Serve

AT = datetime(2026, 11, 27, 9, 0, 0, 125000, tzinfo=UTC)


class PaymentCard(me.EmbeddedDocument):
    kind = me.StringField()
    number = me.StringField()


class Purchase(me.Document):
    status = me.StringField()
    price = me.DecimalField()
    at = me.DateTimeField()
    secret = me.StringField()
    password = me.StringField()
    internal = me.StringField()
    card = me.EmbeddedDocumentField(PaymentCard)
    cards = me.EmbeddedDocumentListField(PaymentCard)
    by_name = me.MapField(me.EmbeddedDocumentField(PaymentCard))
    piles = me.ListField(me.MapField(me.EmbeddedDocumentField(PaymentCard)))
    any_card = me.GenericEmbeddedDocumentField(choices=[PaymentCard])
    meta = {"allow_inheritance": True, "bzz": {"write_only": ["password"], "hidden": ["internal"]}}  # noqa: RUF012


class GiftPurchase(Purchase):
    wish = me.StringField()


HIDDEN = ["secret", "card.number", "cards.number", "by_name.number", "piles.number"]


@pytest.fixture(autouse=True)
def _routes(database_name: str) -> None:
    bzz.ModelHive.routes_for("mongoengine", Purchase, hidden=HIDDEN)


def purchase(model: Any = Purchase, **values: Any) -> Any:
    card = PaymentCard(kind="visa", number="4111")
    hidden = {"secret": "x-secret", "password": "x-password", "internal": "x-internal"}
    return model(id=ObjectId("0" * 24), card=card, cards=[card], **hidden, **values)


def stamped(event: Event, id: str = "purchase:1795770000.1.1") -> Event:
    stamp(event, id=id, occurred_at=AT, attempt=1, failing_since=None)
    return event


async def body(event: Event) -> dict[str, Any]:
    written = await write(stamped(event))
    assert written is not None
    for each in ("x-secret", "x-password", "x-internal", "4111"):
        assert each.encode() not in written
    found: dict[str, Any] = json.loads(written)
    return found


async def test_an_event_is_its_type_its_time_and_what_a_client_sees() -> None:
    instance = purchase(status="open", price=Decimal("1.50"), at=datetime(2026, 1, 2))
    event = Created(model=Purchase, instance=instance)
    assert await body(event) == {
        "type": "Purchase.created",
        "timestamp": "2026-11-27T09:00:00.125000Z",
        "data": {
            "id": "0" * 24,
            "instance": {
                "id": "0" * 24,
                "status": "open",
                "price": "1.50",
                "at": "2026-01-02T00:00:00Z",
                "card": {"kind": "visa"},
                "cards": [{"kind": "visa"}],
                "by_name": {},
                "piles": [],
                "any_card": None,
            },
        },
    }


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("card", PaymentCard(kind="visa", number="4111"), {"kind": "visa"}),
        ("cards", [PaymentCard(kind="visa", number="4111")], [{"kind": "visa"}]),
        ("cards.0", PaymentCard(kind="visa", number="4111"), {"kind": "visa"}),
        ("by_name", {"number": PaymentCard(kind="visa", number="4111")}, {"number": {"kind": "visa"}}),
        ("piles", [{"a": PaymentCard(kind="visa", number="4111")}], [{"a": {"kind": "visa"}}]),
        ("any_card", PaymentCard(kind="visa", number="4111"), {"kind": "visa"}),
    ],
)
async def test_embedded_documents_in_a_diff_are_without_what_is_hidden(name: str, value: Any, shown: Any) -> None:
    diff: Diff = {name: {"from": None, "to": value}}
    found = await body(Updated(model=Purchase, instance=purchase(), diff=diff))
    assert found["data"]["diff"] == {name: {"from": None, "to": shown}}


async def test_an_update_of_what_is_hidden_alone_is_not_told() -> None:
    old, new = (PaymentCard(kind="visa", number=number) for number in ("4111", "4112"))
    diff: Diff = {"cards": {"from": [old], "to": [new]}, "secret": {"from": "x-secret", "to": None}}
    assert await write(stamped(Updated(model=Purchase, instance=purchase(), diff=diff))) is None
    of_field = FieldUpdated(model=Purchase, instance=purchase(), field="cards", old=[old], new=[new], diff=diff)
    assert await write(stamped(of_field)) is None


async def test_an_update_has_its_diff_without_what_is_hidden() -> None:
    diff: Diff = {
        "status": {"from": "open", "to": "paid"},
        "price": {"from": None, "to": Decimal("1.50")},
        "secret": {"from": "x-secret", "to": None},
        "internal": {"from": None, "to": "x-internal"},
        "card.number": {"from": "4111", "to": None},
        "cards": {"from": [], "to": [{"kind": "visa", "number": "4111"}]},
    }
    assert (await body(Updated(model=Purchase, instance=purchase(), diff=diff)))["data"]["diff"] == {
        "status": {"from": "open", "to": "paid"},
        "price": {"from": None, "to": "1.50"},
        "cards": {"from": [], "to": [{"kind": "visa"}]},
    }


async def test_an_event_about_a_field_has_all_that_changed_with_it() -> None:
    diff: Diff = {"status": {"from": "open", "to": "paid"}, "secret": {"from": "x-secret", "to": None}}
    event = FieldUpdated(model=Purchase, instance=purchase(), field="status", old="open", new="paid", diff=diff)
    found = await body(event)
    assert (found["type"], found["data"]["diff"]) == ("Purchase.updated.status", {"status": diff["status"]})


@pytest.mark.parametrize("field", ["secret", "internal", "card.number", "cards.0.number"])
async def test_an_event_about_a_hidden_field_is_not_told_at_all(field: str) -> None:
    event = FieldUpdated(model=Purchase, instance=purchase(), field=field, old=None, new="x", diff={})
    assert await write(stamped(event)) is None


async def test_a_deleted_document_is_told_as_it_was() -> None:
    found = await body(Deleted(model=Purchase, instance=purchase(status="paid")))
    assert (found["type"], found["data"]["instance"]["status"]) == ("Purchase.deleted", "paid")


async def test_what_the_database_did_not_keep_is_null() -> None:
    event = Updated(model=Purchase, instance=purchase())
    stamp(event, instance=None, diff=None)
    assert (await body(event))["data"] == {"id": None, "instance": None, "diff": None}


async def test_a_document_of_a_subclass_is_shown_as_one() -> None:
    found = await body(Created(model=Purchase, instance=purchase(GiftPurchase, wish="joy")))
    assert found["data"]["instance"]["wish"] == "joy"


class Unserved(me.Document):
    name = me.StringField()
    internal = me.StringField()
    meta = {"bzz": {"hidden": ["internal"]}}  # noqa: RUF012


async def test_a_model_without_routes_hides_what_it_says_itself() -> None:
    diff = {"internal": {"from": None, "to": "x-internal"}, "name": {"from": None, "to": "Ann"}}
    instance = Unserved(id=ObjectId(), name="Ann", internal="x-internal")
    found = await body(Updated(model=Unserved, instance=instance, diff=diff))
    assert found["data"]["instance"] == {"id": str(instance.pk), "name": "Ann"}
    assert found["data"]["diff"] == {"name": {"from": None, "to": "Ann"}}


class Sender(me.Document):
    login = me.StringField(primary_key=True)


class Bundle(me.Document):
    code = me.StringField()
    owner = me.ReferenceField(Sender)

    @classmethod
    def get_id_field_name(cls) -> str:
        return "code"


async def test_the_id_is_the_one_that_stands_in_urls() -> None:
    parcel = Bundle(id=ObjectId(), code="p-1", owner=Sender(login="ann"))
    data = (await body(Created(model=Bundle, instance=parcel)))["data"]
    assert (data["id"], data["instance"]["owner"]) == ("p-1", "ann")


class Shipment(me.Document):
    parcel = me.ReferenceField(Bundle)


async def test_references_are_public_ids_as_in_answers() -> None:
    parcel = await asyncio.to_thread(Bundle(code="p-1").save)
    data = (await body(Created(model=Shipment, instance=Shipment(id=ObjectId(), parcel=parcel))))["data"]
    assert data["instance"]["parcel"] == "p-1"


class Counted(me.Document):
    number = me.SequenceField(primary_key=True)

    def to_dict(self) -> dict[str, Any]:
        return {"number": self.number, "words": "seven"}


async def test_a_model_that_shows_itself_otherwise_is_shown_so() -> None:
    data = (await body(Created(model=Counted, instance=Counted(number=7))))["data"]
    assert data == {"id": 7, "instance": {"number": 7, "words": "seven"}}


async def test_a_write_by_http_is_told_with_masked_write_only_fields(
    serve: Serve, driver: Driver, listening: Callable[[str], list[Event]]
) -> None:
    seen = listening("Purchase.*")
    client = serve(bzz.ModelHive.routes_for("mongoengine", Purchase, hidden=HIDDEN, database=driver()))
    made = await client.post("/purchase/", json={"status": "open", "password": "x-password"})
    await client.put(f"/purchase/{made.json()['id']}/", json={"status": "paid", "password": "x-password-2"})
    updated = next(each for each in seen if type(each) is Updated)
    found = await body(updated)
    assert found["data"]["instance"]["status"] == "paid"
    assert found["data"]["diff"] == {
        "status": {"from": "open", "to": "paid"},
        "password": {"from": "***", "to": "***"},
    }


@pytest.fixture
def listening() -> Any:
    """Keep the events that match a target."""
    functions = []

    def start(target: str) -> list[Event]:
        seen: list[Event] = []

        def keep(event: Any) -> None:
            seen.append(event)

        bzz.on(target)(keep)
        functions.append(keep)
        return seen

    yield start
    for each in functions:
        bzz.off(each)


def test_every_attempt_has_the_same_id_and_each_event_its_own() -> None:
    updated = stamped(Updated(model=Purchase, instance=purchase()))
    fields = [
        stamped(FieldUpdated(model=Purchase, instance=purchase(), field=name, old=1, new=2)) for name in ("a", "a.b")
    ]
    ids = [id_of(each) for each in (updated, *fields)]
    assert ids == ["purchase:1795770000~1~1", "purchase:1795770000~1~1:a", "purchase:1795770000~1~1:a~b"]
    assert [id_of(each) for each in (updated, *fields)] == ids


async def test_events_are_written_at_the_same_time() -> None:
    found = await asyncio.gather(*(body(Created(model=Purchase, instance=purchase(status=str(n)))) for n in range(9)))
    assert [each["data"]["instance"]["status"] for each in found] == [str(n) for n in range(9)]
