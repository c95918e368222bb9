"""Clients of feeds that come back where they were, and check all that they are told.

A client replays every frame: a row may only be created or enter where it was not there, only be updated, leave or be
deleted where it was; each ``from`` has to be what it was told last, and each row what the diff makes of the one before.
So a change that is lost or told twice breaks its chain. Clients without a filter are also compared with a change stream
that is read afterwards: the same changes in the same order.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pymongo
from bson import Timestamp

from tests.faults import SEED
from tests.faults.ledger import seen
from tests.faults.models import MODELS
from tests.faults.running import PATIENCE
from tests.live.reading import Frame, parse

__all__ = ["Feeds"]

URLS = [
    "/plain/",
    "/saving/",
    "/events/?models=plain,saving",
    "/plain/?text__in=first&text__in=3",
    "/saving/?text__ne=2",
]

END = "the end"
"""The token of the last document that is made."""

MOST_FRAMES = 60
"""After so many at the most a client leaves, and comes back."""

Told = tuple[str, str, str]
"""What happened to which document of which model."""


class Feed:
    """One client.

    :param ports: it takes any of these when it comes back.
    :ivar rows: what it knows, by model and id.
    :ivar wrong: what it was told that cannot be, as sentences.
    """

    def __init__(self, url: str, ports: Sequence[int], chance: random.Random) -> None:
        self.url = url
        self.told: list[Told] = []
        self.rows: dict[tuple[str, str], Any] = {}
        self.wrong: list[str] = []
        self.resumed = 0
        self._position = ""
        self._ports = ports
        self._chance = chance

    @property
    def models(self) -> list[str]:
        return [name for name in MODELS if name in self.url]

    @property
    def is_ready(self) -> bool:
        return bool(self._position)

    @property
    def is_done(self) -> bool:
        """Whether it knows of the end of all that it follows."""
        ended = {model for (model, _), row in self.rows.items() if row["token"] == END}
        return ended == set(self.models)

    async def follow(self) -> None:
        """Connect again and again, each time where it was."""
        while True:
            with suppress(OSError, EOFError):
                await self._connect()
            await asyncio.sleep(0.02)

    async def _connect(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._chance.choice(self._ports))
        try:
            await asyncio.wait_for(self._read(reader, writer), PATIENCE)
        finally:
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._position:
            self.resumed += 1
        else:
            self.rows.clear()
        lines = [f"GET {self.url} HTTP/1.1", "Host: x", "Accept: text/event-stream"]
        lines += [f"Last-Event-ID: {self._position}"] if self._position else []
        writer.write("\r\n".join([*lines, "", ""]).encode())
        status = int((await reader.readuntil(b"\r\n\r\n")).split()[1])
        if status != 200:
            if status != 503:
                self.wrong.append(f"{self.url} at {self._position}: {status}")
            return
        begins_anew = not self._position
        stays = self._chance.randrange(1, MOST_FRAMES)
        left = b""
        while stays > 0 and (line := await reader.readline()).strip(b"0\r\n"):
            chunk = (await reader.readexactly(int(line, 16) + 2))[:-2]
            whole, separator, left = (left + chunk).rpartition(b"\n\n")
            for frame in parse(whole + separator):
                self._take(frame, begins_anew)
                stays -= 1

    def _take(self, frame: Frame, begins_anew: bool) -> None:
        data = json.loads(frame.data)
        if frame.event == "snapshot":
            if not begins_anew:
                self.wrong.append(f"{self.url} begins anew")
            self.rows.update({(data["model"], key): row for key, row in zip(data["ids"], data["rows"], strict=True)})
        elif frame.event == "reset":
            if data["reason"] not in ("slow", "shutdown", "unavailable"):
                self.wrong.append(f"{self.url} was reset: {data['reason']}")
        elif "id" in data:
            self._change(frame.event, data)
        if frame.id is not None:
            self._position = frame.id

    def _change(self, kind: str, data: dict[str, Any]) -> None:
        key = (data["model"], data["id"])
        known = self.rows.get(key)
        self.told.append((kind, *key))
        if (known is None) != (kind in ("created", "enter")):
            self.wrong.append(f"{self.url}: {kind} of {key}, where {known} was known")
        elif kind == "updated" and changed(known, data["diff"]) != data["row"]:
            self.wrong.append(f"{self.url}: {known} and {data['diff']} do not make {data['row']}")
        if kind in ("leave", "deleted"):
            self.rows.pop(key, None)
        else:
            self.rows[key] = data["row"]


def changed(row: Any, diff: dict[str, dict[str, Any]]) -> Any:
    """Return what a diff makes of a row; None where it does not begin with it."""
    row = copy.deepcopy(row)
    for path, pair in diff.items():
        *way, last = (int(each) if each.isdigit() else each for each in path.split("."))
        place = row
        for each in way:
            place = place[each]
        if place[last] != pair["from"]:
            return None
        place[last] = pair["to"]
    return row


class Feeds:
    """So many clients, which follow what is written to :data:`tests.faults.models.MODELS`.

    :param uri: of the database, for what is read and written beside the application.
    :param ports: where the application serves.
    """

    def __init__(self, uri: str, database: str, ports: Sequence[int], number: int) -> None:
        self._uri = uri
        self._database = database
        self._start = Timestamp(0, 0)
        urls = itertools.islice(itertools.cycle(URLS), number)
        self.all = [Feed(url, ports, random.Random(f"{SEED} {at}")) for at, url in enumerate(urls)]

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Have them follow until the end of the block."""
        self._start = await asyncio.to_thread(self._now)
        tasks = [asyncio.create_task(each.follow()) for each in self.all]
        try:
            await self._until(lambda each: each.is_ready)
            yield
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.wait(tasks)
        for each in tasks:
            if not each.cancelled():
                each.result()

    async def wrong(self) -> list[str]:
        """What they were told that is not so, as sentences; to be called within the block, when nobody writes."""
        committed = await asyncio.to_thread(self._end)
        with suppress(TimeoutError):
            await self._until(lambda each: each.is_done or bool(each.wrong))
        stored = await asyncio.to_thread(self._stored)
        return [sentence for each in self.all for sentence in self._wrong_of(each, committed, stored)]

    def _wrong_of(self, feed: Feed, committed: list[Told], stored: dict[tuple[str, str], Any]) -> list[str]:
        wrong = list(feed.wrong)
        rows = {key: seen(row) for key, row in feed.rows.items()}
        wanted = {key: state for key, state in stored.items() if key[0] in feed.models and _holds(feed.url, state)}
        if rows != wanted:
            odd = [
                (key, rows.get(key), wanted.get(key)) for key in {**rows, **wanted} if rows.get(key) != wanted.get(key)
            ]
            wrong.append(f"{feed.url}: {len(odd)} documents are not what is stored: {odd[:3]}")
        if "text" not in feed.url:
            expected = [each for each in committed if each[1] in feed.models]
            if feed.told != expected:
                pairs = zip(feed.told, expected, strict=False)
                at = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
                told, lacking = feed.told[at : at + 3], expected[at : at + 3]
                wrong.append(f"{feed.url} was told {told} instead of {lacking} (change {at} of {len(expected)})")
        return wrong

    async def _until(self, holds: Callable[[Feed], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not all(holds(each) for each in self.all):  # noqa: ASYNC110  # they do not tell
                await asyncio.sleep(0.05)

    def _client(self) -> pymongo.MongoClient[dict[str, Any]]:
        return pymongo.MongoClient(self._uri, w="majority", readConcernLevel="majority", timeoutMS=1000 * PATIENCE)

    def _now(self) -> Timestamp:
        with self._client() as client:
            found: Timestamp = client.admin.command("ping")["operationTime"]
            return Timestamp(found.time, found.inc + 1)

    def _end(self) -> list[Told]:
        """Make the last documents; return all that was committed, by a change stream of its own."""
        kinds = {"insert": "created", "update": "updated", "replace": "updated", "delete": "deleted"}
        told: list[Told] = []
        with self._client() as client:
            database = client[self._database]
            for model in MODELS:
                database[model].insert_one({"token": END, "text": "first", "notes": []})
            left = set(MODELS)
            match = [{"$match": {"ns.coll": {"$in": list(MODELS)}, "operationType": {"$in": list(kinds)}}}]
            with database.watch(match, start_at_operation_time=self._start) as stream:
                while left:
                    event = next(stream)
                    model = event["ns"]["coll"]
                    told.append((kinds[event["operationType"]], model, str(event["documentKey"]["_id"])))
                    if event.get("fullDocument", {}).get("token") == END:
                        left.discard(model)
        return told

    def _stored(self) -> dict[tuple[str, str], Any]:
        with self._client() as client:
            database = client[self._database]
            return {(model, str(each["_id"])): seen(each) for model in MODELS for each in database[model].find()}


def _holds(url: str, state: Any) -> bool:
    """Whether a document is in the list of a URL."""
    if "text__in" in url:
        return state["text"] in ("first", "3")
    return "text__ne" not in url or state["text"] != "2"
