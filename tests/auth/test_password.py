"""Sign-up, sign-in, change and reset with passwords."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from bzz import signals
from bzz.auth import (
    GitHubProvider,
    Limiter,
    MemoryPasswords,
    MemoryRevocation,
    MongoPasswords,
    PasswordProvider,
    PasswordStore,
)
from bzz.auth.password_store import Account
from bzz.auth.token import SessionTokens
from bzz.errors import ConfigurationError
from tests.auth.conftest import KEY, Secured, Tickets, sign_in
from tests.conftest import Driver

ADA = {"email": "ada@example.org", "password": "correct horse"}


class Mail:
    """Keeps the tokens that are mailed."""

    def __init__(self) -> None:
        self.sent: list[tuple[dict[str, Any], str]] = []
        self.arrived = asyncio.Event()

    async def send(self, user: dict[str, Any], token: str) -> None:
        self.sent.append((user, token))
        self.arrived.set()


@pytest.fixture
async def mail() -> Mail:
    return Mail()


@pytest.fixture
async def client(secured: Secured, mail: Mail) -> httpx.AsyncClient:
    """A client of an application where Ada has an account, and where nobody is signed in."""
    client = secured(PasswordProvider(MemoryPasswords(), send_reset=mail.send), revocation=MemoryRevocation())
    assert (await client.post("/auth/password/signup/", json=ADA)).status_code == 201
    client.cookies.clear()
    return client


async def sign_in_with(client: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    return await client.post("/auth/signin/", json={**ADA, "provider": "password", **changes})


async def reset_token(client: httpx.AsyncClient, mail: Mail) -> str:
    assert (await client.post("/auth/password/forgotten/", json={"email": ADA["email"]})).status_code == 202
    await asyncio.wait_for(mail.arrived.wait(), 10)
    mail.arrived.clear()
    return mail.sent[-1][1]


async def test_signing_up_makes_an_account_and_signs_in(secured: Secured) -> None:
    client = secured(PasswordProvider(MemoryPasswords()))
    answer = await client.post("/auth/password/signup/", json=ADA)
    user = {"id": answer.json()["id"], "email": "ada@example.org", "provider": "password"}
    assert (answer.status_code, answer.json()) == (201, {**user, "authenticated": True})
    assert (await client.get("/plain")).json() == user


async def test_signing_up_by_a_form_and_for_a_bearer_token(secured: Secured) -> None:
    client = secured(PasswordProvider(MemoryPasswords()))
    answer = await client.post("/auth/password/signup/", data={**ADA, "bearer": "true"})
    bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert (await client.get("/plain", headers=bearer)).status_code == 200


async def test_the_right_password_signs_in_whatever_the_case_of_the_login(client: httpx.AsyncClient) -> None:
    answer = await sign_in_with(client, email=" ADA@Example.org ")
    assert (answer.status_code, answer.json()["email"]) == (200, "ada@example.org")


async def test_two_addresses_of_different_domains_are_two_accounts(secured: Secured) -> None:
    client = secured(PasswordProvider(MemoryPasswords()))
    addresses = ["ann@stra\u00dfe.de", "ann@strasse.de", "ann@\ufb01x.example", "ann@fix.example", "ann@\u00b2.example"]
    answers = [await client.post("/auth/password/signup/", json={**ADA, "email": each}) for each in addresses]
    assert [(each.status_code, each.json()["email"]) for each in answers] == [(201, each) for each in addresses]


@pytest.mark.parametrize(
    "written", ["CAF\u00c9@example.org", "cafe\u0301@example.org", "\uff43af\u00e9\uff20example.org"]
)
async def test_a_login_is_the_same_in_every_case_form_and_width(secured: Secured, written: str) -> None:
    client = secured(PasswordProvider(MemoryPasswords()))
    await client.post("/auth/password/signup/", json={**ADA, "email": "caf\u00e9@example.org"})
    assert (await sign_in_with(client, email=written)).status_code == 200


async def test_a_form_signs_in(client: httpx.AsyncClient) -> None:
    answer = await client.post("/auth/signin/", data={**ADA, "provider": "password"})
    assert answer.status_code == 200


async def test_a_password_is_the_same_from_every_keyboard(secured: Secured) -> None:
    client = secured(PasswordProvider(MemoryPasswords()))
    await client.post("/auth/password/signup/", json={**ADA, "password": "caf\u00e9 \u212b cafe"})
    assert (await sign_in_with(client, password="cafe\u0301 A\u030a cafe")).status_code == 200


async def test_an_unknown_account_and_a_wrong_password_are_answered_alike(client: httpx.AsyncClient) -> None:
    wrong = await sign_in_with(client, password="wrong horse")
    unknown = await sign_in_with(client, email="bob@example.org")
    assert (wrong.status_code, wrong.content) == (401, unknown.content)
    own = {"date": "", "x-request-id": ""}
    assert {**wrong.headers, **own} == {**unknown.headers, **own}


async def test_an_unknown_account_takes_as_long_as_a_wrong_password(client: httpx.AsyncClient) -> None:
    async def cost(**changes: str) -> float:
        began = time.process_time()
        assert (await sign_in_with(client, **changes)).status_code == 401
        return time.process_time() - began

    wrong = min([await cost(password="wrong horse") for _ in range(2)])
    unknown = min([await cost(email=f"{number}@example.org") for number in range(3)])
    assert unknown > wrong / 2


@pytest.mark.parametrize("email", ["ada@example.org", "Ada@EXAMPLE.org"])
async def test_a_login_that_is_taken_is_a_409(client: httpx.AsyncClient, email: str) -> None:
    answer = await client.post("/auth/password/signup/", json={"email": email, "password": "another horse"})
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (409, False)
    assert (await sign_in_with(client)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email": "bob@example.org"}, 400),
        ({"email": "bob@example.org", "password": "short"}, 400),
        ({"email": "bob@example.org", "password": "x" * 1025}, 400),
        ({"email": "bob@example.org", "password": ["a", "b"]}, 400),
        ({"email": "  ", "password": "correct horse"}, 400),
        ({"email": 7, "password": "correct horse"}, 400),
        ({"password": "correct horse"}, 400),
        ([], 400),
    ],
)
async def test_what_is_no_account_is_a_400(client: httpx.AsyncClient, body: Any, status: int) -> None:
    assert (await client.post("/auth/password/signup/", json=body)).status_code == status


@pytest.mark.parametrize("changes", [{"password": None}, {"password": ""}, {"email": None}, {"password": "x" * 2000}])
async def test_a_sign_in_without_a_login_or_a_password_is_a_400(client: httpx.AsyncClient, changes: Any) -> None:
    assert (await sign_in_with(client, **changes)).status_code == 400


async def test_guesses_at_one_account_are_limited(secured: Secured) -> None:
    client = secured(PasswordProvider(MemoryPasswords()), limiter=Limiter(per_account=2))
    guesses = [await sign_in_with(client, password=f"guess number {number}") for number in range(3)]
    assert [each.status_code for each in guesses] == [401, 401, 429]


async def test_taken_logins_are_looked_for_no_more_often_than_the_limit(secured: Secured) -> None:
    client = secured(PasswordProvider(MemoryPasswords()), limiter=Limiter(per_address=2))
    answers = [await client.post("/auth/password/signup/", json=ADA) for _ in range(4)]
    assert [each.status_code for each in answers] == [201, 409, 409, 429]


async def test_a_change_takes_the_old_password_and_ends_every_other_session(client: httpx.AsyncClient) -> None:
    elsewhere = (await sign_in_with(client, bearer=True)).json()["token"]
    await sign_in_with(client)
    body = {"password": ADA["password"], "new_password": "better horse"}
    assert (await client.post("/auth/password/change/", json={**body, "password": "wrong horse"})).status_code == 401
    assert (await client.post("/auth/password/change/", json={**body, "new_password": "short"})).status_code == 400
    answer = await client.post("/auth/password/change/", json=body)
    assert (answer.status_code, answer.json()["email"]) == (200, ADA["email"])
    assert (await client.get("/plain")).status_code == 200
    assert (await client.get("/plain", headers={"Authorization": f"Bearer {elsewhere}"})).status_code == 401
    client.cookies.clear()
    assert (await sign_in_with(client)).status_code == 401
    assert (await sign_in_with(client, password="better horse")).status_code == 200


async def test_a_change_takes_a_session_with_a_password(secured: Secured) -> None:
    client = secured(Tickets(), PasswordProvider(MemoryPasswords()))
    body = {"password": ADA["password"], "new_password": "better horse"}
    assert (await client.post("/auth/password/change/", json=body)).status_code == 401
    await sign_in(client)
    assert (await client.post("/auth/password/change/", json=body)).status_code == 403


async def test_a_password_is_reset_by_the_token_that_was_sent(client: httpx.AsyncClient, mail: Mail) -> None:
    session = (await sign_in_with(client, bearer=True)).json()
    token = await reset_token(client, mail)
    assert mail.sent[0][0] == {"id": session["id"], "email": ADA["email"]}
    answer = await client.post("/auth/password/reset/", json={"token": token, "password": "better horse"})
    assert answer.json() == {"reset": True}
    assert (await client.get("/plain", headers={"Authorization": f"Bearer {session['token']}"})).status_code == 401
    assert (await sign_in_with(client, password="better horse")).status_code == 200
    assert (await sign_in_with(client)).status_code == 401


async def test_a_token_resets_once_also_when_it_comes_twice_at_once(client: httpx.AsyncClient, mail: Mail) -> None:
    token = await reset_token(client, mail)
    bodies = [{"token": token, "password": f"better horse {number}"} for number in range(3)]
    answers = await asyncio.gather(*(client.post("/auth/password/reset/", json=body) for body in bodies))
    assert sorted(each.status_code for each in answers) == [200, 401, 401]
    assert (await client.post("/auth/password/reset/", json=bodies[0])).status_code == 401


async def test_a_token_is_good_for_nothing_once_the_password_was_changed(client: httpx.AsyncClient, mail: Mail) -> None:
    token = await reset_token(client, mail)
    await sign_in_with(client)
    await client.post("/auth/password/change/", json={"password": ADA["password"], "new_password": "better horse"})
    answer = await client.post("/auth/password/reset/", json={"token": token, "password": "worse horse"})
    assert answer.status_code == 401


async def test_a_token_that_was_sent_is_no_session_and_a_session_resets_nothing(
    client: httpx.AsyncClient, mail: Mail
) -> None:
    token = await reset_token(client, mail)
    session = (await sign_in_with(client, bearer=True)).json()["token"]
    assert (await client.get("/plain", headers={"Authorization": f"Bearer {token}"})).status_code == 401
    for wrong in (session, "x", "a.b.c"):
        answer = await client.post("/auth/password/reset/", json={"token": wrong, "password": "better horse"})
        assert answer.status_code == 401


def test_a_token_ends_after_an_hour() -> None:
    now = time.time()
    early, late = (
        SessionTokens([KEY.encode()], 60, 600, clock=functools.partial(float, at)) for at in (now - 3500, now - 3700)
    )
    assert early.signed("reset", early.sign("reset", {"sub": "a"}, 3600)) is not None
    assert late.signed("reset", late.sign("reset", {"sub": "a"}, 3600)) is None


async def test_a_reset_of_an_unknown_account_is_answered_alike_and_nothing_is_sent(
    client: httpx.AsyncClient, mail: Mail
) -> None:
    unknown = await client.post("/auth/password/forgotten/", json={"email": "bob@example.org"})
    await reset_token(client, mail)
    known = await client.post("/auth/password/forgotten/", json={"email": ADA["email"]})
    assert (unknown.status_code, unknown.content) == (known.status_code, known.content) == (202, b'{"accepted":true}')
    assert all(user["email"] == ADA["email"] for user, _ in mail.sent)


async def test_a_send_that_hangs_or_fails_changes_nothing_for_the_client(
    secured: Secured, everything_logged: pytest.LogCaptureFixture
) -> None:
    called = asyncio.Event()

    def fail(user: dict[str, Any], token: str) -> None:
        called.set()
        raise ConnectionError(f"no route for {token}")

    client = secured(PasswordProvider(MemoryPasswords(), send_reset=fail))
    await client.post("/auth/password/signup/", json=ADA)
    assert (await client.post("/auth/password/forgotten/", json=ADA)).status_code == 202
    await asyncio.wait_for(called.wait(), 10)
    lines = [record.getMessage() for record in everything_logged.records if record.name == "bzz.auth"]
    assert any("send_reset failed with ConnectionError" in line for line in lines)
    assert not any("no route" in line for line in lines)


async def test_mails_to_one_account_are_limited(client: httpx.AsyncClient) -> None:
    answers = [await client.post("/auth/password/forgotten/", json={"email": ADA["email"]}) for _ in range(6)]
    assert [each.status_code for each in answers] == [202] * 5 + [429]


async def test_without_a_way_to_send_there_is_no_reset(secured: Secured) -> None:
    client = secured(PasswordProvider(MemoryPasswords()))
    for path in ("forgotten", "reset"):
        assert (await client.post(f"/auth/password/{path}/", json=ADA)).status_code == 404


async def test_a_hash_with_old_parameters_is_made_anew_at_a_sign_in(secured: Secured) -> None:
    store, old = MemoryPasswords(), PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    await store.add(Account(ADA["email"], "7", old.hash(ADA["password"])))
    client = secured(PasswordProvider(store))
    assert (await sign_in_with(client)).json()["id"] == "7"
    found = await store.find(ADA["email"])
    assert found is not None
    assert not PasswordHasher().check_needs_rehash(found.hash)
    assert (await sign_in_with(client)).status_code == 200


async def test_neither_passwords_nor_hashes_are_logged_or_answered(
    client: httpx.AsyncClient, everything_logged: pytest.LogCaptureFixture
) -> None:
    answers = [await sign_in_with(client), await sign_in_with(client, password="wrong horse")]
    ours = [record.getMessage() for record in everything_logged.records if not record.name.startswith("httpcore")]
    for text in (*ours, *(answer.text for answer in answers)):
        assert not any(secret in text for secret in ("correct horse", "wrong horse", "argon2id"))


async def test_receivers_hear_of_passwords_as_of_every_provider(client: httpx.AsyncClient) -> None:
    heard: list[str] = []

    def yes(sender: str) -> None:
        heard.append(f"yes {sender}")

    def no(sender: str) -> None:
        heard.append(f"no {sender}")

    with signals.authorized_user.connected_to(yes), signals.unauthorized_user.connected_to(no):
        await sign_in_with(client)
        await sign_in_with(client, password="wrong horse")
    assert heard == ["yes password", "no password"]


async def check_store(store: PasswordStore) -> None:
    first, second = Account("ada", "1", "hash 1"), Account("ada", "2", "hash 2")
    added = await asyncio.gather(*(store.add(each) for each in (first, second) * 4))
    assert added.count(True) == 1
    kept = await store.find("ada")
    assert kept in (first, second)
    assert kept is not None
    changed = await asyncio.gather(*(store.change(kept, f"new {number}") for number in range(5)))
    assert changed.count(True) == 1
    after = await store.find("ada")
    assert after is not None
    assert (after.user_id, after.hash.startswith("new")) == (kept.user_id, True)
    assert await store.find("bob") is None
    assert not await store.change(Account("bob", "3", "x"), "y")


async def test_the_store_in_memory_adds_and_changes_once() -> None:
    await check_store(MemoryPasswords())


async def test_the_store_in_mongodb_adds_and_changes_once(driver: Driver) -> None:
    await check_store(MongoPasswords(driver()["passwords"]))


async def test_people_sign_up_and_in_with_the_store_in_mongodb(secured: Secured, driver: Driver) -> None:
    client = secured(PasswordProvider(MongoPasswords(driver()["passwords"])))
    assert (await client.post("/auth/password/signup/", json=ADA)).status_code == 201
    assert (await sign_in_with(client)).status_code == 200
    kept = await driver()["passwords"].find_one({"_id": ADA["email"]})
    assert kept["hash"].startswith("$argon2id$")


class Lost(PasswordStore):
    async def add(self, account: Account) -> bool:
        raise ConnectionError("no route to the store")

    async def find(self, login: str) -> Account | None:
        raise ConnectionError("no route to the store")

    async def change(self, account: Account, new_hash: str) -> bool:
        raise ConnectionError("no route to the store")


@pytest.mark.parametrize("path", ["signin", "password/signup", "password/forgotten"])
async def test_a_store_that_is_away_is_a_503_and_nobodys_failure(secured: Secured, path: str) -> None:
    client = secured(PasswordProvider(Lost(), send_reset=print), limiter=Limiter(per_address=5))
    for _ in range(7):
        answer = await client.post(f"/auth/{path}/", json={**ADA, "provider": "password"})
        assert (answer.status_code, "no route" in answer.text) == (503, False)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PasswordProvider({}), "store is a bzz.auth.PasswordStore"),  # type: ignore[arg-type]  # what is tested
        (lambda: PasswordProvider(MemoryPasswords(), login="password"), "login is a name that bzz does not use"),
        (lambda: PasswordProvider(MemoryPasswords(), login=""), "login is a name"),
        (lambda: PasswordProvider(MemoryPasswords(), send_reset="mail"), "send_reset is a function"),  # type: ignore[arg-type]  # what is tested
    ],
)
def test_a_mistake_in_the_provider_is_an_error_when_it_is_made(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make()


async def test_another_member_may_name_the_account(secured: Secured) -> None:
    client = secured(PasswordProvider(MemoryPasswords(), login="username"), GitHubProvider("id", "secret"))
    body = {"username": "Ada", "password": "correct horse"}
    assert (await client.post("/auth/password/signup/", json=body)).json()["username"] == "ada"
    assert (await client.post("/auth/signin/", json={**body, "provider": "password"})).status_code == 200
