"""What is stored reaches a receiver, by way of the change stream and the durable listener."""

from __future__ import annotations

import asyncio
import base64
import random

import mongoengine as me
import pytest
from standardwebhooks import Webhook

import bzz
from bzz.delivery.webhooks import webhook as module
from bzz.providers.deliveries import Deliveries
from bzz.providers.mongoengine.changes.deliveries import MongoDeliveries
from tests.conftest import Driver
from tests.delivery.conftest import eventually
from tests.delivery.webhooks.receiver import OK, Answering, answering, receiving

SECRET = f"whsec_{base64.b64encode(b's' * 32).decode()}"
HERE = ["127.0.0.0/8"]


class Chit(me.Document):
    number = me.IntField()


@pytest.fixture
def deliveries(driver: Driver) -> Deliveries:
    return MongoDeliveries(driver())


async def test_a_stored_change_reaches_the_receiver(database_name: str) -> None:
    async with receiving(OK) as receiver:
        bzz.webhook(receiver.url, "Chit.created", secret=SECRET, allow=HERE, start="beginning")
        receipt = Chit(number=7).save()
        async with bzz.deliver():
            await eventually(lambda: receiver.requests)
    (received,) = receiver.requests
    told = Webhook(SECRET).verify(received.body, received.headers)
    assert (told["type"], told["data"]["instance"]) == ("Chit.created", {"id": str(receipt.pk), "number": 7})


async def test_what_is_refused_is_sent_again_with_its_id(database_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SCHEDULE", (0.0, 0.05, 0.05))
    async with receiving(answering(500)) as receiver:
        bzz.webhook(receiver.url, "Chit.created", secret=SECRET, allow=HERE, start="beginning")
        Chit(number=7).save()
        async with bzz.deliver():
            await eventually(lambda: receiver.requests)
            receiver.answer = OK
            await eventually(lambda: len(receiver.requests) == 2)
    assert len({each.headers["webhook-id"] for each in receiver.requests}) == 1


async def test_a_receiver_that_is_gone_is_switched_off(database_name: str, deliveries: Deliveries) -> None:
    async with receiving(answering(410)) as receiver:
        bzz.webhook(receiver.url, "Chit.created", name="x", secret=SECRET, allow=HERE, start="beginning")
        Chit(number=7).save()
        async with bzz.deliver():

            async def is_off() -> bool:
                return any(each.trouble == "off" for each in await deliveries.states())

            await eventually(is_off)
    assert len(receiver.requests) == 1


async def test_a_slow_receiver_keeps_no_other_one_waiting(database_name: str) -> None:
    go = asyncio.Event()

    async def wait(writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(OK)
        await writer.drain()

    async with receiving(wait) as slow, receiving(OK) as quick:
        for name, receiver in (("slow", slow), ("quick", quick)):
            bzz.webhook(receiver.url, "Chit.created", name=name, secret=SECRET, allow=HERE, start="beginning")
        for number in range(50):
            Chit(number=number).save()
        async with bzz.deliver():
            await eventually(lambda: len(quick.requests) == 50)
            go.set()
            await eventually(lambda: len(slow.requests) == 50)


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


LIES: list[bytes | Answering] = [
    answering(500),
    answering(302, "Location: https://example.org/"),
    answering(429),
    reset,
    b"garbage\r\n\r\n",
]


async def test_of_a_receiver_that_lies_everything_is_received_in_the_end(
    database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SCHEDULE", (0.0, *[0.02] * 200))
    chance, received = random.Random(7), []

    async def lie(writer: asyncio.StreamWriter) -> None:
        if chance.random() < 0.4:
            answer: bytes | Answering = chance.choice(LIES)
        else:
            received.append(receiver.requests[-1].headers["webhook-id"])
            answer = OK
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        else:
            await answer(writer)

    async with receiving(lie) as receiver:
        bzz.webhook(receiver.url, "Chit.*", name="x", secret=SECRET, allow=HERE, start="beginning", concurrency=1)
        for number in range(40):
            Chit(number=number).save()
        async with bzz.deliver():
            await eventually(lambda: len(set(received)) == 40, seconds=40)
    assert sorted(set(received)) == sorted(received)
