"""Sign-out that ends every copy of a token."""

from __future__ import annotations

import asyncio
import time

import pytest

from bzz.auth import MemoryRevocation, MongoRevocation, RevocationStore
from tests.auth.conftest import Secured, sign_in
from tests.conftest import Driver


async def copied_token_after_sign_out(secured: Secured, revocation: RevocationStore | None) -> int:
    client = secured(revocation=revocation)
    await sign_in(client)
    copied = client.cookies["AUTH_TOKEN"]
    renewed = (await client.get("/plain")).cookies["AUTH_TOKEN"]
    assert (await client.post("/auth/signout/")).json() == {"loggedOut": True}
    client.cookies.clear()
    answers = [await client.get("/plain", headers={"Authorization": f"Bearer {token}"}) for token in (copied, renewed)]
    assert len({answer.status_code for answer in answers}) == 1
    assert (await client.get("/auth/me/", headers={"Authorization": f"Bearer {copied}"})).json()["authenticated"] is (
        answers[0].status_code == 200
    )
    return answers[0].status_code


async def test_a_copied_token_stops_working_with_the_store_in_memory(secured: Secured) -> None:
    assert await copied_token_after_sign_out(secured, MemoryRevocation()) == 401


async def test_a_copied_token_stops_working_with_the_store_in_mongodb(secured: Secured, driver: Driver) -> None:
    assert await copied_token_after_sign_out(secured, MongoRevocation(driver()["revoked"])) == 401


async def test_without_a_store_a_copied_token_works_until_it_expires(secured: Secured) -> None:
    assert await copied_token_after_sign_out(secured, None) == 200


async def test_a_bearer_token_can_be_signed_out(secured: Secured) -> None:
    client = secured(revocation=MemoryRevocation())
    await sign_in(client)
    bearer = {"Authorization": f"Bearer {client.cookies['AUTH_TOKEN']}"}
    client.cookies.clear()
    await client.post("/auth/signout/", headers=bearer)
    assert (await client.get("/plain", headers=bearer)).status_code == 401


async def test_mongodb_removes_a_session_when_no_token_of_it_can_be_good_any_more(driver: Driver) -> None:
    store = MongoRevocation(driver()["revoked"])
    until = int(time.time()) + 100
    await store.revoke("a", until)
    await store.revoke("a", until - 50)
    kept = await driver()["revoked"].find_one({"_id": "a"})
    indexes = await driver()["revoked"].index_information()
    assert (int(kept["until"].timestamp()) - until) % 3600 == 0
    assert indexes["until_1"]["expireAfterSeconds"] == 0
    assert (await store.is_revoked("a"), await store.is_revoked("b")) == (True, False)


async def test_of_ends_that_come_at_once_the_latest_counts(driver: Driver) -> None:
    stores = [MongoRevocation(driver()["revoked"]) for _ in range(2)]
    until = int(time.time()) + 100
    ends = [(stores[number % 2], float(number * 7 % 20), until + number * 3 % 20) for number in range(20)]
    await asyncio.gather(*(store.revoke_user("user", before, end) for store, before, end in ends))
    assert [await stores[0].has_ended("other", "user", started) for started in (19.0, 19.5)] == [True, False]
    kept = await driver()["revoked"].find_one({"_id": "user"})
    assert (int(kept["until"].timestamp()) - until - 19) % 3600 == 0


async def test_memory_forgets_a_session_when_its_time_is_over() -> None:
    store = MemoryRevocation()
    await store.revoke("old", int(time.time()) - 1)
    await store.revoke("new", int(time.time()) + 9)
    assert [await store.is_revoked(each) for each in ("old", "new")] == [False, True]


class Lost(RevocationStore):
    async def revoke(self, session_id: str, until: int) -> None:
        raise ConnectionError("no route to the store")

    async def is_revoked(self, session_id: str) -> bool:
        raise ConnectionError("no route to the store")


@pytest.mark.parametrize(("method", "path"), [("GET", "/plain"), ("GET", "/guarded"), ("POST", "/auth/signout/")])
async def test_a_store_that_is_away_is_a_503_and_lets_nobody_in(secured: Secured, method: str, path: str) -> None:
    client = secured(revocation=Lost())
    await sign_in(client)
    answer = await client.request(method, path)
    assert (answer.status_code, "Retry-After" in answer.headers, "Set-Cookie" in answer.headers) == (503, True, False)
    assert "no route" not in answer.text


async def test_a_store_that_is_away_makes_nobody_known_to_an_open_method(secured: Secured) -> None:
    client = secured(revocation=Lost(), authenticated_get=False)
    await sign_in(client)
    assert (await client.get("/guarded")).json() == {"user": None}
