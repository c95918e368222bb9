"""The small store of a provider, in MongoDB on either driver: entries, counts and leases."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta, timezone
from typing import Any

import pytest
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, ReadPreference, monitoring

from bzz.dev import MongoServer
from bzz.providers.base import Store
from bzz.providers.mongoengine.store import MongoStore
from tests.conftest import Driver

FAR = time.time() + 10_000
PAST = time.time() - 10


@pytest.fixture
def store(driver: Driver) -> Store:
    return MongoStore(driver()["kept"])


async def test_an_entry_is_found_as_it_was_put_until_it_expires(store: Store) -> None:
    value = {"text": "x", "number": 1, "float": 0.5, "yes": True, "nothing": None}
    assert await store.put("a", value, None, expires=FAR)
    found = (await store.get(["a"]))["a"]
    assert found.value == value
    assert found.expires == pytest.approx(FAR, abs=0.001)


async def test_an_entry_that_stays_has_no_end(store: Store) -> None:
    await store.put("a", {"number": 1}, None)
    assert (await store.get(["a"]))["a"].expires is None


async def test_only_keys_with_an_entry_are_found(store: Store) -> None:
    await store.put("a", {}, None)
    await store.put("c", {}, None)
    assert set(await store.get(["a", "b", "c"])) == {"a", "c"}


async def test_an_entry_is_there_once(store: Store) -> None:
    await store.put("a", {"number": 1}, None)
    assert not await store.put("a", {"number": 2}, None)
    assert (await store.get(["a"]))["a"].value == {"number": 1}


async def test_what_is_put_replaces_the_whole_of_what_was_expected(store: Store) -> None:
    await store.put("a", {"number": 1, "text": "x"}, None, expires=FAR)
    expected = (await store.get(["a"]))["a"]
    assert await store.put("a", {"number": 2}, expected)
    found = (await store.get(["a"]))["a"]
    assert (found.value, found.expires) == ({"number": 2}, None)


@pytest.mark.parametrize("expires", [None, FAR + 0.123456], ids=["never", "some time"])
async def test_what_was_put_can_be_expected_by_the_next_put(store: Store, expires: float | None) -> None:
    first = await store.put("a", {"number": 1, "float": 0.1 + 0.2}, None, expires=expires)
    assert first is not None
    assert first.value == {"number": 1, "float": 0.1 + 0.2}
    second = await store.put("a", {"number": 2}, first, expires=expires)
    assert second is not None
    assert await store.put("a", {"number": 3}, first) is None
    assert await store.put("a", {"number": 3}, second) is not None


@pytest.mark.parametrize("newer", [{"number": 2}, {"number": 1, "more": 1}, {}], ids=str)
async def test_nothing_is_put_where_something_else_is_stored_than_expected(store: Store, newer: dict[str, Any]) -> None:
    await store.put("a", {"number": 1}, None)
    expected = (await store.get(["a"]))["a"]
    await store.put("a", newer, expected)
    assert not await store.put("a", {"number": 3}, expected)
    assert (await store.get(["a"]))["a"].value == newer


async def test_nothing_is_put_where_only_the_end_is_another(store: Store) -> None:
    await store.put("a", {"number": 1}, None, expires=FAR)
    expected = (await store.get(["a"]))["a"]
    await store.put("a", {"number": 1}, expected, expires=FAR + 1)
    assert not await store.put("a", {"number": 1}, expected, expires=FAR + 2)


async def test_an_entry_that_has_expired_is_not_found(store: Store) -> None:
    await store.put("a", {}, None, expires=PAST)
    assert await store.get(["a"]) == {}


async def test_an_entry_that_has_expired_may_be_put_anew_once(store: Store) -> None:
    await store.put("a", {"number": 1}, None, expires=PAST)
    done = await asyncio.gather(*(store.put("a", {"number": 2}, None, expires=FAR) for _ in range(10)))
    assert sum(each is not None for each in done) == 1


async def test_entries_that_expire_are_removed_by_a_ttl_index_and_others_are_not(store: Store, driver: Driver) -> None:
    await store.put("stays", {}, None)
    await store.put("goes", {}, None, expires=FAR)
    indexes = await driver()["kept"].index_information()
    assert indexes["expires_1"]["expireAfterSeconds"] == 0
    assert "expires" not in await driver()["kept"].find_one({"_id": "stays"})


@pytest.mark.parametrize("text", ["$where", "$", "a.b", "é\u0000", "x" * 5000], ids=ascii)
async def test_any_text_is_a_key_a_value_and_a_holder(store: Store, text: str) -> None:
    assert await store.put(text, {"text": text}, None)
    found = (await store.get([text]))[text]
    assert await store.put(text, {"text": text, "number": 2}, found)
    assert await store.lease(f"lease of {text}", text, 60) == 1
    assert await store.lease(f"lease of {text}", text, 60) == 1


async def test_what_the_application_chose_for_its_own_documents_changes_nothing(driver: Driver) -> None:
    tokyo = CodecOptions[dict[str, Any]](tz_aware=True, tzinfo=timezone(timedelta(hours=9)))
    collection = driver()["kept"].with_options(codec_options=tokyo, read_preference=ReadPreference.SECONDARY)
    store = MongoStore(collection)
    assert await store.put("a", {"number": 1}, None, expires=FAR)
    found = (await store.get(["a"]))["a"]
    assert found.expires == pytest.approx(FAR, abs=0.001)
    assert await store.put("a", {"number": 2}, found, expires=FAR)
    assert 59 < (await store.count("b", 1, 60))[1] <= 60


async def test_one_round_trip_finds_several_entries(mongo: MongoServer, database_name: str) -> None:
    class Commands(monitoring.CommandListener):
        names: list[str] = []  # noqa: RUF012  # of this one test

        def started(self, event: monitoring.CommandStartedEvent) -> None:
            self.names.append(event.command_name)

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    async with AsyncMongoClient[dict[str, Any]](mongo.uri, event_listeners=[Commands()]) as client:
        store = MongoStore(client[database_name]["kept"])
        for key in "abc":
            await store.put(key, {}, None)
        Commands.names.clear()
        assert len(await store.get(["a", "b", "c", "d"])) == 3
        assert Commands.names == ["find"]


# -- counts


async def test_a_count_starts_at_nothing_and_has_its_window_before_it(store: Store) -> None:
    assert [(await store.count("a", 2, 60))[0] for _ in range(3)] == [2, 4, 6]
    assert 0 < (await store.count("a", 1, 60))[1] <= 60


async def test_a_count_never_falls_below_nothing(store: Store) -> None:
    assert [(await store.count("a", amount, 60))[0] for amount in (-1, 1, -5, 1)] == [0, 1, 0, 1]


async def test_a_count_begins_anew_when_its_window_has_ended(store: Store) -> None:
    assert [(await store.count("a", 1, 0))[0] for _ in range(3)] == [1, 1, 1]


async def test_a_window_ends_when_it_would_have_whoever_counts_meanwhile(store: Store) -> None:
    await store.count("a", 1, 60)
    assert (await store.count("a", 1, 6000))[1] <= 60


# -- leases


async def test_one_holds_a_lease_and_others_do_not_get_it(store: Store) -> None:
    got = await asyncio.gather(*(store.lease("job", f"worker {number}", 60) for number in range(10)))
    assert sorted(got, key=str) == [1, *[None] * 9]


async def test_a_holder_prolongs_its_lease_under_the_same_number(store: Store, driver: Driver) -> None:
    ends = []
    for seconds in (60, 6000):
        assert await store.lease("job", "ann", seconds) == 1
        ends.append((await driver()["kept"].find_one({"_id": "job"}))["leased_until"])
    assert ends[1] - ends[0] > timedelta(seconds=5000)


async def test_a_lease_that_is_given_back_goes_to_the_next_with_a_greater_number(store: Store) -> None:
    await store.lease("job", "ann", 60)
    await store.lease("job", "ann", 0)
    assert [await store.lease("job", name, 60) for name in ("bob", "ann")] == [2, None]


async def test_nobody_gives_back_the_lease_of_another(store: Store) -> None:
    await store.lease("job", "ann", 60)
    assert await store.lease("job", "bob", 0) is None
    assert await store.lease("job", "ann", 60) == 1


async def test_a_lease_that_has_ended_goes_to_who_asks_next(store: Store) -> None:
    await store.lease("job", "ann", 0.05)
    deadline, number = time.monotonic() + 30, None
    while number is None and time.monotonic() < deadline:
        number = await store.lease("job", "bob", 60)
    assert number == 2


async def test_a_holder_that_was_late_has_a_new_number(store: Store) -> None:
    assert [await store.lease("job", "ann", 0) for _ in range(3)] == [1, 2, 3]


async def test_the_numbers_of_a_lease_outlast_it(store: Store, driver: Driver) -> None:
    await store.count("other", 1, 60)  # makes the index that removes what has expired
    await store.lease("job", "ann", 0)
    assert "expires" not in await driver()["kept"].find_one({"_id": "job"})


async def test_leases_of_two_keys_are_two(store: Store) -> None:
    assert [await store.lease(key, "ann", 60) for key in ("one", "two")] == [1, 1]
