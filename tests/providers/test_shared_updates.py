"""Updates that wait at the same time share two commands, and are told exactly what each of them has replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pymongo
import pytest
from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient
from pymongo.errors import DuplicateKeyError
from pymongo.write_concern import WriteConcern

from bzz.dev import MongoServer
from bzz.errors import OutcomeUnknown
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.shared_updates import MAX_SHARED_BYTES, SharedUpdates
from tests.providers.commands import Commands


class Shelf:
    """A collection, and the updates of it that are under test."""

    def __init__(self, stored: pymongo.collection.Collection[dict[str, Any]], commands: Commands, own: Any) -> None:
        self.stored = stored
        self.commands = commands
        self.own = own
        self.updates = SharedUpdates(Collection(own))

    async def put(self, *changes: tuple[Any, dict[str, Any]], inside: tuple[str, ...] = ()) -> list[Any]:
        """Set values in documents, all at once; return the outcomes."""
        asked = (self.updates.put({"_id": key}, {"$set": sets}, inside, 0) for key, sets in changes)
        return await asyncio.gather(*asked, return_exceptions=True)

    def all(self) -> list[dict[str, Any]]:
        return list(self.stored.find().sort("_id"))


@pytest.fixture
def stored(mongo: MongoServer, database_name: str) -> Iterator[pymongo.collection.Collection[dict[str, Any]]]:
    with pymongo.MongoClient[dict[str, Any]](mongo.uri, uuidRepresentation="standard") as client:
        yield client[database_name]["shelf"]


@pytest.fixture(params=[AsyncMongoClient, AsyncIOMotorClient], ids=["pymongo", "motor"])
async def shelf(request: Any, mongo: MongoServer, stored: Any) -> AsyncIterator[Shelf]:
    commands = Commands()
    client = request.param(mongo.uri, uuidRepresentation="standard", event_listeners=[commands])
    yield Shelf(stored, commands, client[stored.database.name]["shelf"])
    if isinstance(client, AsyncMongoClient):
        await client.close()
    else:
        client.close()


KEYS = [ObjectId(), 7, UUID(int=9)]


async def test_updates_at_the_same_time_take_two_commands(shelf: Shelf) -> None:
    documents: list[dict[str, Any]] = [
        {"_id": key, "name": "a", "more": {"nan": float("nan"), "list": [1]}} for key in KEYS
    ]
    shelf.stored.insert_many(documents)
    outcomes = await shelf.put(*((key, {"name": f"$new {key}", "more.list": {"$x": 1}}) for key in KEYS))
    assert shelf.commands.names == ["find", "update"]
    for before, outcome, key in zip(documents, outcomes, KEYS, strict=True):
        after = {"_id": key, "name": f"$new {key}", "more": {**before["more"], "list": {"$x": 1}}}
        assert repr(outcome) == repr((before, after))
        assert repr(shelf.stored.find_one({"_id": key})) == repr(after)


async def test_an_update_alone_takes_one(shelf: Shelf) -> None:
    shelf.stored.insert_one({"_id": 1, "name": "a"})
    assert await shelf.put((1, {"name": "b"})) == [({"_id": 1, "name": "a"}, {"_id": 1, "name": "b"})]
    assert shelf.commands.names == ["findAndModify"]


async def test_what_is_appended_at_the_same_time_is_all_there(shelf: Shelf) -> None:
    shelf.stored.insert_one({"_id": 1, "tags": []})
    pushes = ({"$push": {"tags": {"$each": [number]}}} for number in range(9))
    outcomes = await asyncio.gather(*(shelf.updates.put({"_id": 1}, push, (), 0) for push in pushes))
    assert sorted(shelf.all()[0]["tags"]) == list(range(9))
    by_length = sorted(outcomes, key=lambda outcome: len(outcome[1]["tags"]) if outcome else 0)
    assert [outcome and outcome[0] for outcome in by_length[1:]] == [
        outcome and outcome[1] for outcome in by_length[:-1]
    ]


async def test_what_others_wrote_meanwhile_is_what_was_replaced(shelf: Shelf) -> None:
    shelf.stored.insert_many([{"_id": key, "name": "a"} for key in range(3)])
    shelf.commands.meanwhile = lambda: shelf.stored.update_one({"_id": 1}, {"$set": {"name": "other", "x": 1}})
    outcomes = await shelf.put(*((key, {"name": "b"}) for key in range(3)))
    assert [before["name"] for before, _ in outcomes] == ["a", "other", "a"]
    assert [after for _, after in outcomes] == shelf.all()


async def test_a_change_of_another_field_is_not_overlooked(shelf: Shelf) -> None:
    shelf.stored.insert_many([{"_id": key, "name": "a", "x": 1} for key in range(2)])
    shelf.commands.meanwhile = lambda: shelf.stored.update_one({"_id": 0}, {"$set": {"x": 2}})
    outcomes = await shelf.put((0, {"name": "b"}), (1, {"name": "b"}))
    assert [after for _, after in outcomes] == shelf.all()


@pytest.mark.parametrize("held", [{"name": "a"}, {}], ids=["a document", "one of an id alone"])
async def test_what_is_deleted_meanwhile_does_not_come_back(shelf: Shelf, held: dict[str, Any]) -> None:
    shelf.stored.insert_many([{"_id": 0, "name": "a"}, {"_id": 1, **held}])
    shelf.commands.meanwhile = lambda: shelf.stored.delete_one({"_id": 1})
    outcomes = await shelf.put((0, {"name": "b"}), (1, {"name": "b"}))
    assert outcomes == [({"_id": 0, "name": "a"}, {"_id": 0, "name": "b"}), None]
    assert shelf.all() == [{"_id": 0, "name": "b"}]


async def test_updates_of_one_document_follow_each_other(shelf: Shelf) -> None:
    shelf.stored.insert_many([{"_id": 0, "n": 0}, {"_id": 1, "n": 0}])
    outcomes = await shelf.put((1, {"n": 5}), *((0, {"n": number}) for number in range(1, 20)))
    steps = {before["n"]: after["n"] for before, after in outcomes[1:]}
    number, seen = 0, []
    while number in steps:
        number = steps[number]
        seen.append(number)
    assert sorted(seen) == list(range(1, 20)), "each replaced what another had left"
    assert shelf.all() == [{"_id": 0, "n": number}, {"_id": 1, "n": 5}]


async def test_a_value_that_is_taken_is_refused_to_one_alone(shelf: Shelf) -> None:
    shelf.stored.create_index("code", unique=True)
    shelf.stored.insert_many([{"_id": key, "code": key} for key in range(4)])
    first, taken, last = await shelf.put((0, {"code": 10}), (1, {"code": 3}), (2, {"code": 12}))
    assert isinstance(taken, DuplicateKeyError)
    assert [each["code"] for each in shelf.all()] == [10, 1, 12, 3]
    assert [first[1]["code"], last[1]["code"]] == [10, 12]


async def test_nothing_is_made_inside_a_document_that_is_not_there(shelf: Shelf) -> None:
    documents: list[dict[str, Any]] = [
        {"_id": 0, "d": {"x": 1}},
        {"_id": 1, "d": None},
        {"_id": 2, "n": 1},
        {"_id": 3, "d": [{"x": 1}]},
    ]
    shelf.stored.insert_many(documents)
    outcomes = await shelf.put(*((key, {"d.x": 2}) for key in range(4)), inside=("d",))
    assert outcomes == [({"_id": 0, "d": {"x": 1}}, {"_id": 0, "d": {"x": 2}}), None, None, None]
    assert shelf.all() == [{"_id": 0, "d": {"x": 2}}, *documents[1:]]


async def test_strings_are_compared_by_their_bytes_whatever_the_collation(shelf: Shelf) -> None:
    shelf.stored.database.create_collection("shelf", collation={"locale": "en", "strength": 1})
    shelf.stored.insert_many([{"_id": key, "name": "a", "n": 0} for key in range(2)])
    shelf.commands.meanwhile = lambda: shelf.stored.update_one({"_id": 0}, {"$set": {"name": "A"}})
    outcomes = await shelf.put((0, {"n": 1}), (1, {"n": 1}))
    assert [after for _, after in outcomes] == shelf.all()


async def test_large_documents_are_not_sent_back(shelf: Shelf) -> None:
    shelf.stored.insert_many([{"_id": key, "n": 0, "text": "x" * MAX_SHARED_BYTES} for key in range(2)])
    outcomes = await shelf.put((0, {"n": 1}), (1, {"n": 2}))
    assert sorted(shelf.commands.names) == ["find", "findAndModify", "findAndModify"]
    assert [after for _, after in outcomes] == shelf.all()


async def test_what_too_few_members_acknowledge_is_unknown_to_all(shelf: Shelf) -> None:
    shelf.stored.insert_many([{"_id": key, "n": 0} for key in range(3)])
    own = shelf.own.with_options(write_concern=WriteConcern(2))  # of one
    outcomes = await Shelf(shelf.stored, shelf.commands, own).put(*((key, {"n": 1}) for key in range(3)))
    assert [type(each) for each in outcomes] == [OutcomeUnknown] * 3
    assert [each["n"] for each in shelf.all()] == [1, 1, 1]
