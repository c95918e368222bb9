"""Which routes of bzz are limited, beside those of models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import mongoengine as me
import pytest
from tornado.web import Application

import bzz
from bzz.auth import AuthProvider
from bzz.delivery.history.declaring import forget_history
from bzz.problem import ProblemHandler
from tests.conftest import NO_TLS, Serve
from tests.explorer.conftest import ACCEPT, explored
from tests.rate_limits.conftest import Booth, Limited, Turnstile, statuses


class Gate(me.Document):
    name = me.StringField()


class Nobody(AuthProvider):
    name = "nobody"

    async def authenticate(self, access_token: str, proxy_info: Any = None, post_data: Any = None) -> None:
        return None


def everything() -> list[Any]:
    """Routes of each kind."""
    models = bzz.ModelHive.routes_for("mongoengine", Gate, live=True)
    return bzz.flatten(
        [
            models,
            bzz.AuthHive.routes_for([Nobody]),
            bzz.DocsHive.routes_for(models, title="Gates", version="1", explorer=True),
            bzz.LiveHive.routes_for(models),
            bzz.MetricsHive.routes_for(),
            bzz.HealthHive.routes_for(models),
        ]
    )


@pytest.mark.parametrize(
    "path", ["/gate/", "/auth/me/", "/openapi.json", "/explorer/", "/events/?models=nothing", "/metrics"]
)
async def test_a_route_of_bzz_is_limited(limited: Limited, path: str) -> None:
    client = limited("1/hour", routes=everything(), guard=None)
    first, second = [await client.get(path) for _ in range(2)]
    assert (first.status_code != 429, second.status_code) == (True, 429)
    assert second.headers["RateLimit-Policy"] == '"1/hour";q=1;w=3600'


class Own(ProblemHandler):
    """A handler of an application's own."""

    async def get(self) -> None:
        await self.admit()
        self.write("hello")


async def test_a_handler_of_the_application_s_own_may_ask(limited: Limited) -> None:
    client = limited("1/hour", routes=[("/own", Own)])
    assert await statuses(client, 1, "/own", X_User="nobody") == [401]
    assert await statuses(client, 2, "/own", X_User="ann") == [200, 429]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_who_asks_for_the_health_is_always_answered(limited: Limited, path: str) -> None:
    assert await statuses(limited("1/hour", routes=everything()), 3, path) == [200] * 3


async def test_sign_ins_are_counted_by_address(serve: Serve) -> None:
    def configure(app: Application) -> None:
        bzz.AuthHive.configure(app, "k" * 32, development=True)
        bzz.RateLimits(writes="2/hour").attach(app)

    client = serve(bzz.AuthHive.routes_for([Nobody]), configure)
    body = {"provider": "nobody", "access_token": "x"}
    assert [(await client.post("/auth/signin/", json=body)).status_code for _ in range(3)] == [401, 401, 429]


@pytest.fixture
def recorded() -> Iterator[None]:
    """Gates have a history."""
    bzz.history(Gate)
    yield
    forget_history(Gate)


@pytest.mark.usefixtures("recorded")
async def test_a_history_is_limited_with_its_model(limited: Limited) -> None:
    models = bzz.ModelHive.routes_for("mongoengine", Gate, rate_limits=bzz.RateLimits("2/hour"))
    client = limited(routes=bzz.flatten([bzz.HistoryHive.routes_for(models), models]))
    gate = Gate(name="a").save()
    paths = (f"/gate/{gate.pk}/", f"/gate/{gate.pk}/history/", f"/gate/{gate.pk}/")
    assert [(await client.get(path)).status_code for path in paths] == [200, 200, 429]


async def test_to_open_a_feed_is_one_request(limited: Limited) -> None:
    client = limited("2/hour", routes=bzz.ModelHive.routes_for("mongoengine", Gate, live=True))
    async with client.stream("GET", "/gate/", headers={"Accept": "text/event-stream"}) as feed:
        assert (feed.status_code, feed.headers["RateLimit"][:13]) == (200, '"2/hour";r=1;')
        lines = feed.aiter_lines()
        async with asyncio.timeout(20):
            await anext(lines)
            Gate(name="a").save()
            while "created" not in await anext(lines):
                pass
        assert await statuses(client, 2, "/gate/") == [200, 429]


async def test_a_person_is_shown_a_page(limited: Limited) -> None:
    client = limited("1/hour", routes=explored(bzz.ModelHive.routes_for("mongoengine", Gate)))
    first, second = [await client.get("/gate/", headers=ACCEPT) for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.headers["Content-Type"].startswith("text/html")
    assert "come back in" in second.text


async def test_pages_of_other_origins_may_read_what_is_left(limited: Limited, serve: Serve, database_name: str) -> None:
    def configure(app: Application) -> None:
        bzz.cors(app, ["https://app.example"])
        bzz.RateLimits("1/hour").attach(app)

    client = serve(bzz.ModelHive.routes_for("mongoengine", Gate), configure)
    for status in (200, 429):
        answer = await client.get("/gate/", headers={"Origin": "https://app.example"})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, "https://app.example")
        assert {"RateLimit", "RateLimit-Policy"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))


async def described(limited: Limited, routes: list[Any], *limits: str, version: str = "3.1") -> dict[str, Any]:
    """The OpenAPI document that an application answers."""
    docs = bzz.DocsHive.routes_for(routes, title="Gates", version="1")
    client = limited(*limits, routes=bzz.flatten([routes, docs]))
    made: dict[str, Any] = (await client.get("/openapi.json", params={"openapi": version})).json()
    return made


def refusing(document: dict[str, Any]) -> set[str]:
    """The paths whose operations all name the 429, of those where some do."""
    named = {
        path: ["429" in operation["responses"] for operation in operations.values()]
        for path, operations in document["paths"].items()
    }
    assert all(all(each) or not any(each) for each in named.values())
    return {path for path, each in named.items() if any(each)}


@pytest.mark.parametrize("version", ["3.0", "3.1"])
async def test_the_openapi_document_names_the_answer_where_limits_are(limited: Limited, version: str) -> None:
    own = bzz.RateLimits("9/hour")
    routes = bzz.flatten(
        [
            bzz.ModelHive.routes_for("mongoengine", Turnstile, rate_limits=own),
            bzz.ModelHive.routes_for("mongoengine", Booth),
        ]
    )
    document = await described(limited, routes, version=version)
    assert refusing(document) == {"/turnstile/", "/turnstile/{id}/"}
    answer = document["components"]["responses"]["429"]
    assert set(answer["headers"]) == {"RateLimit", "RateLimit-Policy", "Retry-After"}
    everywhere = await described(limited, routes, "9/hour", version=version)
    assert refusing(everywhere) == set(everywhere["paths"])


def test_clients_that_speak_plain_http_trust_nobody() -> None:
    assert NO_TLS.get_ca_certs() == []
