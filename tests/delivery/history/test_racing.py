"""Many writers at once, two processes, and one that dies: each entry has the right name, or none."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from bzz.delivery.history import writers
from bzz.dev import MongoServer
from bzz.errors import OutcomeUnknown, Unavailable
from bzz.providers.mongoengine.changes.history import MongoHistory
from tests.conftest import Driver
from tests.delivery.conftest import eventually, listening

ROOT = Path(__file__).parents[3]


class Tally(me.Document):
    number = me.IntField(default=0)
    name = me.StringField()


async def test_among_many_writers_each_entry_has_the_one_who_wrote_it(
    served: Any, driver: Driver, database_name: str
) -> None:
    bzz.history(Tally)
    app = served(bzz.ModelHive.routes_for("mongoengine", Tally, per_page=100, database=driver()))
    writers, times = 8, 6

    async def write(tally: Any, who: str) -> None:
        for each in range(times):
            await tally.put(who, name=f"{who}-{each}")

    async with bzz.deliver():
        await listening()
        tally = await app.create("/tally/", "maker", name="new")
        await asyncio.gather(*(write(tally, f"user{each}") for each in range(writers)))
        found = await tally.signed(writers * times + 1)
    assert found.pop()["who"] == "maker"
    for each in found:
        assert each["diff"]["name"]["to"].startswith(f"{each['who']}-")
    values = [each["diff"]["name"] for each in reversed(found)]
    assert values[0]["from"] == "new"
    assert [each["from"] for each in values[1:]] == [each["to"] for each in values[:-1]]


async def test_what_another_process_records_has_who_wrote_it_here(served: Any, database_name: str) -> None:
    bzz.history(Tally)
    app = served(bzz.ModelHive.routes_for("mongoengine", Tally))
    async with bzz.deliver():
        await listening()
    tally = await app.create("/tally/", "ann", name="a")  # while nothing is recorded
    await tally.put("bob", name="b")
    await bzz.drain()
    async with bzz.deliver():
        found = await tally.signed(2)
    assert [each["who"] for each in found] == ["bob", "ann"]


async def test_a_note_whose_outcome_was_unknown_is_stored_again(
    served: Any, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign, calls = MongoHistory.sign, []

    async def lost(self: MongoHistory, *arguments: Any) -> None:
        calls.append(arguments)
        await sign(self, *arguments)
        if len(calls) == 1:
            raise OutcomeUnknown

    monkeypatch.setattr(MongoHistory, "sign", lost)
    bzz.history(Tally)
    app = served(bzz.ModelHive.routes_for("mongoengine", Tally))
    async with bzz.deliver():
        await listening()
        tally = await app.create("/tally/", "ann", name="a")
        await tally.signed(1)
        await eventually(lambda: len(calls) == 2)
    assert calls[0][0] == calls[1][0]


async def test_a_note_waits_for_a_database_that_is_away_and_not_for_ever(
    served: Any, database_name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sign, is_away = MongoHistory.sign, True

    async def away(self: MongoHistory, *arguments: Any) -> None:
        if is_away:
            raise Unavailable
        await sign(self, *arguments)

    monkeypatch.setattr(MongoHistory, "sign", away)
    bzz.history(Tally)
    app = served(bzz.ModelHive.routes_for("mongoengine", Tally))
    async with bzz.deliver():
        await listening()
        tally = await app.create("/tally/", "ann", name="a")
        await tally.history(1)
        is_away = False
        await tally.signed(1)
        is_away = True
        monkeypatch.setattr(writers, "GIVE_UP_SECONDS", 0.2)
        await tally.put("bob", name="b")
        await eventually(lambda: "could not be stored" in caplog.text)
        assert [each["who"] for each in await tally.history(2)] == [None, "ann"]


PROGRAM = """
import asyncio, os, signal, sys
import httpx
import mongoengine as me
import tornado.web
import bzz
from bzz.signals import post_update_instance
from tests.delivery.history.conftest import sign_in, with_history
from tests.delivery.history.test_racing import Tally

bzz.history(Tally)

@post_update_instance.connect_via(Tally)
def die(sender, instance):
    if instance.name == "last":
        os.kill(os.getpid(), signal.SIGKILL)  # it is stored, and nobody has noted who wrote it

async def main():
    me.connect(sys.argv[2], host=sys.argv[1], uuidRepresentation="standard")
    app = tornado.web.Application(with_history(bzz.ModelHive.routes_for("mongoengine", Tally)))
    sign_in(app)
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets
    [socket] = bind_sockets(0, "127.0.0.1")
    HTTPServer(app).add_sockets([socket])
    print(socket.getsockname()[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def write_and_die(uri: str, database: str, place: str) -> None:
    """Write by a request to another process, which dies of it."""
    command = [sys.executable, "-c", PROGRAM, uri, database]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}{place}"
        with pytest.raises(httpx.HTTPError):
            httpx.put(url, json={"name": "last"}, headers={"X-User": "bob"}, trust_env=False, timeout=30)


async def test_of_a_process_that_died_before_it_could_say_who_wrote_nobody_is_known(
    served: Any, mongo: MongoServer, database_name: str
) -> None:
    bzz.history(Tally)
    app = served(bzz.ModelHive.routes_for("mongoengine", Tally))
    async with bzz.deliver():
        await listening()
        tally = await app.create("/tally/", "ann", name="first")
        await tally.signed(1)
        await asyncio.to_thread(write_and_die, mongo.uri, database_name, tally.place)
        await tally.history(2)
        await tally.put("cid", name="more")

        async def signed() -> Any:
            found = await tally.history(3)
            return found if found[0]["who"] else None

        found = await eventually(signed)
    assert [each["who"] for each in found] == ["cid", None, "ann"]
    assert found[1]["diff"] == {"name": {"from": "first", "to": "last"}}
