"""Pages that are asked for at the same time share one command, and are what each would be by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient

from bzz.dev import MongoServer
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.shared_pages import MAX_PAGES, MAX_WALKED, SharedPages
from tests.providers.commands import Commands


class Pages:
    """A collection, and the pages of it that are under test."""

    def __init__(self, own: Any, commands: Commands) -> None:
        self.collection = Collection(own)
        self.pages = SharedPages(self.collection)
        self.commands = commands

    async def insert(self, *documents: dict[str, Any]) -> None:
        await self.collection.raw.insert_many(documents)
        self.commands.names.clear()

    async def ask(self, *asked: dict[str, Any]) -> list[Any]:
        """Return pages that are asked for at the same time, as the arguments of ``page``."""
        return await asyncio.gather(*(self.pages.page(**{**FIRST, **each}) for each in asked))

    async def each_by_itself(self, *asked: dict[str, Any]) -> list[Any]:
        return [await self.collection.page(**{**FIRST, **each}) for each in asked]


FIRST: dict[str, Any] = {"query": {}, "sort": [("_id", 1)], "skip": 0, "limit": 2}
KEYS = [None, 1, 2.5, "a", "B", {"x": 1}, b"y", ObjectId(), UUID(int=3), True]
ASKED: list[dict[str, Any]] = [
    {},
    {"skip": 2},
    {"skip": 9, "limit": 5},
    {"skip": 99},
    {"sort": [("_id", -1)], "limit": 20},
    {"query": {"$and": [{"_id": {"$gt": 1}}]}},
    {},
]


@pytest.fixture(params=[AsyncMongoClient, AsyncIOMotorClient], ids=["pymongo", "motor"])
async def pages(request: Any, mongo: MongoServer, database_name: str) -> AsyncIterator[Pages]:
    commands = Commands()
    client = request.param(mongo.uri, uuidRepresentation="standard", event_listeners=[commands])
    yield Pages(client[database_name]["pages"], commands)
    if isinstance(client, AsyncMongoClient):
        await client.close()
    else:
        client.close()


async def test_pages_at_the_same_time_take_one_command_and_are_as_each_by_itself(pages: Pages) -> None:
    await pages.insert(*({"_id": key, "text": "$text", "list": [1, {"a": None}]} for key in KEYS))
    found = await pages.ask(*ASKED)
    assert pages.commands.names == ["aggregate"]
    assert found == await pages.each_by_itself(*ASKED)
    assert [len(documents) for documents, _ in found] == [2, 2, 1, 0, 10, 1, 2]


async def test_more_than_go_into_one_command_take_several(pages: Pages) -> None:
    await pages.insert(*({"_id": key} for key in range(50)))
    found = await pages.ask(*({"skip": number, "limit": 1} for number in range(MAX_PAGES + 5)))
    assert pages.commands.names == ["aggregate", "aggregate"]
    assert found == [([{"_id": number}], False) for number in range(MAX_PAGES + 5)]


@pytest.mark.parametrize(
    "other",
    [
        {"query": {"n": 1}},
        {"query": {"$and": [{"_id": {"$gt": 1}}, {"n": 1}]}},
        {"query": {"_id": {"$in": [1, 2]}}},
        {"sort": [("n", 1), ("_id", 1)]},
    ],
    ids=["a filter", "a filter and a cursor", "many keys", "another order"],
)
async def test_a_page_that_may_take_long_holds_up_none(pages: Pages, other: dict[str, Any]) -> None:
    await pages.insert(*({"_id": key, "n": key} for key in range(3)))
    assert await pages.ask(other, other) == await pages.each_by_itself(other, other)
    assert pages.commands.names == ["find"] * 4


async def test_a_page_far_from_the_beginning_holds_up_none(pages: Pages) -> None:
    await pages.insert({"_id": 1})
    await pages.ask({"skip": MAX_WALKED}, {"skip": MAX_WALKED})
    assert pages.commands.names == ["find", "find"]


async def test_a_page_alone_is_a_query(pages: Pages) -> None:
    await pages.insert({"_id": 1})
    assert await pages.ask({}) == [([{"_id": 1}], False)]
    assert pages.commands.names == ["find"]


@pytest.mark.parametrize("limit", [2, 4], ids=["pages together", "each page"])
async def test_what_does_not_go_into_one_reply_is_asked_for_by_itself_from_then_on(pages: Pages, limit: int) -> None:
    for key in range(4):
        await pages.insert({"_id": key, "text": "x" * 5_000_000})
    asked: list[dict[str, Any]] = [{"limit": limit}, {"limit": limit, "sort": [("_id", -1)]}]
    found = await pages.ask(*asked)
    assert [[each["_id"] for each in documents] for documents, _ in found] == [[0, 1, 2][:limit], [3, 2, 1][:limit]]
    assert [cut for _, cut in found] == [limit > 3] * 2
    pages.commands.names.clear()
    await pages.ask({"limit": 1}, {"limit": 1})
    assert pages.commands.names == ["find", "find"]
