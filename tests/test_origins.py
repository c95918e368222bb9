"""``bzz.cors``: what pages of other origins may do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tornado.web import Application

import bzz
from bzz.errors import ConfigurationError, TooManyRequests
from bzz.problem import ProblemHandler
from tests.conftest import Serve

PAGE, OTHER = "https://app.example.org", "https://evil.example"
ASK = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "content-type,if-match"}


class Items(ProblemHandler):
    async def prepare(self) -> None:
        if self.request.method == "OPTIONS":
            raise TooManyRequests("Even OPTIONS is guarded here.", retry_after=7)

    def get(self) -> None:
        self.set_header("Vary", "Accept")
        self.set_header("X-Total-Count", "1")
        self.write({})

    def post(self) -> None:
        self.write({"cookie": self.request.headers.get("Cookie")})

    def delete(self) -> None:
        raise TooManyRequests(retry_after=7)


def client_of(serve: Serve, *origins: str, **options: Any) -> httpx.AsyncClient:
    return serve(
        [("/items/", Items)],
        lambda app: bzz.cors(app, origins or [PAGE], **options),
        cross_origin_protection=True,
    )


def allowed(answer: httpx.Response) -> dict[str, str]:
    prefix = "access-control-allow-"
    return {name.removeprefix(prefix): value for name, value in answer.headers.items() if name.startswith(prefix)}


async def test_a_page_of_an_allowed_origin_may_read_an_answer_and_its_headers(serve: Serve) -> None:
    answer = await client_of(serve).get("/items/", headers={"Origin": PAGE})
    assert (allowed(answer), answer.headers["Vary"]) == ({"origin": PAGE}, "Accept, Origin")
    names = (
        "ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Created-Id,"
        " X-Request-Id, X-Total-Count"
    )
    assert answer.headers["Access-Control-Expose-Headers"] == names


@pytest.mark.parametrize(
    "origin", [OTHER, "null", f"{PAGE}:8443", f"{PAGE}.evil.example", "http://app.example.org", ""]
)
async def test_an_origin_counts_as_it_is_written(serve: Serve, origin: str) -> None:
    answer = await client_of(serve).get("/items/", headers={"Origin": origin})
    assert (answer.status_code, allowed(answer), answer.headers["Vary"]) == (200, {}, "Accept, Origin")


async def test_an_answer_to_no_page_depends_on_the_origin_too(serve: Serve) -> None:
    answer = await client_of(serve).get("/items/")
    assert (allowed(answer), answer.headers["Vary"]) == ({}, "Accept, Origin")


@pytest.mark.parametrize(("method", "path", "status"), [("DELETE", "/items/", 429), ("GET", "/nowhere", 404)])
async def test_a_page_may_read_an_error_too(serve: Serve, method: str, path: str, status: int) -> None:
    answer = await client_of(serve).request(method, path, headers={"Origin": PAGE})
    assert (answer.status_code, allowed(answer)) == (status, {"origin": PAGE})


@pytest.mark.parametrize("path", ["/items/", "/nowhere"])
async def test_a_preflight_is_answered_before_any_guard(serve: Serve, path: str) -> None:
    answer = await client_of(serve, max_age=60).options(path, headers={"Origin": PAGE, **ASK})
    assert (answer.status_code, allowed(answer)) == (
        204,
        {
            "origin": PAGE,
            "methods": "GET, HEAD, QUERY, POST, PUT, PATCH, DELETE, OPTIONS",
            "headers": "content-type,if-match",
        },
    )
    assert answer.headers["Access-Control-Max-Age"] == "60"
    assert answer.headers["Vary"] == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


async def test_a_preflight_of_another_origin_is_told_nothing(serve: Serve) -> None:
    answer = await client_of(serve).options("/items/", headers={"Origin": OTHER, **ASK})
    assert (answer.status_code, allowed(answer), "Access-Control-Max-Age" in answer.headers) == (204, {}, False)


async def test_options_that_is_no_preflight_goes_to_the_handler(serve: Serve) -> None:
    assert (await client_of(serve).options("/items/", headers={"Origin": PAGE})).status_code == 429


async def test_every_origin_gets_one_answer_that_a_cache_may_share(serve: Serve) -> None:
    answer = await client_of(serve, "*").get("/items/", headers={"Origin": OTHER})
    assert (allowed(answer), answer.headers["Vary"]) == ({"origin": "*"}, "Accept")


async def test_with_credentials_the_origin_is_named(serve: Serve) -> None:
    client = client_of(serve, credentials=True)
    assert allowed(await client.get("/items/", headers={"Origin": PAGE})) == {"origin": PAGE, "credentials": "true"}
    assert allowed(await client.get("/items/", headers={"Origin": OTHER})) == {}


@pytest.mark.parametrize(
    ("credentials", "origin", "cookie", "status"),
    [
        (True, PAGE, "a=1", 200),
        (True, OTHER, "a=1", 403),
        (True, OTHER, None, 403),
        (False, PAGE, None, 200),
        (False, PAGE, "a=1", 403),
    ],
)
async def test_an_allowed_page_may_write_and_with_cookies_only_where_it_may_use_them(
    serve: Serve, credentials: bool, origin: str, cookie: str | None, status: int
) -> None:
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site", **({} if cookie is None else {"Cookie": cookie})}
    assert (await client_of(serve, credentials=credentials).post("/items/", headers=headers)).status_code == status


async def test_a_handler_may_answer_for_itself(serve: Serve) -> None:
    class Own(ProblemHandler):
        def get(self) -> None:
            self.set_header("Access-Control-Allow-Origin", "*")

    client = serve([("/own", Own)], lambda app: bzz.cors(app, [PAGE]))
    assert allowed(await client.get("/own", headers={"Origin": PAGE})) == {"origin": "*"}


@pytest.mark.parametrize(
    ("origins", "options", "message"),
    [
        ([], {}, "at least one origin"),
        (PAGE, {}, "origins is a list"),
        (["*"], {"credentials": True}, "name the origins"),
        ([PAGE, "*"], {}, r"'\*' is no origin"),
        ([f"{PAGE}/"], {}, "is no origin as browsers send it"),
        (["app.example.org"], {}, "is no origin"),
        (["https://App.example.org"], {}, "is no origin"),
        (["https://app.example.org:443"], {}, "is no origin"),
        (["https://app.example.org:x"], {}, "is no origin"),
        (["null"], {}, "is no origin"),
        ([7], {}, "is no origin"),
        ([PAGE], {"max_age": -1}, "max_age is"),
        ([PAGE], {"max_age": "60"}, "max_age is"),
        ([PAGE], {"credentials": "yes"}, "credentials is"),
    ],
)
def test_what_no_browser_would_send_is_refused(origins: Any, options: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        bzz.cors(Application(), origins, **options)


def test_a_second_policy_for_one_application_is_refused() -> None:
    app = Application()
    bzz.cors(app, [PAGE, "http://localhost:3000", "http://[::1]:3000"])
    with pytest.raises(ConfigurationError, match="called for this application already"):
        bzz.cors(app, [PAGE])
