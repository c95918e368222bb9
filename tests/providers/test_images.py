"""Both sides of each change are kept by the server where live feeds ask for it, and what it lacks is said at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mongoengine as me
import pytest
from pymongo import AsyncMongoClient, MongoClient

from bzz.errors import ConfigurationError
from bzz.providers.base import Options
from bzz.providers.changes import Changes
from bzz.providers.mongoengine.changes import images
from bzz.providers.mongoengine.changes.database_changes import changes_of
from bzz.providers.mongoengine.provider import MongoEngineProvider
from tests.conftest import Driver
from tests.providers.servers import guarded, running

IMAGES = {"changeStreamPreAndPostImages": {"enabled": True}}


class Cistern(me.Document):
    name = me.StringField(unique=True)


class Gutter(me.Document):
    meta = {"max_documents": 10, "max_size": 10_000}  # noqa: RUF012  # as MongoEngine has it
    name = me.StringField()


async def options_of(driver: Driver, name: str) -> dict[str, Any]:
    reply = await driver().command({"listCollections": 1, "filter": {"name": name}})
    found: dict[str, Any] = reply["cursor"]["firstBatch"][0]["options"]
    return found


@pytest.fixture
async def changes(driver: Driver) -> Changes:
    return changes_of(driver())


async def test_a_collection_that_does_not_exist_is_made_with_images(changes: Changes, driver: Driver) -> None:
    await changes.prepare(["new"])
    assert await options_of(driver, "new") == IMAGES


async def test_images_of_a_collection_are_switched_on_and_what_was_chosen_for_it_stays(
    changes: Changes, driver: Driver
) -> None:
    chosen = {"validator": {"name": {"$ne": "x"}}, "collation": {"locale": "en"}}
    await driver().create_collection("old", **chosen)
    before = await options_of(driver, "old")
    await changes.prepare(["old"])
    assert await options_of(driver, "old") == {**before, **IMAGES}


async def test_many_processes_may_prepare_at_once(changes: Changes, driver: Driver) -> None:
    await asyncio.gather(*(changes.prepare(["new", "other"]) for _ in range(8)))
    assert [await options_of(driver, name) for name in ("new", "other")] == [IMAGES] * 2


async def test_a_model_makes_its_collection_itself(driver: Driver) -> None:
    changes = [MongoEngineProvider(model, Options(database=driver())).changes() for model in (Cistern, Gutter)]
    await changes[0].prepare(["cistern", "gutter"])
    assert "name_1" in await driver()["cistern"].index_information()
    found = await options_of(driver, "gutter")
    assert (found["capped"], found["max"], IMAGES.items() <= found.items()) == (True, 10, True)


async def test_all_providers_of_a_database_share_its_changes(driver: Driver) -> None:
    found = [MongoEngineProvider(model, Options(database=driver())).changes() for model in (Cistern, Gutter)]
    other = changes_of(driver("bzz_test_other"))
    assert (found[0] is found[1], other is found[0]) == (True, False)


async def test_changes_have_the_small_store_of_the_database(changes: Changes, driver: Driver) -> None:
    assert await changes.store.put("a", {"number": 1}, None)
    assert (await driver()["bzz"].find_one({"_id": "a"}))["number"] == 1


async def test_a_standalone_server_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with running(tmp_path) as port:
        async with AsyncMongoClient[Any]("127.0.0.1", port) as client:
            with pytest.raises(ConfigurationError, match=r"standalone one: start mongod with --replSet"):
                await changes_of(client["any"]).prepare(["user"])


async def test_an_old_server_is_refused_with_the_remedy(changes: Changes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_MONGODB_6", 1000)
    with pytest.raises(ConfigurationError, match=r"need MongoDB 6\.0 or later"):
        await changes.prepare(["user"])


@pytest.mark.parametrize(
    ("roles", "remedy"),
    [
        ([], "may not watch the database 'theirs'.*role 'read'"),
        (["read"], "may not have the images of theirs.user kept.*role 'dbAdmin', or run it yourself.*collMod: 'user'"),
        (["readWrite"], "may not have the images of theirs.old kept.*role 'dbAdmin'"),
        (["readWrite", "dbAdmin"], None),
    ],
    ids=str,
)
async def test_a_user_without_the_rights_is_told_which(roles: list[str], remedy: str | None, guarded_port: int) -> None:
    admin: MongoClient[Any] = MongoClient("127.0.0.1", guarded_port, username="root", password="root")
    with admin:
        admin.drop_database("theirs")
        admin["theirs"].create_collection("old")
        admin["theirs"].command("dropAllUsersFromDatabase")
        admin["theirs"].command("createUser", "ann", pwd="ann", roles=roles)
    client: AsyncMongoClient[Any] = AsyncMongoClient(
        "127.0.0.1", guarded_port, username="ann", password="ann", authSource="theirs"
    )
    async with client:
        preparing = changes_of(client["theirs"]).prepare(["user", "old"])
        if remedy is None:
            await preparing
        else:
            with pytest.raises(ConfigurationError, match=remedy):
                await preparing


async def test_images_that_are_kept_already_need_no_rights(guarded_port: int) -> None:
    admin: MongoClient[Any] = MongoClient("127.0.0.1", guarded_port, username="root", password="root")
    with admin:
        admin.drop_database("theirs")
        admin["theirs"].create_collection("old", changeStreamPreAndPostImages={"enabled": True})
        admin["theirs"].command("dropAllUsersFromDatabase")
        admin["theirs"].command("createUser", "ann", pwd="ann", roles=["read"])
    client: AsyncMongoClient[Any] = AsyncMongoClient(
        "127.0.0.1", guarded_port, username="ann", password="ann", authSource="theirs"
    )
    async with client:
        await changes_of(client["theirs"]).prepare(["old"])


@pytest.fixture(scope="module")
def guarded_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with guarded(tmp_path_factory.mktemp("guarded")) as port:
        yield port
