"""Google and GitHub, played by loopback servers that answer as their manuals say."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from tornado.web import Application, RequestHandler

import bzz.auth
from bzz.auth import GitHubProvider
from tests.auth.conftest import OpenIDServer, Secured, sign_in

FakeSite = Callable[[Application], str]

CLIENT = "bzz-app"


class GoogleSite(RequestHandler):
    """https://developers.google.com/identity/protocols/oauth2: token information and user information."""

    def get(self, name: str) -> None:
        if name == "tokeninfo":
            self._token_info(self.get_query_argument("access_token"))
        elif self.request.headers.get("Authorization") in ("Bearer good", "Bearer other-user"):
            self.write({"sub": "7", "name": "Ada", "email": "ada@gmail.com", "email_verified": True})

    def _token_info(self, token: str) -> None:
        known: dict[str, dict[str, Any]] = {
            "good": {"aud": CLIENT, "sub": "7", "expires_in": "3000"},
            "other-audience": {"aud": "another-app", "sub": "7"},
            "other-user": {"aud": CLIENT, "sub": "8"},
        }
        if token == "broken":
            self.set_status(500)
        elif token not in known:
            self.set_status(400)
        self.write(known.get(token, {"error_description": "Invalid Value"}))


@pytest.fixture
def google(fake_site: FakeSite, openid: OpenIDServer) -> bzz.auth.GoogleProvider:
    site = fake_site(Application([("/(.*)", GoogleSite)]))

    class Google(bzz.auth.GoogleProvider):
        issuer = openid.issuer
        token_info = f"{site}/tokeninfo"
        user_info = f"{site}/userinfo"

    return Google(client_id=CLIENT)


async def test_a_google_access_token_for_this_application_signs_in(
    secured: Secured, google: bzz.auth.GoogleProvider
) -> None:
    answer = await sign_in(secured(google), "good", "google")
    user = {"id": "7", "name": "Ada", "email": "ada@gmail.com", "provider": "google"}
    assert (answer.status_code, answer.json()) == (200, {**user, "authenticated": True})


@pytest.mark.parametrize("token", ["expired", "other-audience", "other-user", "ya29.a&aud=x"])
async def test_a_google_access_token_for_another_application_or_user_is_refused(
    secured: Secured, google: bzz.auth.GoogleProvider, token: str
) -> None:
    assert (await sign_in(secured(google), token, "google")).status_code == 401


async def test_a_google_id_token_is_verified_against_the_keys_of_its_issuer(
    secured: Secured, google: bzz.auth.GoogleProvider, openid: OpenIDServer
) -> None:
    client = secured(google)
    assert (await sign_in(client, openid.id_token("ada"), "google")).json()["id"] == "ada"
    assert (await sign_in(client, openid.id_token("ada", client_id="another"), "google")).status_code == 401


async def test_trouble_at_google_is_a_502_and_no_token_is_logged(
    secured: Secured, google: bzz.auth.GoogleProvider, everything_logged: pytest.LogCaptureFixture
) -> None:
    assert (await sign_in(secured(google), "broken", "google")).status_code == 502
    bzz_log = [record.getMessage() for record in everything_logged.records if record.name.startswith("bzz")]
    assert bzz_log
    assert not any("broken" in message for message in bzz_log)


def test_google_is_itself() -> None:
    provider = bzz.auth.GoogleProvider(client_id="x.apps.googleusercontent.com")
    assert provider.issuers == ["https://accounts.google.com", "accounts.google.com"]
    assert provider.name == "google"


class GitHubSite(RequestHandler):
    """https://docs.github.com/en/rest/apps/oauth-applications#check-a-token, and ``GET /user``."""

    def post(self, path: str) -> None:
        expected = "Basic " + base64.b64encode(b"id:hunter2").decode()
        assert (path, self.request.headers["Authorization"]) == ("applications/id/token", expected)
        if self.request.body == b'{"access_token":"broken"}':
            self.set_status(401)
        elif self.request.body not in (b'{"access_token":"gho_good"}', b'{"access_token":"gho_revoked"}'):
            self.set_status(404)
        self.write({"user": {"id": 7}})

    def get(self, path: str) -> None:
        assert self.request.headers["User-Agent"] == "bzz"
        if self.request.headers["Authorization"] != "Bearer gho_good":
            self.set_status(401)
        self.write({"id": 7, "login": "ada", "name": "Ada", "email": None, "site_admin": False})


@pytest.fixture
def github(fake_site: FakeSite) -> GitHubProvider:
    return GitHubProvider("id", "hunter2", api=fake_site(Application([("/(.*)", GitHubSite)])))


async def test_a_github_token_of_this_application_signs_in(secured: Secured, github: GitHubProvider) -> None:
    client = secured(github)
    answer = await sign_in(client, "gho_good", "github")
    user = {"id": "7", "name": "Ada", "login": "ada", "provider": "github"}
    assert answer.json() == {**user, "authenticated": True}
    assert (await client.get("/auth/me/")).json()["userData"] == user


@pytest.mark.parametrize("token", ["gho_of_another_application", "gho_revoked"])
async def test_a_github_token_of_another_application_is_refused(
    secured: Secured, github: GitHubProvider, token: str
) -> None:
    assert (await sign_in(secured(github), token, "github")).status_code == 401


async def test_trouble_at_github_is_a_502_and_no_secret_is_logged(
    secured: Secured, github: GitHubProvider, everything_logged: pytest.LogCaptureFixture
) -> None:
    assert (await sign_in(secured(github), "broken", "github")).status_code == 502
    assert "hunter2" not in everything_logged.text + repr(github)
