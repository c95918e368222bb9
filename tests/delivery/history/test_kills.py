"""Processes that serve and record are killed under writes: nothing is missing, and nobody has a wrong name."""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from bzz.change import Position
from bzz.delivery.history import recorder, writers
from bzz.dev import MongoServer
from bzz.providers.history import HistoryEntry
from bzz.providers.mongoengine.changes.history import MongoHistory
from bzz.providers.mongoengine.client import connected
from tests.delivery.conftest import eventually, listening

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("SOAK", "1")) * 3
WRITERS = 4

PROGRAM = """
import asyncio, sys
import mongoengine as me
import tornado.web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
import bzz
from bzz.delivery import lease, owner
from tests.delivery.history.conftest import sign_in, with_history
from tests.delivery.history.test_kills import Killed

for module in (lease, owner):
    module.LEASE_SECONDS = 1.5
lease.MARGIN_SECONDS, owner.BEAT_SECONDS = 0.3, 0.3
bzz.history(Killed)

async def main():
    me.connect(sys.argv[2], host=sys.argv[1], uuidRepresentation="standard")
    app = tornado.web.Application(with_history(bzz.ModelHive.routes_for("mongoengine", Killed)))
    sign_in(app)
    [socket] = bind_sockets(0, "127.0.0.1")
    HTTPServer(app).add_sockets([socket])
    async with bzz.deliver():
        print(socket.getsockname()[1], flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


class Killed(me.Document):
    value = me.StringField(default="")


def mistakes(entries: Sequence[HistoryEntry]) -> list[str]:
    """What is wrong with the history of a document whose values begin with the name of who wrote them."""
    found = []
    values = [(each.diff or {})["value"] for each in entries if each.kind == "updated"]
    for earlier, later in itertools.pairwise(values):
        if earlier["to"] != later["from"]:
            found.append(f"{later['from']} was not told")
    for each in entries:
        value = (each.diff or {}).get("value", {}).get("to") or ""
        if each.who is not None and not value.startswith(f"{each.who}-"):
            found.append(f"{value} is not by {each.who}")
    return found


async def entries_of(name: str) -> list[HistoryEntry]:
    """The whole history of a document, the oldest change first."""
    history = MongoHistory(connected("default").database)
    return list(reversed(await history.entries("killed", f'"{name}"', 100_000)))


class Writer:
    """Writes without end, to whichever process is there."""

    def __init__(self, place: str) -> None:
        self.place, self.port, self.count, self.acknowledged = place, 0, 0, set[str]()

    def has(self, number: int) -> bool:
        return len(self.acknowledged) >= number

    async def write(self, who: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                self.count += 1
                value, url = f"{who}-{self.count}", f"http://127.0.0.1:{self.port}{self.place}"
                try:
                    answer = await client.put(url, json={"value": value}, headers={"X-User": who})
                except httpx.HTTPError:
                    await asyncio.sleep(0.01)
                    continue
                assert answer.status_code in (200, 409, 503), answer.text
                if answer.status_code == 200:
                    self.acknowledged.add(value)


def start(uri: str, database: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, uri, database], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def stop(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.timeout(60 + 60 * KILLS)
async def test_killed_processes_lose_no_change_and_give_nobody_a_wrong_name(
    mongo: MongoServer, database_name: str
) -> None:
    process, port = await asyncio.to_thread(start, mongo.uri, database_name)
    await listening()
    document = Killed().save()
    writer = Writer(f"/killed/{document.pk}/")
    writer.port = port
    tasks = [asyncio.create_task(writer.write(f"user{each}")) for each in range(WRITERS)]
    for _ in range(KILLS):
        await eventually(functools.partial(writer.has, len(writer.acknowledged) + 50), 30)
        await asyncio.to_thread(stop, process)
        process, writer.port = await asyncio.to_thread(start, mongo.uri, database_name)
    for each in tasks:
        each.cancel()
    await asyncio.wait(tasks)

    async def complete() -> Any:
        found = await entries_of(str(document.pk))
        return found if found and (found[-1].diff or {})["value"]["to"] == document.reload().value else None

    try:
        found: list[HistoryEntry] = await eventually(complete, 60)
    finally:
        await asyncio.to_thread(stop, process)
    assert mistakes(found) == []
    told = {each.diff["value"]["to"] for each in found if each.diff}
    assert writer.acknowledged <= told
    unsigned = [each for each in found[1:] if each.who is None]
    assert len(unsigned) <= (KILLS + 1) * 64  # what was on its way when a process died


async def test_a_join_by_less_would_be_found(served: Any, database_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (recorder, writers):
        monkeypatch.setattr(module, "digest_of", lambda collection, change: collection)
    bzz.history(Killed)
    app = served(bzz.ModelHive.routes_for("mongoengine", Killed))

    async def write(killed: Any, who: str) -> None:
        for number in range(10):
            await killed.put(who, value=f"{who}-{number}")

    async with bzz.deliver():
        await listening()
        killed = await app.create("/killed/", "maker")
        await asyncio.gather(*(write(killed, f"user{each}") for each in range(WRITERS)))
        await bzz.drain()
        name = killed.place.split("/")[-2]

        async def complete() -> Any:
            found = await entries_of(name)
            return found if len(found) == 10 * WRITERS + 1 and all(each.who for each in found) else None

        assert mistakes(await eventually(complete)) != []


def test_a_change_that_is_missing_would_be_found() -> None:
    at: Any = None
    steps = [("", "ann-1"), ("ann-2", "bob-3")]
    entries = [
        HistoryEntry("", "", "", Position(0, 0), at, "updated", {"value": {"from": old, "to": new}})
        for old, new in steps
    ]
    assert mistakes(entries) == ["ann-2 was not told"]
