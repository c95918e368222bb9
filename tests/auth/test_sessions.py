"""What a session is: its cookie, its token, its user, its end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any

import httpx
import jwt
import pytest
from tornado.web import Application

import bzz
from bzz.auth import MemoryRevocation, MongoRevocation, RevocationStore
from bzz.auth.token import SessionTokens
from bzz.errors import ConfigurationError
from tests.auth.conftest import KEY, Secured, sign_in
from tests.auth.test_guard import USER, cookie, token_from
from tests.conftest import Driver

SITE = {"access_token": "ticket:ada", "provider": "tickets"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def bearer_token(client: httpx.AsyncClient, owner: str = "ada") -> str:
    return str((await sign_in(client, f"ticket:{owner}", bearer=True)).json()["token"])


class Dated(bzz.AuthProvider):
    kept = ("since",)

    def authenticate(
        self, access_token: str, proxy_info: Mapping[str, Any] | None = None, post_data: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        since = datetime(2026, 1, 2, tzinfo=UTC) if access_token == "date" else object()
        return {"id": 7, "since": since}


async def test_what_a_provider_keeps_is_written_by_the_encoder_of_bzz(secured: Secured) -> None:
    client = secured(Dated)
    assert (await sign_in(client, "date", "dated")).json()["since"] == "2026-01-02T00:00:00Z"
    assert (await client.get("/plain")).json() == {"id": "7", "provider": "dated", "since": "2026-01-02T00:00:00Z"}


async def test_data_without_a_json_form_are_the_providers_failure(secured: Secured) -> None:
    answer = await sign_in(secured(Dated), "thing", "dated")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (502, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cookie_name": "a b"}, "cannot name a cookie"),
        ({"cookie_name": ""}, "cannot name a cookie"),
        ({"cookie_name": 7}, "cookie_name is a text"),
        ({"cookie_name": "__Host-sid", "development": True}, "browsers drop a cookie with __Host-"),
        ({"cookie_name": "__secure-sid", "development": True}, "browsers drop a cookie with __Host-, __Secure-"),
        ({"cookie_name": "__Host-sid", "domain": "example.org"}, "has no domain"),
        ({"samesite": "lax"}, "samesite is one of Lax, Strict, None"),
        ({"samesite": None}, "samesite is a text"),
        ({"samesite": "None", "development": True}, "samesite='None' that goes over plain HTTP"),
        ({"domain": "https://example.org"}, "is no domain name"),
        ({"domain": "example.org; secure"}, "is no domain name"),
        ({"domain": ""}, "is no domain name"),
        ({"audience": ["a"]}, "audience is a text"),
        ({"audience": ""}, "audience is empty"),
        ({"expiration": "1200"}, "expiration is a whole number"),
        ({"expiration": True}, "expiration is a whole number"),
        ({"lifetime": 1.5}, "lifetime is a whole number"),
        ({"authenticated_get": "no"}, "authenticated_get is True or False"),
        ({"development": 1}, "development is True or False"),
        ({"revocation": MemoryRevocation}, "revocation is a bzz.auth.RevocationStore"),
        ({"limiter": 5}, "limiter is a bzz.auth.Limiter"),
        ({"load_user": "User"}, "load_user is a function"),
        ({"proxy_info": "proxy:80"}, "proxy_info is a dict"),
    ],
)
def test_an_option_that_cannot_be_is_refused_at_start_up(options: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        bzz.AuthHive.configure(Application(), KEY, **options)


async def test_the_cookie_goes_where_the_application_says(secured: Secured) -> None:
    client = secured(cookie_name="__Secure-sid", development=False, samesite="None", domain="example.org")
    answer = await client.post("/auth/signin/", json=SITE)
    found = SimpleCookie(answer.headers["Set-Cookie"])["__Secure-sid"]
    assert (found["samesite"], found["domain"], found["secure"]) == ("None", "example.org", True)


async def test_a_host_cookie_is_read_and_removed(secured: Secured) -> None:
    client = secured(cookie_name="__Host-sid", development=False)
    token = SimpleCookie((await sign_in(client)).headers["Set-Cookie"])["__Host-sid"].value
    out = await client.post("/auth/signout/", headers={"Cookie": f"__Host-sid={token}"})
    assert SimpleCookie(out.headers["Set-Cookie"])["__Host-sid"]["max-age"] == "0"


async def test_a_token_for_another_audience_is_refused(secured: Secured) -> None:
    ours = secured(audience="shop")
    token = await bearer_token(ours)
    assert (await ours.get("/plain", headers=bearer(token))).status_code == 200
    for audience in ("office", None):
        assert (await secured(audience=audience).get("/plain", headers=bearer(token))).status_code == 401
    assert (await ours.get("/plain", headers=bearer(token_from(0)))).status_code == 401


@pytest.mark.parametrize(
    "values", ["forged; AUTH_TOKEN={}", "{}; AUTH_TOKEN=forged", 'x; AUTH_TOKEN="{}"; AUTH_TOKEN=']
)
async def test_of_two_cookies_with_one_name_the_valid_one_counts(secured: Secured, values: str) -> None:
    header = {"Cookie": "other=1; AUTH_TOKEN=" + values.format(token_from(0))}
    assert (await secured().get("/plain", headers=header)).json() == USER


async def test_of_two_cookies_one_that_was_signed_out_does_not_hide_the_other(secured: Secured) -> None:
    client = secured(revocation=MemoryRevocation())
    ended, good = await bearer_token(client, "ada"), await bearer_token(client, "bob")
    await client.post("/auth/signout/", headers=bearer(ended))
    answer = await client.get("/plain", headers={"Cookie": f"AUTH_TOKEN={ended}; AUTH_TOKEN={good}"})
    assert answer.json()["id"] == "bob"


async def test_signing_out_ends_every_session_that_the_request_carries(secured: Secured) -> None:
    client = secured(revocation=MemoryRevocation())
    tokens = [await bearer_token(client, owner) for owner in ("ada", "bob")]
    await client.post("/auth/signout/", headers={"Cookie": "; ".join(f"AUTH_TOKEN={token}" for token in tokens)})
    assert [(await client.get("/plain", headers=bearer(token))).status_code for token in tokens] == [401, 401]


@pytest.mark.parametrize("ending", ["/auth/signout/", "/auth/signin/"])
async def test_a_request_in_flight_does_not_bring_back_a_session_that_has_ended(secured: Secured, ending: str) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()
    client = secured(settings={"held": (arrived, go_on)})
    await sign_in(client)
    late = asyncio.create_task(client.get("/held"))
    await asyncio.wait_for(arrived.wait(), 10)
    await client.post(ending, json={**SITE, "access_token": "ticket:bob"})
    go_on.set()
    answer = await late
    assert (answer.text, "Set-Cookie" in answer.headers) == ("late", False)


async def test_a_request_in_flight_renews_a_session_that_goes_on(secured: Secured) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()
    go_on.set()
    client = secured(settings={"held": (arrived, go_on)})
    await sign_in(client)
    assert "Set-Cookie" in (await client.get("/held")).headers


async def test_signing_in_ends_the_session_whose_cookie_the_request_carries(secured: Secured) -> None:
    client = secured(revocation=MemoryRevocation())
    await sign_in(client)
    before = client.cookies["AUTH_TOKEN"]
    await sign_in(client, "ticket:bob")
    after = client.cookies["AUTH_TOKEN"]
    client.cookies.clear()
    assert [(await client.get("/plain", headers=bearer(each))).status_code for each in (before, after)] == [401, 200]


async def test_a_sign_in_that_is_refused_ends_no_session(secured: Secured) -> None:
    client = secured(revocation=MemoryRevocation())
    await sign_in(client)
    await sign_in(client, "forged")
    assert (await client.get("/plain")).status_code == 200


async def sessions_ended(revocation: RevocationStore) -> list[int]:
    """The statuses of two old sessions of Ada's, one of Bob's, and a new one of Ada's, after hers were ended."""
    app = Application()
    bzz.AuthHive.configure(app, KEY, revocation=revocation)
    sessions = app.settings["bzz_auth"].sessions
    tokens = SessionTokens([KEY.encode()], 60, 600)
    found = [tokens.start({"id": owner, "provider": "tickets"}) for owner in ("ada", "ada", "bob")]
    await bzz.AuthHive.end_sessions(app, "tickets", "ada")
    found.append(tokens.start({"id": "ada", "provider": "tickets"}))
    statuses = []
    for session in found:
        try:
            await sessions._check(session)
            statuses.append(200)
        except bzz.errors.Unauthorized:
            statuses.append(401)
    return statuses


