"""Random clients with random filters and scopes, and random writes of all kinds, against a model in Python.

Of each client every frame is replayed: a row may be created or enter only where it was not there, be updated, leave or
be deleted only where it was, and each ``from`` has to be what the client was told last. In the end its rows are those
that the model in Python picks from the collection, and no row of another tenant was ever named to it.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import mongoengine as me
import pytest
from pymongo import MongoClient

import bzz
from bzz.dev import MongoServer
from tests.conftest import Serve
from tests.faults import SEED, SOAK
from tests.live.reading import Follower, following, until

CHANGES = 250 * SOAK
CLIENTS = 12
DOCUMENTS = 24
TENANTS = ("north", "south", "east")

pytestmark = [pytest.mark.timeout(300 * SOAK), pytest.mark.slow]  # many changes, and many clients

Row = dict[str, Any]


class Tender(me.Document):
    tenant = me.StringField()
    name = me.StringField()
    age = me.IntField()
    tags = me.ListField(me.StringField())
    marker = me.StringField()

    @classmethod
    def get_list_queryset(cls, queryset: Any, handler: Any) -> Any:
        tenant = handler.request.headers.get("X-Tenant")
        return queryset if tenant is None else queryset.filter(tenant=tenant)


@dataclass(frozen=True)
class Filter:
    """A filter as a client writes it, and as Python decides it."""

    text: str
    holds: Callable[[Row], bool]


FILTERS = [
    Filter("", lambda row: True),
    Filter("age__gte=5", lambda row: row["age"] is not None and row["age"] >= 5),
    Filter("age__lt=3", lambda row: row["age"] is not None and row["age"] < 3),
    Filter("name=a", lambda row: row["name"] == "a"),
    Filter("name__in=a&name__in=b", lambda row: row["name"] in ("a", "b")),
    Filter("age__exists=false", lambda row: row["age"] is None),
    Filter("or=age__gte=8|name=a", lambda row: (row["age"] is not None and row["age"] >= 8) or row["name"] == "a"),
    Filter(
        urlencode({"filter": '{"not": {"or": [{"age": {"lt": 5}}, {"tags": "x"}]}}'}),
        lambda row: not ((row["age"] is not None and row["age"] < 5) or "x" in (row["tags"] or [])),
    ),
    Filter("tags=x", lambda row: "x" in (row["tags"] or [])),
    Filter("age__gte=2&name__ne=b", lambda row: row["age"] is not None and row["age"] >= 2 and row["name"] != "b"),
]


class Model:
    """One client: what it asks for, and whether all that it is told can be true."""

    def __init__(self, chosen: Filter, tenant: str | None) -> None:
        self.filter = chosen
        self.tenant = tenant
        self.rows: dict[str, Row] = {}
        self.position = ""
        self.changes = 0

    def may_see(self, row: Row) -> bool:
        return (self.tenant is None or row["tenant"] == self.tenant) and self.filter.holds(row)

    def after(self, feed: Follower) -> dict[str, Row]:
        """Return the rows as they will be when :meth:`take` has replayed a connection."""
        rows = dict(self.rows)
        for frame in feed.frames:
            data = json.loads(frame.data)
            if frame.event == "snapshot":
                rows.update(zip(data["ids"], data["rows"], strict=True))
            elif frame.event in ("created", "enter", "updated"):
                rows[data["id"]] = data["row"]
            elif frame.event in ("leave", "deleted"):
                rows.pop(data["id"], None)
        return rows

    def take(self, feed: Follower) -> None:
        """Replay all frames of one connection."""
        for frame in feed.frames:
            if self.tenant is not None:
                assert not [other for other in TENANTS if other != self.tenant and f"MARK-{other}" in frame.data]
            data = json.loads(frame.data)
            if frame.event == "snapshot":
                self.rows.update(zip(data["ids"], data["rows"], strict=True))
            elif frame.event == "reset":
                raise AssertionError(data)
            elif "id" in data:
                self._change(frame.event, data)
            if frame.id is not None:
                self.position = frame.id

    def _change(self, kind: str, data: dict[str, Any]) -> None:
        self.changes += 1
        key, known = data["id"], self.rows.get(data["id"])
        assert (known is None) == (kind in ("created", "enter")), (kind, key, known)
        if kind in ("created", "enter", "updated"):
            row = data["row"]
            assert self.may_see(row), (self.filter.text, row)
            if kind == "updated":
                assert known is not None
                told = {name: pair["from"] for name, pair in data["diff"].items()}
                assert told == {name: known[name] for name in told}
                assert {**known, **{name: pair["to"] for name, pair in data["diff"].items()}} == row
            self.rows[key] = row
        else:
            if kind == "deleted":
                assert {name: pair["from"] for name, pair in data["diff"].items()}.items() <= known.items()  # type: ignore[union-attr]
            del self.rows[key]


def follow(client: httpx.AsyncClient, model: Model) -> AbstractAsyncContextManager[Follower]:
    """Connect as a client, at the position that it has reached."""
    headers = {"Last_Event_ID": model.position, **({} if model.tenant is None else {"X_Tenant": model.tenant})}
    return following(client, f"/tender/?{model.filter.text}", ready=True, **headers)


class Writes:
    """Random changes, by every way that there is."""

    def __init__(self, chance: random.Random, client: httpx.AsyncClient, database: Any) -> None:
        self._chance = chance
        self._client = client
        self._own = database.tender
        self._session = database.client

    def values(self) -> dict[str, Any]:
        tenant = self._chance.choice(TENANTS)
        values: dict[str, Any] = {"tenant": tenant, "name": self._chance.choice("abc"), "marker": f"MARK-{tenant}"}
        if self._chance.random() < 0.8:
            values["age"] = self._chance.randrange(10)
        values["tags"] = self._chance.sample("xyz", self._chance.randrange(3))
        return values

    async def make(self) -> None:
        """Make some changes, one or a few."""
        number = await asyncio.to_thread(self._own.count_documents, {})
        if number < DOCUMENTS // 2 or (number < DOCUMENTS and self._chance.random() < 0.3):
            await self._create()
        elif self._chance.random() < 0.15:
            await self._delete()
        else:
            await self._update()

    async def _create(self) -> None:
        values = self.values()
        way = self._chance.randrange(4)
        if way == 0:
            assert (await self._client.post("/tender/", json=values)).status_code == 201
        elif way == 1:
            await asyncio.to_thread(Tender(**values).save)
        elif way == 2:
            await asyncio.to_thread(self._own.insert_many, [values, self.values()])
        else:
            await asyncio.to_thread(self._transact)

    async def _delete(self) -> None:
        key = await self._some()
        if self._chance.random() < 0.5:
            assert (await self._client.delete(f"/tender/{key}/")).status_code in (204, 404)
        else:
            await asyncio.to_thread(self._own.delete_one, {"_id": key})

    async def _update(self) -> None:
        key, values = await self._some(), self.values()
        way = self._chance.randrange(7)
        if way == 0:
            assert (await self._client.put(f"/tender/{key}/", json=values)).status_code in (200, 404)
        elif way == 1:
            assert (await self._client.patch(f"/tender/{key}/", json={"age": None})).status_code in (200, 404)
        elif way == 2:
            await asyncio.to_thread(self._own.replace_one, {"_id": key}, values)
        elif way == 3:
            await asyncio.to_thread(self._own.update_many, {"name": values["name"]}, {"$inc": {"age": 1}})
        elif way == 4:
            pipeline = [{"$set": {"age": {"$add": [{"$ifNull": ["$age", 0]}, 1]}}}]
            await asyncio.to_thread(self._own.update_one, {"_id": key}, pipeline)
        elif way == 5:
            await asyncio.to_thread(self._own.update_one, {"_id": key}, {"$pull": {"tags": "x"}})
        else:
            await asyncio.to_thread(self._transact)

    async def _some(self) -> Any:
        found = await asyncio.to_thread(lambda: list(self._own.aggregate([{"$sample": {"size": 1}}])))
        return found[0]["_id"]

    def _transact(self) -> None:
        """Change several documents at one cluster time, one of them twice."""

        def change(session: Any) -> None:
            key = self._own.insert_one(self.values(), session=session).inserted_id
            self._own.update_one({"_id": key}, {"$set": self.values()}, session=session)
            self._own.update_many({"name": "a"}, {"$inc": {"age": -1}}, session=session)

        with self._session.start_session() as session:
            session.with_transaction(change)


async def test_every_client_is_told_the_truth_whatever_it_asks_for_and_however_is_written(
    serve: Serve, mongo: MongoServer, database_name: str
) -> None:
    chance = random.Random(SEED)
    client = serve(bzz.ModelHive.routes_for("mongoengine", Tender, live=True, max_per_page=1000))
    assert (await client.get("/tender/")).status_code == 200
    made = 0
    with MongoClient[dict[str, Any]](mongo.uri) as own:
        database = own[database_name]

        async def write(number: int) -> None:
            nonlocal made
            writes = Writes(random.Random(f"{SEED} {number}"), client, database)
            while made < CHANGES:
                await writes.make()
                made += 1

        async def come_and_go(model: Model) -> None:
            while made < CHANGES:
                async with follow(client, model) as feed:
                    seen, enough = len(feed.frames) + chance.randrange(1, 60), made + 200  # some filters tell little
                    await until(lambda: feed.is_ended or len(feed.frames) >= seen or made >= min(enough, CHANGES))  # noqa: B023
                    assert not feed.is_ended, feed.frames[-3:]
                model.take(feed)
                if chance.random() < 0.1:
                    model.position, model.rows = "", {}

        models = [Model(chance.choice(FILTERS), chance.choice([None, *TENANTS])) for _ in range(CLIENTS)]
        await asyncio.gather(*(write(number) for number in range(4)), *map(come_and_go, models))

        stored = (await client.get("/tender/?per_page=1000")).json()
        for model in models:
            expected = {row["id"]: row for row in stored if model.may_see(row)}
            async with follow(client, model) as feed:
                await until(lambda: model.after(feed) == expected)  # noqa: B023
            model.take(feed)
            assert model.rows == expected
    assert sum(model.changes for model in models) > CHANGES
