"""What answers that depend on a session say to caches."""

from __future__ import annotations

import httpx
import pytest

from tests.auth.conftest import Secured, sign_in
from tests.auth.test_guard import cookie, token_from

VARY = "Cookie, Authorization"


def said(answer: httpx.Response) -> tuple[int, str | None, str | None]:
    return answer.status_code, answer.headers.get("Vary"), answer.headers.get("Cache-Control")


@pytest.mark.parametrize("path", ["/plain", "/guarded", "/streamed"])
async def test_an_answer_to_a_stranger_depends_on_the_session(secured: Secured, path: str) -> None:
    assert said(await secured().get(path)) == (401, VARY, "private")


@pytest.mark.parametrize("path", ["/plain", "/guarded"])
async def test_an_answer_to_a_bearer_token_is_private(secured: Secured, path: str) -> None:
    answer = await secured().get(path, headers={"Authorization": f"Bearer {token_from(0)}"})
    assert said(answer) == (200, VARY, "private")


async def test_an_open_method_that_looks_for_a_session_is_private(secured: Secured) -> None:
    assert said(await secured(authenticated_get=False).get("/guarded")) == (200, VARY, "private")


@pytest.mark.parametrize("path", ["/plain", "/guarded", "/streamed"])
async def test_an_answer_that_renews_the_cookie_is_never_stored(secured: Secured, path: str) -> None:
    answer = await secured().get(path, headers=cookie(token_from(0)))
    assert (said(answer), "Set-Cookie" in answer.headers) == ((200, VARY, "no-store"), True)


async def test_a_handler_may_say_otherwise_where_no_cookie_is_renewed(secured: Secured) -> None:
    answer = await secured().get("/cached", headers={"Authorization": f"Bearer {token_from(0)}"})
    assert said(answer) == (200, "Accept, Cookie, Authorization", "public, max-age=60")


async def test_no_handler_has_a_renewed_cookie_stored(secured: Secured) -> None:
    answer = await secured().get("/cached", headers=cookie(token_from(0)))
    assert (said(answer), "Set-Cookie" in answer.headers) == ((200, f"Accept, {VARY}", "no-store"), True)


async def test_signing_in_and_out_is_never_stored(secured: Secured) -> None:
    client = secured()
    for answer in (await sign_in(client), await client.get("/auth/me/"), await client.post("/auth/signout/")):
        assert answer.headers["Cache-Control"] == "no-store"


async def test_an_answer_that_looks_for_no_session_says_nothing(secured: Secured) -> None:
    assert said(await secured().put("/plain")) == (200, None, None)