async def test_all_sessions_of_a_user_can_be_ended_with_the_store_in_memory() -> None:
    assert await sessions_ended(MemoryRevocation()) == [401, 401, 200, 200]


async def test_all_sessions_of_a_user_can_be_ended_with_the_store_in_mongodb(driver: Driver) -> None:
    assert await sessions_ended(MongoRevocation(driver()["revoked"])) == [401, 401, 200, 200]


async def test_a_renewed_token_of_an_ended_session_has_ended_too(secured: Secured) -> None:
    store = MemoryRevocation()
    client = secured(revocation=store)
    token = await bearer_token(client)
    renewed = (await client.post("/auth/renew/", headers=bearer(token))).json()["token"]
    app = Application()
    bzz.AuthHive.configure(app, KEY, revocation=store)
    await bzz.AuthHive.end_sessions(app, "tickets", "ada")
    assert (await client.get("/plain", headers=bearer(renewed))).status_code == 401
    assert (await client.post("/auth/renew/", headers=bearer(renewed))).status_code == 401


async def test_to_end_the_sessions_of_a_user_takes_a_store() -> None:
    app = Application()
    with pytest.raises(ConfigurationError, match=r"call bzz\.AuthHive\.configure"):
        await bzz.AuthHive.end_sessions(app, "tickets", "ada")
    bzz.AuthHive.configure(app, KEY)
    with pytest.raises(ConfigurationError, match="needs revocation="):
        await bzz.AuthHive.end_sessions(app, "tickets", "ada")


