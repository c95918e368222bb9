"""``/auth/signin/``, ``/auth/me/``, ``/auth/signout/``."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

import httpx
import jwt
import pytest
from tornado.web import Application, HTTPError

import bzz
from bzz import errors, signals
from bzz.auth import GitHubProvider
from tests.auth.conftest import KEY, Secured, Tickets, sign_in


def cookie_of(answer: httpx.Response) -> Any:
    return SimpleCookie(answer.headers["Set-Cookie"])["AUTH_TOKEN"]


async def test_signing_in_answers_with_the_user_and_a_cookie(secured: Secured) -> None:
    answer = await sign_in(secured())
    user = {"id": "ada", "name": "Ada", "shoe": 42, "provider": "tickets"}
    assert (answer.status_code, answer.json()) == (200, {**user, "authenticated": True})
    assert answer.headers["Cache-Control"] == "no-store"
    assert cookie_of(answer).value


async def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(secured: Secured) -> None:
    cookie = cookie_of(await sign_in(secured(development=False, expiration=77)))
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True)
    assert (cookie["max-age"], cookie["path"]) == ("77", "/")


async def test_development_lets_the_cookie_go_over_plain_http_and_the_name_can_be_chosen(secured: Secured) -> None:
    answer = await sign_in(secured(cookie_name="SID"))
    cookie = SimpleCookie(answer.headers["Set-Cookie"])["SID"]
    assert (cookie["secure"], cookie["httponly"]) == ("", True)


async def test_the_token_holds_what_the_provider_keeps_and_not_its_own_token(secured: Secured) -> None:
    token = cookie_of(await sign_in(secured())).value
    claims = jwt.decode(token, KEY, algorithms=["HS256"])
    assert (claims["sub"], claims["provider"], claims["data"]) == ("ada", "tickets", {"name": "Ada"})
    assert "ticket:ada" not in str(claims)


@pytest.mark.parametrize("path", ["/auth/me", "/auth/me/"])
async def test_me_says_who_is_signed_in_and_that_nobody_is(secured: Secured, path: str) -> None:
    client = secured()
    assert (await client.get(path)).json() == {"authenticated": False}
    await sign_in(client)
    user = {"id": "ada", "name": "Ada", "provider": "tickets"}
    assert (await client.get(path)).json() == {"authenticated": True, "userData": user}


async def test_signing_out_removes_the_cookie(secured: Secured) -> None:
    client = secured(development=False)
    token = cookie_of(await sign_in(client)).value
    answer = await client.post("/auth/signout", headers={"Cookie": f"AUTH_TOKEN={token}"})
    cookie = cookie_of(answer)
    assert (answer.json(), cookie.value, cookie["max-age"], cookie["secure"]) == ({"loggedOut": True}, "", "0", True)
    assert (await client.get("/auth/me/")).json() == {"authenticated": False}


async def test_signing_out_twice_is_fine(secured: Secured) -> None:
    assert (await secured().post("/auth/signout/")).json() == {"loggedOut": True}


async def test_the_wrong_method_is_a_405_with_the_right_ones(secured: Secured) -> None:
    client = secured()
    for path, allow in [("signin", "POST, OPTIONS"), ("signout", "POST, OPTIONS"), ("me", "GET, HEAD, OPTIONS")]:
        answer = await client.delete(f"/auth/{path}/")
        assert (answer.status_code, answer.headers["Allow"]) == (405, allow)


async def test_the_routes_can_be_prefixed() -> None:
    assert [route[0] for route in bzz.AuthHive.routes_for([Tickets()], "/api/")] == [
        "/api/auth/me/?",
        "/api/auth/signin/?",
        "/api/auth/signout/?",
        "/api/auth/renew/?",
    ]


@pytest.mark.parametrize(("token", "provider"), [("forged", "tickets"), ("ticket:ada", "unknown")])
async def test_a_refused_sign_in_is_a_401_that_challenges_and_sets_no_cookie(
    secured: Secured, token: str, provider: str
) -> None:
    answer = await sign_in(secured(), token, provider)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"access_token=x&provider=tickets",
        b"[]",
        b"null",
        b"{}",
        b'{"access_token": "x"}',
        b'{"access_token": "", "provider": "tickets"}',
        b'{"access_token": 7, "provider": "tickets"}',
        b'{"access_token": "x", "provider": ["tickets"]}',
        b'{"access_token": NaN, "provider": "tickets"}',
        b'{"access_token": "\\ud800", "provider": "tickets"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
async def test_a_body_that_is_none_is_a_400(secured: Secured, body: bytes) -> None:
    answer = await secured().post("/auth/signin/", content=body)
    assert (answer.status_code, answer.json()["title"]) == (400, "Bad Request")


async def test_no_token_is_accepted_in_a_url(secured: Secured) -> None:
    client = secured()
    token = cookie_of(await sign_in(client)).value
    client.cookies.clear()
    for name in ("token", "access_token", "AUTH_TOKEN"):
        assert (await client.get(f"/plain?{name}={token}")).status_code == 401
        assert (await client.get(f"/auth/me/?{name}={token}")).json() == {"authenticated": False}
    assert (await client.post("/auth/signin/?access_token=ticket:ada&provider=tickets")).status_code == 400


async def test_the_receivers_of_a_sign_in_may_add_to_what_is_answered(secured: Secured) -> None:
    client = secured()

    async def add(sender: str, provider_name: str, user_data: dict[str, Any], handler: Any) -> None:
        user_data["seen"] = [sender, provider_name, handler.request.path]

    with signals.authorized_user.connected_to(add, sender="tickets"):
        assert (await sign_in(client)).json()["seen"] == ["tickets", "tickets", "/auth/signin/"]


@pytest.mark.parametrize("refusal", [HTTPError(403), errors.Forbidden("Banned.")])
async def test_a_receiver_may_refuse_a_sign_in(secured: Secured, refusal: Exception) -> None:
    client, refused = secured(), []

    def refuse(sender: str) -> None:
        raise refusal

    def note(sender: str, provider_name: str) -> None:
        refused.append(provider_name)

    with signals.authorized_user.connected_to(refuse), signals.unauthorized_user.connected_to(note):
        answer = await sign_in(client)
    assert (answer.status_code, "Set-Cookie" in answer.headers, refused) == (403, False, ["tickets"])


async def test_a_receiver_that_breaks_lets_nobody_in(secured: Secured) -> None:
    def broken(sender: str) -> None:
        raise ValueError("a bug")

    with signals.authorized_user.connected_to(broken):
        answer = await sign_in(secured())
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (500, False)


@pytest.mark.parametrize(("token", "provider"), [("forged", "tickets"), ("x", "unknown")])
async def test_a_refused_sign_in_is_reported_to_receivers(secured: Secured, token: str, provider: str) -> None:
    seen: list[Any] = []

    async def note(sender: str, provider_name: str, handler: Any) -> None:
        seen.append((sender, provider_name, handler.request.method))

    with signals.unauthorized_user.connected_to(note):
        await sign_in(secured(), token, provider)
    assert seen == [(provider, provider, "POST")]


async def test_a_receiver_that_breaks_does_not_change_a_refusal(secured: Secured) -> None:
    def broken(sender: str) -> None:
        raise ValueError("a bug")

    with signals.unauthorized_user.connected_to(broken):
        assert (await sign_in(secured(), "forged")).status_code == 401


async def test_the_sample_handler_of_the_manual_adds_to_the_details(secured: Secured) -> None:
    @signals.pre_get_user_details.connect
    def handle_pre_get_user_details(self, provider_name, user_data, handler):  # type: ignore[no-untyped-def]  # as printed
        user_data["username"] = "holmes"
        user_data["asked"] = [self, provider_name, handler.request.path]

    client = secured()
    try:
        await sign_in(client)
        user = (await client.get("/auth/me/")).json()["userData"]
    finally:
        signals.pre_get_user_details.disconnect(handle_pre_get_user_details)
    assert (user["username"], user["asked"]) == ("holmes", ["tickets", "tickets", "/auth/me/"])


async def test_a_receiver_of_the_details_is_awaited_and_may_be_for_one_provider(secured: Secured) -> None:
    async def add(sender: str, user_data: dict[str, Any]) -> None:
        user_data["more"] = 1

    client = secured()
    await sign_in(client)
    with signals.pre_get_user_details.connected_to(add, sender="google"):
        assert "more" not in (await client.get("/auth/me/")).json()["userData"]
    with signals.pre_get_user_details.connected_to(add, sender="tickets"):
        assert (await client.get("/auth/me/")).json()["userData"]["more"] == 1


class Tiny(bzz.AuthProvider):
    name = "tiny"

    def authenticate(
        self, access_token: str, proxy_info: Mapping[str, Any] | None = None, post_data: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        return {"id": 7, "name": "x" * int((post_data or {}).get("long", 1))}


async def test_a_provider_may_be_a_plain_function_and_its_id_a_number(secured: Secured) -> None:
    client = secured(Tiny())
    assert (await sign_in(client, provider="tiny")).json()["id"] == "7"


async def test_a_user_that_does_not_fit_a_cookie_is_a_400(secured: Secured) -> None:
    answer = await sign_in(secured(Tiny()), provider="tiny", long=5000)
    assert (answer.status_code, "do not fit a cookie" in answer.json()["detail"]) == (400, True)


class Broken(bzz.AuthProvider):
    name = "broken"

    async def authenticate(
        self, access_token: str, proxy_info: Mapping[str, Any] | None = None, post_data: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        if access_token == "no id":
            return {"name": "nobody"}
        raise ValueError(f"cannot read {access_token}")


@pytest.mark.parametrize("token", ["hunter2", "no id"])
async def test_a_provider_that_breaks_is_a_502_and_its_token_is_not_logged(
    secured: Secured, everything_logged: pytest.LogCaptureFixture, token: str
) -> None:
    answer = await sign_in(secured(Broken()), token, "broken")
    assert answer.status_code == 502
    text = everything_logged.text + answer.text
    assert "provider 'broken' failed with" in everything_logged.text
    assert "hunter2" not in text


async def test_neither_tokens_nor_keys_are_logged(
    secured: Secured, everything_logged: pytest.LogCaptureFixture
) -> None:
    client = secured()
    session = cookie_of(await sign_in(client)).value
    await sign_in(client, "forged-token")
    await client.get("/plain", headers={"Authorization": "Bearer forged-bearer"})
    await client.get("/plain", headers={"Authorization": f"Bearer {session}"})
    await client.post("/auth/signout/")
    ours = [record.getMessage() for record in everything_logged.records if not record.name.startswith("httpcore")]
    for secret in (session, "forged-token", "forged-bearer", KEY, "ticket:ada"):
        assert not any(secret in message for message in ours)


@pytest.mark.parametrize("key", ["short", ["k" * 32, "short"], []])
def test_short_keys_are_refused_at_start_up(key: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"secret_key"):
        bzz.AuthHive.configure(Application(), key)


@pytest.mark.parametrize("key", [7, [7], None])
def test_a_key_of_another_type_is_refused_at_start_up(key: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match="secret_key is a text, bytes, or a list"):
        bzz.AuthHive.configure(Application(), key)


@pytest.mark.parametrize(
    ("providers", "message"),
    [
        ([], "at least one"),
        ([object], "is no bzz.AuthProvider; give a class of one, or an instance"),
        (["google"], "is no bzz.AuthProvider"),
        ([GitHubProvider], "GitHubProvider cannot be made: .*client_id.*; give an instance"),
        ([Tickets, Tickets()], "needs a name of its own"),
        ([Tickets(), Tickets()], "needs a name of its own"),
    ],
)
def test_a_mistake_in_the_providers_is_an_error_when_the_routes_are_made(providers: Any, message: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=message):
        bzz.AuthHive.routes_for(providers)


async def test_a_provider_may_be_given_as_a_class(secured: Secured) -> None:
    assert (await sign_in(secured(Tickets))).json()["provider"] == "tickets"


class SeatsProvider(bzz.AuthProvider):
    def authenticate(
        self, access_token: str, proxy_info: Mapping[str, Any] | None = None, post_data: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        return {"id": access_token}


class BoxSeatsProvider(SeatsProvider):
    pass


class Renamed(SeatsProvider):
    def __init__(self) -> None:
        self.name = "stalls"


def test_the_name_of_a_provider_is_that_of_its_class_unless_it_is_set() -> None:
    assert [SeatsProvider().name, BoxSeatsProvider().name, Renamed().name] == ["seats", "boxseats", "stalls"]


async def test_the_user_has_the_name_of_the_provider_that_its_class_gave(secured: Secured) -> None:
    assert (await sign_in(secured(SeatsProvider), "7", "seats")).json()["provider"] == "seats"
