"""Sign-in by ID tokens that a real OpenID Connect server signed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tornado.web import Application, RequestHandler

from bzz.auth import OpenIDProvider, jwks
from bzz.auth.idtoken import ALGORITHMS, looks_like_jwt
from bzz.errors import BadGateway, ConfigurationError, Unavailable
from tests.auth.conftest import OpenIDServer, Secured, sign_in

FakeSite = Callable[[Application], str]

CLIENT = "bzz-app"


async def test_an_id_token_of_the_server_signs_in(secured: Secured, openid: OpenIDServer) -> None:
    client = secured(OpenIDProvider(openid.issuer, CLIENT))
    token = openid.id_token("ada", name="Ada Lovelace", email="ada@example.org")
    answer = await sign_in(client, token, "openid")
    user = {"id": "ada", "name": "Ada Lovelace", "email": "ada@example.org", "provider": "openid"}
    assert (answer.status_code, answer.json()) == (200, {**user, "authenticated": True})
    assert (await client.get("/auth/me/")).json() == {"authenticated": True, "userData": user}


async def test_a_token_for_another_application_is_refused(secured: Secured, openid: OpenIDServer) -> None:
    token = openid.id_token("ada", client_id="another-app")
    assert (await sign_in(secured(OpenIDProvider(openid.issuer, CLIENT)), token, "openid")).status_code == 401


async def test_a_token_that_was_changed_is_refused(secured: Secured, openid: OpenIDServer) -> None:
    head, body, signature = openid.id_token("ada").split(".")
    changed = f"{head}.{body}.{signature[:-8]}AAAAAAAA"
    assert (await sign_in(secured(OpenIDProvider(openid.issuer, CLIENT)), changed, "openid")).status_code == 401


async def test_an_access_token_of_the_server_is_no_id_token(secured: Secured, openid: OpenIDServer) -> None:
    token = openid.tokens("ada")["access_token"]
    assert (await sign_in(secured(OpenIDProvider(openid.issuer, CLIENT)), token, "openid")).status_code == 401


async def test_the_rotation_of_the_servers_keys_is_noticed(secured: Secured, restartable: OpenIDServer) -> None:
    restartable.start()
    client = secured(OpenIDProvider(restartable.issuer, CLIENT))
    before = restartable.id_token("ada")
    assert (await sign_in(client, before, "openid")).status_code == 200
    restartable.stop()
    restartable.start()
    after = restartable.id_token("ada")
    assert (await sign_in(client, after, "openid")).status_code == 200
    assert (await sign_in(client, before, "openid")).status_code == 401


async def test_a_server_that_is_away_is_a_503_and_then_works_without_a_restart(
    secured: Secured, restartable: OpenIDServer
) -> None:
    restartable.start()
    token = restartable.id_token("ada")
    restartable.stop()
    client = secured(OpenIDProvider(restartable.issuer, CLIENT))
    answer = await sign_in(client, token, "openid")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    restartable.start()
    assert (await sign_in(client, restartable.id_token("ada"), "openid")).status_code == 200


async def test_an_expired_token_is_refused(secured: Secured, restartable: OpenIDServer) -> None:
    restartable.start("--token-max-age", "-120")
    token = restartable.id_token("ada")
    client = secured(OpenIDProvider(restartable.issuer, CLIENT))
    assert (await sign_in(client, token, "openid")).status_code == 401


async def test_clocks_may_differ_by_less_than_a_minute(secured: Secured, restartable: OpenIDServer) -> None:
    restartable.start("--token-max-age", "-20")
    token = restartable.id_token("ada")
    client = secured(OpenIDProvider(restartable.issuer, CLIENT))
    assert (await sign_in(client, token, "openid")).status_code == 200


class Issuer:
    """An OpenID Connect server whose every word the test chooses: for what a real one never says."""

    def __init__(self, fake_site: FakeSite) -> None:
        self.jwk: dict[str, Any] = {"kid": "one"}
        self.change_key()
        self.served: dict[str, Any] = {"keys": {"keys": [self.jwk]}, "status": 200}
        self.asked: list[str] = []
        issuer = self

        class Site(RequestHandler):
            async def get(self, name: str) -> None:
                name = name.removeprefix("common/v2.0/")
                issuer.asked.append(name)
                self.set_status(issuer.served["status"])
                self.write(issuer.served["keys"] if name == "keys" else issuer.discovery)

        self.url = fake_site(Application([("/(.*)", Site)]))
        self.discovery: Any = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}

    def change_key(self) -> None:
        """Sign with another key from now on, and call it the same."""
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.jwk.update(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True))

    def token(self, headers: dict[str, Any] | None = None, algorithm: str = "RS256", **changes: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "sub": "ada", "iat": now, "exp": now + 60, **changes}
        claims = {name: value for name, value in claims.items() if value is not ...}
        return jwt.encode(claims, self.private, algorithm=algorithm, headers=headers or {"kid": "one"})


@pytest.fixture
async def issuer(fake_site: FakeSite) -> Issuer:
    return Issuer(fake_site)


async def answers(issuer: Issuer, *tokens: str) -> list[Any]:
    provider = OpenIDProvider(issuer.url, CLIENT)
    return [await provider.authenticate(token) for token in tokens]


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": ...},
        {"aud": ...},
        {"exp": ...},
        {"iat": ...},
        {"iss": "https://evil.example"},
        {"aud": ["another"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"sub": 7},
        {"headers": {"kid": "one", "typ": "at+jwt"}},
    ],
)
async def test_a_token_with_a_claim_that_is_wrong_or_missing_is_refused(issuer: Issuer, changes: Any) -> None:
    assert await answers(issuer, issuer.token(**changes), issuer.token()) == [None, {"id": "ada"}]


async def test_a_token_for_several_applications_is_for_the_one_that_asked_for_it(issuer: Issuer) -> None:
    assert await answers(issuer, issuer.token(aud=[CLIENT, "another"], azp=CLIENT)) == [{"id": "ada"}]


async def test_an_address_that_is_known_to_be_unverified_is_left_out(issuer: Issuer) -> None:
    token = issuer.token(email="root@example.org", email_verified=False)
    assert await answers(issuer, token) == [{"id": "ada"}]


async def test_a_public_key_is_never_taken_for_a_shared_secret(issuer: Issuer) -> None:
    now = int(time.time())
    claims = {"iss": issuer.url, "aud": CLIENT, "sub": "ada", "iat": now, "exp": now + 60}
    forged = [
        jwt.encode(claims, "0" * 32, algorithm="HS256", headers={"kid": "one"}),
        jwt.encode(claims, "", algorithm="none", headers={"kid": "one"}),
    ]
    assert await answers(issuer, *forged) == [None, None]
    assert not any(name.startswith("HS") or name == "none" for name in ALGORITHMS)


@pytest.mark.parametrize("token", ["", "x", "eyJ.e30.x", "a.b.c", "é.é.é", "eyJhbGciOiJSUzI1NiJ9.e30." + "x" * 9000])
async def test_a_text_that_is_no_token_is_refused(issuer: Issuer, token: str) -> None:
    assert await answers(issuer, token) == [None]


async def test_keys_are_cached_and_fetched_once_more_for_an_unknown_key(issuer: Issuer) -> None:
    provider = OpenIDProvider(issuer.url, CLIENT)
    for _ in range(3):
        await provider.authenticate(issuer.token())
    assert issuer.asked.count("keys") == 1
    assert await provider.authenticate(issuer.token({"kid": "two"})) is None
    assert issuer.asked.count("keys") == 2


async def test_invented_keys_do_not_have_the_server_asked_for_ever(issuer: Issuer) -> None:
    provider = OpenIDProvider(issuer.url, CLIENT)
    for number in range(jwks.REFRESHES + 5):
        assert await provider.authenticate(issuer.token({"kid": f"invented-{number}"})) is None
    assert issuer.asked.count("keys") <= jwks.REFRESHES + 1
    assert await provider.authenticate(issuer.token()) == {"id": "ada"}


async def test_sign_ins_that_wait_for_keys_share_one_fetch(issuer: Issuer) -> None:
    provider = OpenIDProvider(issuer.url, CLIENT)
    found = await asyncio.gather(*(provider.authenticate(issuer.token()) for _ in range(10)))
    assert (found, issuer.asked.count("keys")) == ([{"id": "ada"}] * 10, 1)


async def test_a_key_without_an_id_is_used_where_it_is_the_only_one(issuer: Issuer) -> None:
    issuer.jwk.pop("kid")
    token = issuer.token({"typ": "JWT"})
    assert await answers(issuer, token) == [{"id": "ada"}]


async def test_strange_keys_do_not_cost_the_others(issuer: Issuer) -> None:
    strange: list[Any] = [{"kty": "XYZ", "kid": "a"}, {"kty": "oct", "k": "AAAA", "kid": "one"}, 7, {}]
    issuer.served["keys"] = {"keys": [*strange, issuer.jwk, {"kty": "oct", "k": "AAAA", "kid": "one"}]}
    assert await answers(issuer, issuer.token()) == [{"id": "ada"}]


@pytest.mark.parametrize(
    ("served", "status"),
    [
        ({"status": 500}, 502),
        ({"status": 404}, 502),
        ({"status": 302}, 502),
        ({"status": 429}, 503),
        ({"status": 503}, 503),
        ({"keys": b"not json"}, 502),
        ({"keys": b"[]"}, 502),
        ({"keys": {"keys": []}}, 502),
        ({"keys": {"keys": 7}}, 502),
        ({"keys": {"keys": ["x"]}}, 502),
    ],
)
async def test_trouble_upstream_is_a_502_or_a_503(secured: Secured, issuer: Issuer, served: Any, status: int) -> None:
    issuer.served.update(served)
    answer = await sign_in(secured(OpenIDProvider(issuer.url, CLIENT)), issuer.token(), "openid")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (status, False)


async def test_a_discovery_document_of_another_issuer_is_a_502(secured: Secured, issuer: Issuer) -> None:
    client = secured(OpenIDProvider(issuer.url, CLIENT))
    for discovery in [{**issuer.discovery, "issuer": "https://evil.example"}, {"issuer": issuer.url}, {}]:
        issuer.discovery = discovery
        assert (await sign_in(client, issuer.token(), "openid")).status_code == 502


async def test_a_slow_server_does_not_hold_up_other_requests(
    secured: Secured, fake_site: FakeSite, issuer: Issuer
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    class Slow(RequestHandler):
        async def get(self) -> None:
            asked.set()
            await go_on.wait()
            self.write({})

    client = secured(OpenIDProvider(fake_site(Application([("/.*", Slow)])), CLIENT))
    waiting = asyncio.create_task(sign_in(client, issuer.token(), "openid"))
    await asyncio.wait_for(asked.wait(), 10)
    assert (await client.get("/auth/me/")).status_code == 200
    assert not waiting.done()
    go_on.set()
    assert (await waiting).status_code == 502


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
async def test_an_rsa_key_without_an_algorithm_verifies_all_of_its_kind(issuer: Issuer, algorithm: str) -> None:
    issuer.jwk.pop("alg", None)
    assert await answers(issuer, issuer.token(algorithm=algorithm)) == [{"id": "ada"}]


async def test_a_key_with_an_algorithm_verifies_no_other(issuer: Issuer) -> None:
    issuer.jwk["alg"] = "PS256"
    tokens = [issuer.token(algorithm=algorithm) for algorithm in ("RS256", "PS256", "PS512")]
    assert await answers(issuer, *tokens) == [None, {"id": "ada"}, None]


async def test_a_known_key_that_does_not_verify_is_fetched_once_more(issuer: Issuer) -> None:
    provider = OpenIDProvider(issuer.url, CLIENT)
    assert await provider.authenticate(issuer.token()) == {"id": "ada"}
    issuer.change_key()
    assert await provider.authenticate(issuer.token()) == {"id": "ada"}
    assert issuer.asked.count("keys") == 2


async def test_a_token_that_a_known_key_signed_is_refused_without_a_fetch(issuer: Issuer) -> None:
    assert await answers(issuer, issuer.token(aud="another"), issuer.token(exp=1)) == [None, None]
    assert issuer.asked.count("keys") == 1


async def test_keys_that_cannot_be_fetched_again_are_used_for_a_day(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = OpenIDProvider(issuer.url, CLIENT)
    await provider.authenticate(issuer.token())
    issuer.served["status"] = 500
    monkeypatch.setattr(jwks, "MAX_AGE_SECONDS", -1.0)
    assert [await provider.authenticate(issuer.token()) for _ in range(3)] == [{"id": "ada"}] * 3
    assert issuer.asked == [".well-known/openid-configuration", "keys", ".well-known/openid-configuration"]
    monkeypatch.setattr(jwks, "STALE_SECONDS", -1.0)
    with pytest.raises(BadGateway):
        await provider.authenticate(issuer.token())


async def test_a_forged_token_is_refused_while_keys_cannot_be_fetched_and_an_unknown_key_is_trouble(
    issuer: Issuer,
) -> None:
    provider = OpenIDProvider(issuer.url, CLIENT)
    await provider.authenticate(issuer.token())
    issuer.served["status"] = 503
    head, body, _ = issuer.token().split(".")
    assert await provider.authenticate(f"{head}.{body}.c2ln") is None
    with pytest.raises(Unavailable):
        await provider.authenticate(issuer.token({"kid": "two"}))


async def test_the_nonce_that_a_client_sends_is_that_of_the_token(issuer: Issuer) -> None:
    provider, token = OpenIDProvider(issuer.url, CLIENT), issuer.token(nonce="n-1")
    sent: list[dict[str, Any]] = [{"nonce": "n-1"}, {"nonce": "n-2"}, {"nonce": None}, {"nonce": ["n-1"]}, {}]
    found = [await provider.authenticate(token, post_data=each) for each in sent]
    assert found == [{"id": "ada"}, None, None, None, {"id": "ada"}]
    assert await provider.authenticate(issuer.token(), post_data={"nonce": "n-1"}) is None


async def test_a_sign_in_with_the_nonce_of_another_is_refused(secured: Secured, issuer: Issuer) -> None:
    client, token = secured(OpenIDProvider(issuer.url, CLIENT)), issuer.token(nonce="n-1")
    assert (await sign_in(client, token, "openid", nonce="n-2")).status_code == 401
    assert (await sign_in(client, token, "openid", nonce="n-1")).status_code == 200


async def test_the_issuer_of_a_tenant_fits_the_template_of_the_server(issuer: Issuer) -> None:
    site = issuer.url
    issuer.discovery["issuer"] = f"{site}/{{tenantid}}/v2.0"
    provider = OpenIDProvider(f"{site}/common/v2.0", CLIENT)
    good = issuer.token(iss=f"{site}/t-1/v2.0", tid="t-1")
    assert await provider.authenticate(good) == {"id": "ada"}
    wrong: list[dict[str, Any]] = [
        {"tid": "t-2"},
        {"tid": ...},
        {"iss": f"{site}/common/v2.0"},
        {"iss": "https://evil.example/t-1/v2.0"},
    ]
    for changes in wrong:
        claims: dict[str, Any] = {"iss": f"{site}/t-1/v2.0", "tid": "t-1", **changes}
        assert await provider.authenticate(issuer.token(**claims)) is None


async def test_a_key_that_is_for_one_tenant_signs_for_no_other(issuer: Issuer) -> None:
    site = issuer.url
    issuer.discovery["issuer"] = f"{site}/{{tenantid}}/v2.0"
    issuer.jwk["issuer"] = f"{site}/t-1/v2.0"
    provider = OpenIDProvider(f"{site}/common/v2.0", CLIENT)
    found = [await provider.authenticate(issuer.token(iss=f"{site}/{t}/v2.0", tid=t)) for t in ("t-1", "t-2")]
    assert found == [{"id": "ada"}, None]


async def test_a_template_of_another_server_is_a_502(issuer: Issuer) -> None:
    issuer.discovery["issuer"] = "https://evil.example/{tenantid}/v2.0"
    with pytest.raises(BadGateway):
        await OpenIDProvider(f"{issuer.url}/common/v2.0", CLIENT).authenticate(issuer.token())


async def test_further_claims_become_data_of_the_user_and_stay_in_the_session(secured: Secured, issuer: Issuer) -> None:
    client = secured(OpenIDProvider(issuer.url, CLIENT, claims=["roles", "locale"]))
    await sign_in(client, issuer.token(roles=["admin"], picture="p"), "openid")
    user = {"id": "ada", "roles": ["admin"], "provider": "openid"}
    assert (await client.get("/auth/me/")).json()["userData"] == user


@pytest.mark.parametrize("claims", ["roles", ["id"], ["roles", "provider"]])
def test_claims_that_bzz_writes_itself_are_refused(claims: Any) -> None:
    with pytest.raises(ConfigurationError, match="other than id and provider"):
        OpenIDProvider("https://login.example", CLIENT, claims=claims)


def test_what_looks_like_a_jwt() -> None:
    assert not looks_like_jwt("ya29.a.b")
