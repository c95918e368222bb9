"""Who may go on, who may not, and how long a session lasts."""

from __future__ import annotations

import gc
import time
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
from tornado.web import RequestHandler

import bzz
from bzz import signals
from bzz.auth.token import SessionTokens
from bzz.errors import Unauthorized
from tests.auth.conftest import KEY, Secured, sign_in
from tests.conftest import Serve

USER = {"id": "ada", "name": "Ada", "provider": "tickets"}


def token_from(seconds_ago: float, expiration: int = 1200, key: str = KEY) -> str:
    """A token of a session that began some time ago and was renewed ever since."""
    tokens = SessionTokens([key.encode()], expiration, 86400, clock=lambda: time.time() - seconds_ago)
    now = SessionTokens([key.encode()], expiration, 86400)
    return now.write(now.renew(tokens.start(USER)))


def cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"AUTH_TOKEN={token}"}


def renewed(answer: httpx.Response) -> Any:
    return SimpleCookie(answer.headers["Set-Cookie"])["AUTH_TOKEN"] if "Set-Cookie" in answer.headers else None


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_guarded_method_sync_or_async_is_a_401_problem_for_a_stranger(secured: Secured, method: str) -> None:
    answer = await secured().request(method, "/plain")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_guarded_method_runs_for_a_user_whom_it_knows(secured: Secured) -> None:
    client = secured()
    await sign_in(client)
    assert (await client.get("/plain")).json() == USER
    assert (await client.post("/plain")).text == "written"


async def test_a_method_without_the_decorator_is_open(secured: Secured) -> None:
    assert (await secured().put("/plain")).text == "open"


def test_the_decorator_keeps_the_name_of_the_method() -> None:
    @bzz.authenticated
    def get(handler: RequestHandler) -> None:
        """Say hello."""

    assert (get.__name__, get.__doc__) == ("get", "Say hello.")


async def test_an_application_that_was_not_configured_lets_nobody_in(serve: Serve) -> None:
    class Handler(RequestHandler):
        @bzz.authenticated
        def get(self) -> None:
            self.write("secret")

    answer = await serve([("/", Handler)]).get("/")
    assert (answer.status_code, "secret" in answer.text) == (500, False)


async def test_a_guard_of_the_applications_own_works_with_the_decorator(serve: Serve) -> None:
    async def nobody(handler: RequestHandler) -> None:
        raise Unauthorized("Not you.")

    class Handler(RequestHandler):
        @bzz.authenticated
        def get(self) -> None:
            self.write("secret")

    assert (await serve([("/", Handler)], bzz_guard=nobody).get("/")).status_code == 401


METHODS = {"get": "GET", "create": "POST", "update": "PUT", "delete": "DELETE"}


@pytest.mark.parametrize("opened", METHODS)
async def test_each_kind_of_method_can_be_opened_by_itself(secured: Secured, opened: str) -> None:
    options: dict[str, Any] = {f"authenticated_{opened}": False}
    client = secured(**options)
    for kind, method in {**METHODS, "update too": "PATCH"}.items():
        expected = 200 if kind.startswith(opened) else 401
        assert (await client.request(method, "/guarded")).status_code == expected, method


async def test_a_method_that_no_option_is_about_stays_guarded(secured: Secured) -> None:
    opened: dict[str, Any] = {f"authenticated_{kind}": False for kind in METHODS}
    assert (await secured(**opened).request("PROPFIND", "/guarded")).status_code == 401


async def test_options_needs_nobody(secured: Secured) -> None:
    assert (await secured().options("/guarded")).status_code == 204


async def test_an_open_method_still_knows_who_asks(secured: Secured) -> None:
    client = secured(authenticated_get=False)
    assert (await client.get("/guarded")).json() == {"user": None}
    await sign_in(client)
    assert (await client.get("/guarded")).json() == {"user": USER}


async def test_bearer_works_as_well_and_is_not_renewed(secured: Secured) -> None:
    answer = await secured().get("/plain", headers={"Authorization": f"bearer {token_from(0)}"})
    assert (answer.json(), "Set-Cookie" in answer.headers) == (USER, False)


async def test_a_bad_bearer_token_is_not_made_good_by_a_cookie(secured: Secured) -> None:
    client = secured()
    await sign_in(client)
    answer = await client.get("/plain", headers={"Authorization": "Bearer forged"})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')


async def test_another_scheme_leaves_the_cookie_to_decide(secured: Secured) -> None:
    client = secured()
    await sign_in(client)
    assert (await client.get("/plain", headers={"Authorization": "Basic YTpi"})).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "=;", "e30.e30.", "x" * 9000])
