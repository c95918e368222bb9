"""One process that handles the changes of a collection: by a durable listener of bzz, or by a loop written by hand.

``python -m bench.servers.delivery bzz|bzz-waits|by-hand URI DATABASE`` prints a line of JSON whenever it had nothing
to do for a while: how many changes it has handled, when the first and the last, and the ``delays`` of those that say
when they were written.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from typing import Any

import mongoengine as me
from pymongo import AsyncMongoClient

import bzz

IDLE_SECONDS = 0.5
COLLECTION = "reading"
WAIT_SECONDS = 0.02
"""How long the listener of ``bzz-waits`` takes, as one that asks another server may."""


class Reading(me.Document):
    """What is changed."""

    number = me.IntField()
    written = me.FloatField()
    text = me.StringField()


class Handled:
    """What was handled."""

    def __init__(self) -> None:
        self.count = 0
        self.first = self.last = 0.0
        self.delays: list[float] = []

    def note(self, written: float | None) -> None:
        now = time.time()
        self.first = self.first or now
        self.last = now
        self.count += 1
        if written:
            self.delays.append(now - written)

    async def report(self) -> None:
        told = 0
        while True:
            await asyncio.sleep(IDLE_SECONDS / 5)
            if self.count > told and time.time() - self.last > IDLE_SECONDS:
                told = self.count
                print(json.dumps(vars(self)), flush=True)


async def by_bzz(handled: Handled, seconds: float) -> None:
    """Handle changes by a durable listener that waits for so long."""

    @bzz.durable("Reading.updated", name="bench")
    async def handle(event: Any) -> None:
        if seconds:
            await asyncio.sleep(seconds)
        handled.note(event.instance.written)

    async with bzz.deliver():
        await handled.report()


async def by_hand(uri: str, database: str, handled: Handled) -> None:
    """Handle changes by a loop that saves its token each time."""
    client: Any = AsyncMongoClient(uri, w="majority")
    tokens, readings = client[database]["tokens"], client[database][COLLECTION]
    reporting = asyncio.create_task(handled.report())
    token = (await tokens.find_one({"_id": "bench"}) or {}).get("token")
    images = {"full_document": "whenAvailable", "full_document_before_change": "whenAvailable"}
    async with await readings.watch(resume_after=token, **images) as stream:
        if token is None:
            await stream.try_next()
            await tokens.insert_one({"_id": "bench", "token": stream.resume_token})
        async for change in stream:
            handled.note(change["fullDocument"].get("written"))
            await tokens.update_one({"_id": "bench"}, {"$set": {"token": stream.resume_token}}, upsert=True)
    await reporting


async def main(way: str, uri: str, database: str) -> None:
    """Handle changes without end."""
    handled = Handled()
    if way.startswith("bzz"):
        me.connect(database, host=uri, uuidRepresentation="standard")
        await by_bzz(handled, WAIT_SECONDS if way == "bzz-waits" else 0)
    else:
        await by_hand(uri, database, handled)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
