"""Failed sign-ins are limited, by address and by account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError

import bzz
from bzz import signals
from bzz.addresses import Proxies
from bzz.auth import AuthProvider, FailureStore, Limiter, MemoryFailures, MongoFailures
from bzz.errors import BadGateway, BadRequest, ConfigurationError, Forbidden, TooManyRequests, Unavailable
from bzz.in_flight import InFlight
from bzz.limits import Limits
from bzz.serving.tornado import make_server
from tests.auth.conftest import KEY, Secured, Tickets, sign_in
from tests.conftest import Driver


class Passwords(AuthProvider):
    """Asks for a user's name too, so that failures can be counted by account."""

    name = "passwords"

    async def authenticate(
        self, access_token: str, proxy_info: Mapping[str, Any] | None = None, post_data: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        await asyncio.sleep(0)
        return {"id": (post_data or {})["username"]} if access_token == "right" else None


@pytest.fixture
def refused() -> Iterator[list[str]]:
    """The providers' names that ``unauthorized_user`` was sent with."""
    names: list[str] = []

    def note(sender: str) -> None:
        names.append(sender)

    with signals.unauthorized_user.connected_to(note):
        yield names


async def statuses(client: Any, count: int, *arguments: str, **more: Any) -> list[int]:
    return [(await sign_in(client, *arguments, **more)).status_code for _ in range(count)]


async def test_failures_from_one_address_are_limited_and_told_when_to_come_back(secured: Secured) -> None:
    client = secured(limiter=Limiter(per_address=2, window=60))
    assert await statuses(client, 2, "forged") == [401, 401]
    answer = await sign_in(client)
    assert (answer.status_code, 1 <= int(answer.headers["Retry-After"]) <= 60) == (429, True)


async def test_a_stranger_behind_the_same_proxy_locks_out_nobody_else() -> None:
    app = Application(bzz.AuthHive.routes_for([Tickets()]))
    bzz.AuthHive.configure(app, KEY, development=True, limiter=Limiter(per_address=2))
    sockets = bind_sockets(0, "127.0.0.1")
    server = make_server(app, Limits(), InFlight(10), Proxies(["127.0.0.1"]), {})
    server.add_sockets(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/auth/signin/"
    async with httpx.AsyncClient(trust_env=False) as client:

        async def status(address: str, ticket: str) -> int:
            body = {"access_token": ticket, "provider": "tickets"}
            return (await client.post(url, json=body, headers={"X-Forwarded-For": address})).status_code

        assert [await status(f"192.0.2.{number}, 203.0.113.5", "forged") for number in range(3)] == [401, 401, 429]
        assert [await status(address, "ticket:ada") for address in ("203.0.113.6", "::ffff:203.0.113.7")] == [200, 200]
        assert await status("::ffff:203.0.113.5", "ticket:ada") == 429
    server.stop()
    await server.close_all_connections()


async def test_an_unknown_provider_counts_as_a_failure(secured: Secured) -> None:
    client = secured(limiter=Limiter(per_address=2))
    assert await statuses(client, 3, "x", "unknown") == [401, 401, 429]


async def test_sign_ins_that_succeed_are_not_counted(secured: Secured) -> None:
    client = secured(limiter=Limiter(per_address=1, per_account=1))
    assert await statuses(client, 5) == [200] * 5


async def test_failures_for_one_account_are_limited_and_other_accounts_go_on(secured: Secured) -> None:
    client = secured(Passwords(), limiter=Limiter(per_account=2))
    assert await statuses(client, 3, "wrong", "passwords", username="Ada") == [401, 401, 429]
    assert await statuses(client, 1, "right", "passwords", username="ada") == [429]
    assert await statuses(client, 1, "right", "passwords", username="bob") == [200]


async def test_an_account_that_receivers_refuse_is_limited(secured: Secured) -> None:
    def refuse(sender: str) -> None:
        raise Forbidden("Banned.")

    client = secured(limiter=Limiter(per_account=2))
    with signals.authorized_user.connected_to(refuse):
        assert await statuses(client, 3) == [403, 403, 429]


async def test_a_burst_of_guesses_meets_the_limit(secured: Secured) -> None:
    client = secured(Passwords(), limiter=Limiter(per_account=3))
    answers = await asyncio.gather(*(sign_in(client, "wrong", "passwords", username="ada") for _ in range(15)))
    assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 12


class Raises(AuthProvider):
    """A provider that raises what it was made with."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def authenticate(
        self, access_token: str, proxy_info: Mapping[str, Any] | None = None, post_data: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        raise self.error


TROUBLE = [Unavailable("The provider is away."), BadGateway("It is broken."), HTTPError(503), HTTPError(599)]
REFUSALS = [Forbidden("Banned."), HTTPError(403), BadRequest("The code is missing.")]


@pytest.mark.parametrize("error", [*TROUBLE, ValueError("a bug")], ids=repr)
async def test_trouble_of_a_provider_is_nobodys_failure(secured: Secured, refused: list[str], error: Exception) -> None:
    client = secured(Raises(error), limiter=Limiter(per_address=1))
    assert all(status >= 500 for status in await statuses(client, 3, "x", "raises"))
    assert refused == []


async def test_a_task_that_a_provider_waits_for_is_its_own_failure_when_it_is_cancelled(secured: Secured) -> None:
    client = secured(Raises(asyncio.CancelledError()))
    assert await statuses(client, 1, "x", "raises") == [502]


@pytest.mark.parametrize("error", [*TROUBLE, ValueError("a bug")], ids=repr)
async def test_trouble_of_a_receiver_is_nobodys_failure(secured: Secured, refused: list[str], error: Exception) -> None:
    def fail(sender: str) -> None:
        raise error

    client = secured(limiter=Limiter(per_address=1, per_account=1))
    with signals.authorized_user.connected_to(fail):
        assert all(status >= 500 for status in await statuses(client, 3))
    assert (await statuses(client, 1), refused) == ([200], [])


@pytest.mark.parametrize("error", REFUSALS, ids=repr)
async def test_a_refusal_of_a_provider_counts_and_is_reported(
    secured: Secured, refused: list[str], error: Exception
) -> None:
    client = secured(Raises(error), limiter=Limiter(per_address=1))
    assert (await statuses(client, 2, "x", "raises"))[1] == 429
    assert refused == ["raises"]


@pytest.mark.parametrize("error", REFUSALS, ids=repr)
async def test_a_refusal_of_a_receiver_counts_and_is_reported(
    secured: Secured, refused: list[str], error: Exception
) -> None:
    def refuse(sender: str) -> None:
        raise error

    client = secured(limiter=Limiter(per_address=1))
    with signals.authorized_user.connected_to(refuse):
        assert (await statuses(client, 2))[1] == 429
    assert refused == ["tickets"]


class Failing(MemoryFailures):
    """A store that cannot be asked about accounts."""

    async def add(self, key: str, amount: int, window: int) -> tuple[int, float]:
        if key.startswith("account"):
            raise ConnectionError("no route to the store")
        return await super().add(key, amount, window)


async def test_a_store_that_fails_halfway_is_nobodys_failure(secured: Secured, refused: list[str]) -> None:
    client = secured(limiter=Limiter(per_address=1, store=Failing()))
    assert (await statuses(client, 3), refused) == ([503] * 3, [])


async def test_a_misspelt_provider_can_be_told_from_a_wrong_token_in_the_log(
    secured: Secured, everything_logged: pytest.LogCaptureFixture
) -> None:
    client = secured()
    misspelt, wrong = await sign_in(client, provider="tikets"), await sign_in(client, "forged")
    lines = [record.getMessage() for record in everything_logged.records if record.name == "bzz.auth"]
    assert "no provider is called 'tikets'; there are tickets" in lines[0]
    assert "provider 'tickets' does not accept the token" in lines[1]
    assert misspelt.json() == wrong.json()


class Lost(FailureStore):
    async def add(self, key: str, amount: int, window: int) -> tuple[int, float]:
        raise ConnectionError("no route to the store")


async def test_a_store_that_is_away_lets_nobody_in(secured: Secured) -> None:
    answer = await sign_in(secured(Tickets(), limiter=Limiter(store=Lost())))
    assert (answer.status_code, "Retry-After" in answer.headers, "no route" in answer.text) == (503, True, False)


@pytest.mark.parametrize("wrong", [{"per_address": 0}, {"per_account": 0}, {"window": 0}])
def test_a_limit_below_one_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        Limiter(**wrong)


async def test_memory_forgets_the_oldest_beyond_its_capacity() -> None:
    store = MemoryFailures(capacity=2)
    for key in "abc":
        await store.add(key, 1, 60)
    assert [(await store.add(key, 1, 60))[0] for key in "ca"] == [2, 1]


async def test_memory_starts_a_new_window_when_the_last_has_ended() -> None:
    store = MemoryFailures()
    assert [(await store.add("a", 1, 0))[0] for _ in range(3)] == [1, 1, 1]


async def test_mongodb_counts_for_every_process(driver: Driver) -> None:
    first, second = MongoFailures(driver()["failures"]), MongoFailures(driver()["failures"])
    counts = await asyncio.gather(*(store.add("a", 1, 60) for store in [first, second] * 10))
    assert sorted(count for count, _ in counts) == list(range(1, 21))
    assert all(0 < seconds <= 61 for _, seconds in counts)
    assert (await first.add("a", -1, 60))[0] == 19


async def test_mongodb_starts_a_new_window_when_the_last_has_ended_and_removes_the_old(driver: Driver) -> None:
    store = MongoFailures(driver()["failures"])
    assert [(await store.add("a", 1, 0))[0] for _ in range(3)] == [1, 1, 1]
    indexes = await driver()["failures"].index_information()
    assert indexes["end_1"]["expireAfterSeconds"] == 0


async def test_the_limit_holds_across_two_limiters_on_one_collection(driver: Driver) -> None:
    limiters = [Limiter(per_account=1, store=MongoFailures(driver()["failures"])) for _ in range(2)]
    await limiters[0].begin("account", "ada")
    with pytest.raises(TooManyRequests):
        await limiters[1].begin("account", "ada")
