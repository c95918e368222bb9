"""A relay can be a durable listener: what is stored, by whomever, reaches the other processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import mongoengine as me
import pytest

import bzz
from bzz.delivery import listener
from bzz.events import Created
from tests.relay.conftest import MakeRelay, remote, until


class Wherry(me.Document):
    name = me.StringField()


@pytest.fixture(autouse=True)
def _own_listeners() -> Iterator[None]:
    yield
    listener.forget("others")


async def test_what_a_script_stores_reaches_another_process(
    relay: MakeRelay, stack: AsyncExitStack, database_name: str
) -> None:
    arrived: list[Any] = []
    bzz.on("Wherry.created")(remote(arrived))
    sender = relay("sender")
    await stack.enter_async_context(relay("receiver"))
    await stack.enter_async_context(sender)
    bzz.durable("Wherry.created", name="others", start="beginning")(sender.publish)
    Wherry(name="a").save()
    async with bzz.deliver():
        await until(lambda: arrived)
    assert (type(arrived[0]), arrived[0].instance.name) == (Created, "a")
    assert arrived[0].id.startswith("wherry:")


async def test_what_cannot_be_sent_is_tried_again(relay: MakeRelay, stack: AsyncExitStack, database_name: str) -> None:
    arrived: list[Any] = []
    bzz.on("Wherry.created")(remote(arrived))
    sender = relay("sender")
    await stack.enter_async_context(relay("receiver"))
    bzz.durable("Wherry.created", name="others", start="beginning", schedule=(0.05,), max_attempts=1000)(sender.publish)
    Wherry(name="a").save()
    async with bzz.deliver():
        await stack.enter_async_context(sender)
        await until(lambda: arrived)
    assert len(arrived) == 1
