"""Requests that are limited: which are let in, what the others are answered, and for whom each counts."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import httpx
import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

import bzz
from bzz.signals import pre_create_instance
from tests.conftest import NO_TLS
from tests.rate_limits.conftest import Booth, Limited, Turnstile, statuses


async def test_beyond_the_limit_a_request_is_a_429_that_says_when_to_come_back(limited: Limited, storage: str) -> None:
    client = limited("2/minute", storage=storage)
    assert await statuses(client, 2) == [200, 200]
    answer = await client.get("/turnstile/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (429, "application/problem+json")
    seconds = int(answer.headers["Retry-After"])
    assert 55 <= seconds <= 60
    assert answer.json() == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": f"The limit of 2/minute is reached; come back in {seconds} s.",
    }
    assert answer.headers["RateLimit"] == f'"2/minute";r=0;t={seconds}'
    assert answer.headers["RateLimit-Policy"] == '"2/minute";q=2;w=60'


async def test_an_answer_says_what_is_left_of_each_limit(limited: Limited, storage: str) -> None:
    client = limited("2/hour", "5 per 10 minutes", storage=storage)
    answer = await client.get("/turnstile/")
    assert answer.headers["RateLimit-Policy"] == '"5/10 minutes";q=5;w=600, "2/hour";q=2;w=3600'
    assert answer.headers["RateLimit"] == '"5/10 minutes";r=4;t=600, "2/hour";r=1;t=3600'


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/turnstile/nowhere/", None, 404),
        ("GET", "/turnstile/?age=1", None, 400),
        ("POST", "/turnstile/", {"name": "too long"}, 400),
        ("POST", "/turnstile/", {"name": "a"}, 201),
        ("PUT", "/turnstile/", {}, 405),
        ("HEAD", "/turnstile/", None, 200),
    ],
)
async def test_every_answer_says_it(limited: Limited, method: str, path: str, body: Any, status: int) -> None:
    answer = await limited("5/hour").request(method, path, json=body)
    assert (answer.status_code, answer.headers["RateLimit"][:14]) == (status, '"5/hour";r=4;t')


async def test_of_many_requests_at_once_as_many_as_the_limit_says_are_let_in(limited: Limited, storage: str) -> None:
    client = limited("7/hour", storage=storage)
    answers = await asyncio.gather(*(client.get("/turnstile/") for _ in range(40)))
    assert Counter(answer.status_code for answer in answers) == {200: 7, 429: 33}


async def test_who_comes_back_when_told_is_let_in(limited: Limited, storage: str) -> None:
    client = limited("2/second", storage=storage)
    while (answer := await client.get("/turnstile/")).status_code == 200:
        pass
    await asyncio.sleep(int(answer.headers["Retry-After"]))
    assert await statuses(client, 1) == [200]


async def test_the_time_that_is_left_runs(limited: Limited, storage: str) -> None:
    client = limited("9999 per 3 seconds", storage=storage)
    deadline = time.monotonic() + 20
    while not (await client.get("/turnstile/")).headers["RateLimit"].endswith(";t=2"):
        assert time.monotonic() < deadline, "it stands still"


async def test_what_the_short_limit_refuses_does_not_count_for_the_long_one(limited: Limited) -> None:
    client = limited("90/hour", "2/second")
    let_in = (await statuses(client, 12)).count(200)
    deadline = time.monotonic() + 20
    while (answer := await client.get("/turnstile/")).status_code == 429:
        assert time.monotonic() < deadline, "nothing is let in any more"
    assert f'"90/hour";r={90 - let_in - 1};' in answer.headers["RateLimit"]


async def test_each_user_has_a_count_of_its_own(limited: Limited, storage: str) -> None:
    client = limited("1/hour", storage=storage)
    asked = [await statuses(client, 2, X_User=name) for name in ("ann", "bob")]
    assert asked == [[200, 429], [200, 429]]


async def test_strangers_of_one_address_share_a_count(limited: Limited) -> None:
    client = limited("2/hour")
    assert await statuses(client, 3) == [200, 200, 429]
    assert await statuses(client, 1, X_User="ann") == [200]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("2001:db8::7", "2001:db8::8", True),
        ("2001:db8::7", "2001:db8:0:1::7", False),
    ],
)
async def test_an_ipv6_network_is_one_client(one: str, other: str, same: bool, database_name: str) -> None:
    app = Application(bzz.ModelHive.routes_for("mongoengine", Turnstile))
    bzz.RateLimits("1/hour").attach(app)
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app, xheaders=True)
    server.add_sockets(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=NO_TLS) as client:
        assert await statuses(client, 1, X_Real_Ip=one) == [200]
        assert await statuses(client, 1, X_Real_Ip=other) == [429 if same else 200]
    server.stop()
    await server.close_all_connections()


async def test_wrong_credentials_count_for_their_address_and_for_no_user(limited: Limited, storage: str) -> None:
    client = limited("2/hour", storage=storage)
    assert await statuses(client, 3, X_User="nobody") == [401, 401, 429]
    assert await statuses(client, 1, X_User="ann") == [200]


async def test_what_a_guard_refuses_as_tornado_does_counts_too(limited: Limited) -> None:
    def refuse(handler: RequestHandler) -> None:
        raise HTTPError(403)

    assert await statuses(limited("1/hour", guard=refuse), 2) == [403, 429]


async def test_a_key_of_the_application_s_own_goes_before_the_user(limited: Limited) -> None:
    async def tenant(handler: RequestHandler) -> str | None:
        return handler.request.headers.get("X-Tenant")

    client = limited("1/hour", key=tenant)
    assert await statuses(client, 2, X_Tenant="a", X_User="ann") == [200, 429]
    assert await statuses(client, 2, X_Tenant="b", X_User="ann") == [200, 429]
    assert await statuses(client, 2, X_User="ann") == [200, 429]


async def test_a_key_is_not_asked_of_those_whom_the_guard_refuses(limited: Limited) -> None:
    client = limited("2/hour", key=lambda handler: handler.request.headers.get("X-Tenant"))
    assert [await statuses(client, 1, X_User="nobody", X_Tenant=each) for each in "abc"] == [[401], [401], [429]]


async def test_a_user_without_a_name_counts_for_the_address(limited: Limited) -> None:
    def unnamed(handler: RequestHandler) -> None:
        handler.current_user = {"email": handler.request.headers["X-User"]}

    client = limited("1/hour", guard=unnamed)
    assert [await statuses(client, 1, X_User=each) for each in ("ann", "bob")] == [[200], [429]]


async def test_reads_and_writes_have_limits_of_their_own(limited: Limited) -> None:
    client = limited("4/hour", reads="2/hour", writes=["1/hour"])
    written = [(await client.post("/turnstile/", json={"name": "a"})) for _ in range(2)]
    assert [each.status_code for each in written] == [201, 429]
    assert written[0].headers["RateLimit-Policy"] == '"4/hour";q=4;w=3600, "writes 1/hour";q=1;w=3600'
    read = [(await client.request(method, "/turnstile/", json={})).status_code for method in ("HEAD", "QUERY", "GET")]
    assert read == [200, 200, 429]


async def test_options_are_not_counted(limited: Limited) -> None:
    client = limited("1/hour")
    asked = [await client.options("/turnstile/") for _ in range(3)]
    assert [(each.status_code, "RateLimit" in each.headers) for each in asked] == [(204, False)] * 3


async def test_a_request_that_is_refused_is_not_looked_at(limited: Limited) -> None:
    seen: list[Any] = []
    client = limited("1/hour")
    await client.get("/turnstile/")
    with pre_create_instance.connected_to(lambda sender, handler: seen.append(handler), Turnstile):
        answers = [
            await client.post("/turnstile/", content=b"{", headers={"Content-Type": "application/json"}),
            await client.post("/turnstile/", json={"name": "a"}),
            await client.post("/turnstile/", content=bytes(2 * 1024 * 1024)),
            await client.get("/turnstile/nowhere/"),
        ]
    assert [each.status_code for each in answers] == [429] * 4
    assert (seen, Turnstile.objects.count()) == ([], 0)


async def test_an_array_is_one_request(limited: Limited) -> None:
    client = limited("2/hour")
    made = await client.post("/turnstile/", json=[{"name": "a"}, {"name": "b"}, {"name": "c"}])
    assert (made.status_code, await statuses(client, 2)) == (201, [200, 429])


async def test_the_limits_of_an_application_hold_for_all_of_its_models_together(limited: Limited) -> None:
    routes = [bzz.ModelHive.routes_for("mongoengine", each) for each in (Turnstile, Booth)]
    client = limited("1/hour", routes=routes)
    assert [await statuses(client, 1, path) for path in ("/turnstile/", "/booth/")] == [[200], [429]]


async def test_the_limits_of_a_model_stand_in_place_of_the_application_s(limited: Limited, storage: str) -> None:
    one = bzz.RateLimits("1/hour", storage=storage)
    routes = [
        bzz.ModelHive.routes_for("mongoengine", Turnstile, rate_limits=one),
        bzz.ModelHive.routes_for("mongoengine", Turnstile, prefix="/other", rate_limits=one),
        bzz.ModelHive.routes_for("mongoengine", Booth),
    ]
    client = limited("2/hour", storage=storage, routes=routes)
    paths = ("/turnstile/", "/other/turnstile/", "/booth/")
    assert [await statuses(client, 3, each) for each in paths] == [[200, 429, 429], [200, 429, 429], [200, 200, 429]]


async def test_limits_of_a_model_need_none_of_the_application(limited: Limited) -> None:
    one = bzz.RateLimits("1/hour")
    client = limited(routes=bzz.ModelHive.routes_for("mongoengine", Turnstile, rate_limits=one))
    assert await statuses(client, 2) == [200, 429]


async def test_an_application_without_limits_says_nothing_of_them(limited: Limited) -> None:
    answer = await limited().get("/turnstile/")
    assert (answer.status_code, "RateLimit" in answer.headers) == (200, False)
