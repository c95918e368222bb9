"""A webhook from the event to the receiver, which verifies it with the package of those who wrote the standard."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import mongoengine as me
import pytest
from bson import ObjectId
from standardwebhooks import Webhook

import bzz
from bzz.delivery.listener import RetryLater, SwitchOff
from bzz.delivery.webhooks.answer import Undelivered
from bzz.delivery.webhooks.endpoint import read_endpoint
from bzz.delivery.webhooks.public import networks
from bzz.delivery.webhooks.sender import Sender
from bzz.delivery.webhooks.signature import Signer
from bzz.delivery.webhooks.webhook import SCHEDULE, webhook
from bzz.errors import ConfigurationError
from bzz.events import Created, Event, FieldUpdated, Updated
from bzz.events.event import stamp
from tests.delivery.webhooks.receiver import Receiver, answering, receiving

NEW, OLD = (f"whsec_{base64.b64encode(each * 32).decode()}" for each in (b"n", b"o"))
HERE = ["127.0.0.0/8"]


class Invoice(me.Document):
    status = me.StringField()
    secret = me.StringField()


@pytest.fixture(autouse=True)
def _routes(database_name: str) -> None:
    bzz.ModelHive.routes_for("mongoengine", Invoice, hidden=["secret"])


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


def event(kind: Any = Created, failing_since: datetime | None = None, **values: Any) -> Event:
    instance = Invoice(id=ObjectId("0" * 24), status="paid", secret="x-secret")
    made = kind(model=Invoice, instance=instance, **values)
    at = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    stamp(made, id="invoice:1795770000.1.1", occurred_at=at)
    made.tell(None, 1, failing_since)
    told: Event = made
    return told


def sender(url: str, secret: Any = NEW, seconds: float = 30.0) -> Sender:
    allow = networks(HERE)
    return Sender(read_endpoint(url, allow), Signer(secret), allow, seconds=seconds)


async def test_a_receiver_gets_the_event_signed(receiver: Receiver) -> None:
    await sender(receiver.url).send(event())
    [received] = receiver.requests
    assert (received.line, received.headers["content-type"]) == ("POST /hook HTTP/1.1", "application/json")
    assert (received.headers["webhook-id"], received.headers["user-agent"]) == ("invoice:1795770000~1~1", "bzz")
    assert Webhook(NEW).verify(received.body, received.headers) == {
        "type": "Invoice.created",
        "timestamp": "2026-11-27T09:00:00Z",
        "data": {"id": "0" * 24, "instance": {"id": "0" * 24, "status": "paid"}},
    }


async def test_during_a_rotation_receivers_with_either_secret_verify(receiver: Receiver) -> None:
    await sender(receiver.url, [NEW, OLD]).send(event())
    [received] = receiver.requests
    assert Webhook(NEW).verify(received.body, received.headers) == Webhook(OLD).verify(received.body, received.headers)


async def test_an_event_that_is_sent_again_has_its_id_and_a_new_timestamp() -> None:
    async with receiving(answering(500)) as receiver:
        with pytest.raises(Undelivered):
            await sender(receiver.url).send(event())
        await asyncio.sleep(1.0)  # a timestamp is a whole second: this is the least time after which there is another
        with pytest.raises(Undelivered):
            await sender(receiver.url).send(event())
    first, second = (each.headers for each in receiver.requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(first["webhook-timestamp"]) < int(second["webhook-timestamp"])
    assert receiver.requests[0].body == receiver.requests[1].body


async def test_the_fields_of_one_change_are_messages_of_their_own(receiver: Receiver) -> None:
    await sender(receiver.url).send(event(Updated, diff={"status": {"from": "open", "to": "paid"}}))
    await sender(receiver.url).send(event(FieldUpdated, field="status", old="open", new="paid"))
    whole, field = receiver.requests
    assert whole.headers["webhook-id"] != field.headers["webhook-id"]
    assert [json.loads(each.body)["type"] for each in (whole, field)] == ["Invoice.updated", "Invoice.updated.status"]


async def test_an_event_about_a_hidden_field_is_not_sent(receiver: Receiver) -> None:
    await sender(receiver.url).send(event(FieldUpdated, field="secret", old=None, new="x-secret"))
    assert receiver.connections == 0


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_any_status_but_2xx_is_a_failure(status: int) -> None:
    async with receiving(answering(status)) as receiver:
        with pytest.raises(Undelivered, match=f"127.0.0.1 answered {status}"):
            await sender(receiver.url).send(event())


async def test_a_receiver_that_asks_for_time_gets_it() -> None:
    async with receiving(answering(503, "Retry-After: 3600", body=b"come back later")) as receiver:
        with pytest.raises(RetryLater, match="answered 503: come back later, and asks for 3600 seconds") as caught:
            await sender(receiver.url).send(event())
    assert caught.value.seconds == 3600


async def test_a_receiver_that_is_gone_is_switched_off() -> None:
    async with receiving(answering(410)) as receiver:
        with pytest.raises(SwitchOff, match="answered 410: it wants no more"):
            await sender(receiver.url).send(event())


@pytest.mark.parametrize("answer", [answering(500), answering(503, "Retry-After: 1")])
async def test_a_receiver_that_has_failed_for_days_is_switched_off(answer: bytes) -> None:
    ago = datetime.now(UTC) - timedelta(days=5, minutes=1)
    async with receiving(answer) as receiver:
        with pytest.raises(
            SwitchOff, match=rf"nothing was received since {ago:%Y-%m-%d %H:%M} UTC; at last: 127.0.0.1"
        ):
            await sender(receiver.url).send(event(failing_since=ago))


async def test_a_receiver_that_has_failed_for_some_days_is_tried_again() -> None:
    async with receiving(answering(500)) as receiver:
        with pytest.raises(Undelivered):
            await sender(receiver.url).send(event(failing_since=datetime.now(UTC) - timedelta(days=4)))


async def test_a_success_after_days_is_a_success(receiver: Receiver) -> None:
    await sender(receiver.url).send(event(failing_since=datetime.now(UTC) - timedelta(days=9)))


async def test_a_slow_receiver_keeps_no_other_waiting(receiver: Receiver) -> None:
    async def never(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with receiving(never) as slow:
        waiting = [asyncio.ensure_future(sender(slow.url).send(event())) for _ in range(30)]
        await asyncio.gather(*(sender(receiver.url).send(event()) for _ in range(30)))
        assert not any(each.done() for each in waiting)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert len(receiver.requests) == 30


async def test_no_error_shows_a_secret_or_more_of_the_url_than_the_host() -> None:
    async with receiving(answering(500, body=b"no")) as receiver:
        with pytest.raises(Undelivered) as caught:
            await sender(f"{receiver.url}/path-secret?query-secret").send(event())
    error: BaseException | None = caught.value
    while error is not None:
        for each in ("path-secret", "query-secret", NEW, NEW.removeprefix("whsec_")):
            assert each not in f"{error!r}{error}"
        error = error.__cause__


# -- bzz.webhook itself


async def test_three_lines_make_a_webhook(receiver: Receiver) -> None:
    send = bzz.webhook(receiver.url, "Invoice.updated.status", when=("open", "paid"), secret=NEW, allow=HERE)
    await send(event(FieldUpdated, field="status", old="open", new="paid"))
    [received] = receiver.requests
    assert Webhook(NEW).verify(received.body, received.headers)["type"] == "Invoice.updated.status"


@pytest.mark.parametrize(
    ("url", "target", "options"),
    [
        ("https://example.org/x", "Invoice.updated.status", {"when": ("paid", "sent")}),
        ("https://example.org/y", "Invoice.updated.status", {"when": ("open", "paid"), "name": "sent"}),
        ("https://example.org/x", "Invoice.created", {"name": "sent"}),
    ],
)
def test_a_second_webhook_of_the_same_name_takes_no_other_s_place(url: str, target: str, options: Any) -> None:
    for _ in range(2):  # as where its module is loaded again
        known = "https://example.org/x", "Invoice.updated.status"
        webhook(*known, secret=NEW, when=("open", "paid"), name=options.get("name"))
    with pytest.raises(ConfigurationError, match="give each its own name"):
        webhook(url, target, secret=NEW, **options)


def test_the_schedule_is_that_of_the_standard() -> None:
    hours = [round(sum(SCHEDULE[: place + 1]) / 3600, 2) for place in range(len(SCHEDULE))]
    assert hours == [0, 0, 0.08, 0.58, 2.58, 7.58, 17.58, 31.58, 51.58, 75.58]


@pytest.mark.parametrize(
    ("url", "options", "why"),
    [
        ("example.org", {}, "begins neither with https:// nor with http://"),
        ("ftp://example.org/", {}, "begins neither with https:// nor with http://"),
        ("http://example.org/", {}, "http:// is sent in the clear: use https://"),
        ("https://key@example.org/", {}, "a user and a password"),
        ("https://127.0.0.1/", {}, "127.0.0.1 is no public address"),
        ("https://example.org/", {"secret": b"short"}, "secret: it has 5 bytes; 24 to 64 are expected"),
        ("https://example.org/", {"secret": None}, "secret: one secret, or a list of them"),
        ("https://example.org/", {"allow": ["example.org"]}, "allow: 'example.org' is neither an address"),
        ("https://example.org/", {"target": 7}, "7 is no event name"),
    ],
)
def test_a_mistake_is_told_at_once(url: str, options: dict[str, Any], why: str) -> None:
    target = options.pop("target", "Invoice.created")
    with pytest.raises(ConfigurationError, match=why.replace(".", r"\.")):
        webhook(url, target, **{"secret": NEW, **options})