@pytest.mark.parametrize("header", ["Authorization", "Cookie"])
async def test_a_token_that_is_none_is_a_401(secured: Secured, token: str, header: str) -> None:
    value = f"Bearer {token}" if header == "Authorization" else f"AUTH_TOKEN={token}"
    assert (await secured().get("/plain", headers={header.encode(): value.strip().encode()})).status_code == 401


async def test_a_session_is_renewed_by_a_guarded_request_that_succeeds(secured: Secured) -> None:
    before = cookie(token_from(300, expiration=600))
    for path in ("/plain", "/guarded"):
        again = renewed(await secured().get(path, headers=before))
        assert (again["max-age"], again["httponly"], again["samesite"]) == ("1200", True, "Lax")
        assert (await secured().get("/plain", headers=cookie(again.value))).status_code == 200


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_a_request_that_fails_renews_nothing(secured: Secured, status: int) -> None:
    client = secured()
    await sign_in(client)
    assert "Set-Cookie" not in (await client.post(f"/plain?status={status}")).headers


async def test_a_request_that_raises_renews_nothing(secured: Secured) -> None:
    client = secured()
    await sign_in(client)
    answer = await client.put("/streamed")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (409, False)


async def test_renewal_never_goes_past_the_absolute_lifetime(secured: Secured) -> None:
    client = secured()
    again = renewed(await client.get("/plain", headers=cookie(token_from(86400 - 60))))
    assert 58 <= int(again["max-age"]) <= 60
    assert (await client.get("/plain", headers=cookie(token_from(86401)))).status_code == 401


async def test_keys_are_rotated_without_anybody_signing_in_again(secured: Secured) -> None:
    new = "n" * 32
    client = secured(secret_key=[new, KEY])
    again = renewed(await client.get("/plain", headers=cookie(token_from(0))))
    assert (await secured(secret_key=new).get("/plain", headers=cookie(again.value))).status_code == 200


async def test_an_expired_token_is_a_401(secured: Secured) -> None:
    tokens = SessionTokens([KEY.encode()], 10, 86400, clock=lambda: time.time() - 11)
    token = tokens.write(tokens.start(USER))
    assert (await secured().get("/plain", headers=cookie(token))).status_code == 401


async def test_two_applications_in_one_process_do_not_share_a_guard(secured: Secured) -> None:
    first, second = secured(), secured(secret_key="another key of at least thirty-two", authenticated_get=False)
    await sign_in(first)
    second.cookies = first.cookies
    assert (await first.get("/plain")).status_code == 200
    assert (await second.get("/plain")).status_code == 401
    assert (await second.get("/guarded")).json() == {"user": None}


async def test_the_guard_survives_garbage_collection_and_raising_receivers(secured: Secured) -> None:
    client = secured()

    def broken(sender: Any) -> None:
        raise ValueError("a bug")

    for signal in (signals.authorized_user, signals.unauthorized_user, signals.pre_get_user_details):
        with signal.connected_to(broken):
            gc.collect()
            assert (await client.get("/guarded")).status_code == 401
            assert (await client.get("/plain")).status_code == 401


@pytest.mark.parametrize("path", ["/plain", "/guarded", "/auth/signin/", "/auth/signout/"])
async def test_an_unsafe_request_that_another_site_sent_is_refused(secured: Secured, path: str) -> None:
    client = secured()
    await sign_in(client)
    for headers in [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ]:
        assert (await client.post(path, headers=headers)).status_code == 403


async def test_an_unsafe_request_from_the_site_itself_and_a_safe_one_from_any_are_let_through(secured: Secured) -> None:
    client = secured()
    await sign_in(client)
    assert (await client.post("/plain", headers={"Sec-Fetch-Site": "same-origin"})).status_code == 200
    assert (await client.get("/plain", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


async def test_a_bearer_token_does_not_rely_on_the_cookie_and_may_come_from_another_site(secured: Secured) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://friend.example"}
    client = secured()
    await sign_in(client)
    answer = await client.post("/guarded", headers={**headers, "Authorization": f"Bearer {token_from(0)}"})
    forged = await client.post("/guarded", headers={**headers, "Authorization": "Bearer forged"})
    assert (answer.status_code, forged.status_code) == (200, 401)


async def test_an_application_may_settle_cross_origin_protection_itself(secured: Secured) -> None:
    client = secured(settings={"cross_origin_protection": False})
    await sign_in(client)
    assert (await client.post("/plain", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


async def test_an_answer_that_is_streamed_is_renewed_too(secured: Secured) -> None:
    client = secured()
    await sign_in(client)
    answer = await client.get("/streamed")
    assert (answer.text, "Set-Cookie" in answer.headers) == ("ab", True)