async def test_the_user_is_loaded_anew_for_each_request(secured: Secured) -> None:
    roles = {"ada": "reader"}

    async def load(user: dict[str, Any]) -> dict[str, Any] | None:
        return {**user, "role": roles[user["id"]]} if user["id"] in roles else None

    client = secured(load_user=load)
    await sign_in(client)
    assert (await client.get("/plain")).json()["role"] == "reader"
    roles["ada"] = "writer"
    assert (await client.get("/guarded")).json()["user"]["role"] == "writer"
    del roles["ada"]
    assert (await client.get("/plain")).status_code == 401
    assert (await client.get("/auth/me/")).json() == {"authenticated": False}


async def test_loading_a_user_does_not_change_what_the_session_keeps(secured: Secured) -> None:
    def load(user: dict[str, Any]) -> dict[str, Any]:
        user["secret"] = "x"
        return user

    client = secured(load_user=load)
    await sign_in(client)
    assert (await client.get("/auth/me/")).json()["userData"] == USER
    await client.get("/plain")
    assert "secret" not in str(jwt.decode(client.cookies["AUTH_TOKEN"], KEY, algorithms=["HS256"]))


async def test_a_bearer_client_gets_the_token_in_the_answer_and_no_cookie(secured: Secured) -> None:
    client = secured(expiration=77)
    answer = await sign_in(client, bearer=True)
    found = answer.json()
    assert (found["id"], found["expires_in"], "Set-Cookie" in answer.headers) == ("ada", 77, False)
    assert (await client.get("/plain", headers=bearer(found["token"]))).json() == USER


async def test_a_client_with_a_cookie_gets_no_token_in_the_answer(secured: Secured) -> None:
    bodies: list[dict[str, Any]] = [{}, {"bearer": False}]
    for more in bodies:
        assert "token" not in (await sign_in(secured(), **more)).json()


async def test_a_bearer_client_renews_its_token(secured: Secured) -> None:
    client = secured()
    answer = await client.post("/auth/renew/", headers=bearer(token_from(300, expiration=600)))
    assert (answer.json()["expires_in"], "Set-Cookie" in answer.headers) == (1200, False)
    assert (await client.get("/plain", headers=bearer(answer.json()["token"]))).json() == USER


async def test_a_cookie_is_renewed_as_a_cookie(secured: Secured) -> None:
    answer = await secured().post("/auth/renew/", headers=cookie(token_from(300, expiration=600)))
    assert (answer.json(), "Set-Cookie" in answer.headers) == ({"expires_in": 1200}, True)


async def test_nothing_is_renewed_past_the_lifetime_or_without_a_session(secured: Secured) -> None:
    client = secured()
    answer = await client.post("/auth/renew/", headers=bearer(token_from(86400 - 60)))
    assert 58 <= answer.json()["expires_in"] <= 60
    assert (await client.post("/auth/renew/")).status_code == 401


async def test_a_form_signs_in_as_json_does(secured: Secured) -> None:
    client = secured()
    assert (await client.post("/auth/signin/", data=SITE)).json()["id"] == "ada"
    assert (await client.get("/plain")).json() == USER
    found = (await client.post("/auth/signin/", data={**SITE, "bearer": "true"})).json()
    assert (await client.get("/plain", headers=bearer(found["token"]))).status_code == 200


async def test_a_form_in_parts_signs_in(secured: Secured) -> None:
    files = {name: (None, value) for name, value in SITE.items()}
    assert (await secured().post("/auth/signin/", files=files)).json()["id"] == "ada"


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (b"provider=tickets", "access_token, a text"),
        (b"access_token=a&access_token=b&provider=tickets", "'access_token' more than once"),
        (b"access_token=%FF&provider=tickets", "not UTF-8"),
        (b"access_token=a&provider=tickets&bearer=perhaps", "bearer is true or false"),
    ],
)
async def test_a_form_that_is_none_is_a_400(secured: Secured, form: bytes, message: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await secured().post("/auth/signin/", content=form, headers=headers)
    assert (answer.status_code, message in answer.json()["detail"]) == (400, True)


async def test_a_form_takes_nothing_from_the_url(secured: Secured) -> None:
    answer = await secured().post("/auth/signin/?access_token=ticket:ada", data={"provider": "tickets"})
    assert answer.status_code == 400
