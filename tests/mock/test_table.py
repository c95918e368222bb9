"""Which row answers, over a real socket."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

import bzz
from bzz.errors import ConfigurationError
from tests.conftest import Serve


async def test_a_row_answers_its_method_and_url(serve: Serve) -> None:
    client = serve(bzz.MockHive.routes_for([("GET", "/hello", {"body": "hi", "status": 202})]))
    answer = await client.get("/hello")
    assert (answer.status_code, answer.text) == (202, "hi")


@pytest.mark.parametrize("method", ["QUERY", "*"])
async def test_a_row_may_answer_a_query(serve: Serve, method: str) -> None:
    client = serve(bzz.MockHive.routes_for([(method, "/hello", {"body": "asked"})]))
    assert (await client.request("QUERY", "/hello", json={})).text == "asked"


async def test_a_row_without_an_answer_is_an_empty_200(serve: Serve) -> None:
    answer = await serve(bzz.MockHive.routes_for([("GET", "/hello")])).get("/hello")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("url", ["/a/b", "/a/b/", "/a/b/?", "^/a/b$"])
async def test_the_slash_at_the_end_is_optional_however_the_url_is_written(serve: Serve, url: str) -> None:
    client = serve(bzz.MockHive.routes_for([("GET", url, {"body": "here"})]))
    assert [(await client.get(path)).text for path in ("/a/b", "/a/b/")] == ["here", "here"]


async def test_a_url_is_matched_as_a_whole(serve: Serve) -> None:
    client = serve(bzz.MockHive.routes_for([("GET", "/a|/b", {"body": "here"})]))
    assert [(await client.get(path)).status_code for path in ("/a", "/b", "/ab", "/a/c")] == [200, 200, 404, 404]


@pytest.mark.parametrize("rows", [[("get", "/x", {"body": "exact"}), ("*", "/x", {"body": "any"})]])
@pytest.mark.parametrize("reverse", [False, True])
async def test_an_exact_method_in_any_case_beats_the_star(serve: Serve, rows: list[Any], reverse: bool) -> None:
    client = serve(bzz.MockHive.routes_for(rows[::-1] if reverse else rows))
    assert [(await client.get("/x")).text, (await client.put("/x")).text] == ["exact", "any"]


async def test_an_exact_method_beats_the_star_of_another_pattern(serve: Serve) -> None:
    rows = [("*", "/user/.*", {"body": "any"}), ("GET", r"/user/(\d+)", {"body": "exact"})]
    client = serve(bzz.MockHive.routes_for(rows))
    assert [(await client.get("/user/7")).text, (await client.get("/user/me")).text] == ["exact", "any"]


@pytest.mark.parametrize("second", ["/x", "/x/", "/x/?"])
async def test_the_later_of_two_equal_definitions_wins(serve: Serve, second: str) -> None:
    rows = [("GET", "/x", {"body": "first"}), ("get", second, {"body": "second"})]
    assert (await serve(bzz.MockHive.routes_for(rows)).get("/x")).text == "second"


async def test_another_method_of_a_known_url_is_a_405_with_every_method_that_it_takes(serve: Serve) -> None:
    rows = [("GET", "/user/me"), ("DELETE", r"/user/(\w+)")]
    answer = await serve(bzz.MockHive.routes_for(rows)).post("/user/me")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, DELETE, OPTIONS")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_an_unknown_url_is_left_to_the_other_routes_of_the_application(serve: Serve) -> None:
    assert (await serve(bzz.MockHive.routes_for([("GET", "/x")])).get("/y")).status_code == 404


async def test_head_is_answered_as_get_without_the_body(serve: Serve) -> None:
    answer = await serve(bzz.MockHive.routes_for([("GET", "/x", {"body": "hello"})])).head("/x")
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "5")


async def test_options_lists_the_methods_unless_the_table_has_it(serve: Serve) -> None:
    client = serve(bzz.MockHive.routes_for([("POST", "/x"), ("OPTIONS", "/y", {"body": "mine"})]))
    listed, mine = await client.options("/x"), await client.options("/y")
    assert (listed.status_code, listed.headers["Allow"], mine.text) == (204, "POST, OPTIONS", "mine")


@pytest.mark.parametrize(
    ("body", "sent", "media_type"),
    [
        ("héllo", "héllo".encode(), "text/html; charset=UTF-8"),
        (b"\x00\xff", b"\x00\xff", "application/octet-stream"),
        ({"a": [1]}, b'{"a":[1]}', "application/json"),
        ([1, None], b"[1,null]", "application/json"),
        (None, b"", "text/html; charset=UTF-8"),
    ],
)
async def test_each_kind_of_body_is_sent_as_what_it_is(serve: Serve, body: Any, sent: bytes, media_type: str) -> None:
    answer = await serve(bzz.MockHive.routes_for([("GET", "/x", {"body": body})])).get("/x")
    assert (answer.content, answer.headers["Content-Type"]) == (sent, media_type)


def plain(request: HTTPServerRequest) -> str:
    return f"{request.method} {request.arguments['q'][0].decode()}"


async def coroutine(request: HTTPServerRequest) -> dict[str, str]:
    await asyncio.sleep(0)
    return {"path": request.path}


def by_place(request: HTTPServerRequest, number: str, name: str) -> list[str]:
    return [number, name]


async def by_name(request: HTTPServerRequest, *, name: str) -> str:
    return name


@pytest.mark.parametrize(
    ("url", "body", "path", "sent"),
    [
        ("/x", plain, "/x?q=1", "GET 1"),
        ("/x", coroutine, "/x", '{"path":"/x"}'),
        (r"/(\d+)/(\w+|%\w+)", by_place, "/7/%41", '["7","A"]'),
        (r"/(?P<name>[^/]+)", by_name, "/a%20b/", "a b"),
        (r"/(\d+)", coroutine, "/7", '{"path":"/7"}'),
        (re.compile("/UPPER", re.IGNORECASE), coroutine, "/upper", '{"path":"/upper"}'),
    ],
)
async def test_a_body_may_be_made_from_the_request_and_the_groups_of_the_url(
    serve: Serve, url: Any, body: Any, path: str, sent: str
) -> None:
    answer = await serve(bzz.MockHive.routes_for([("GET", url, {"body": body})])).get(path)
    assert answer.text == sent


async def test_a_function_may_refuse(serve: Serve) -> None:
    def refuse(request: HTTPServerRequest) -> str:
        raise HTTPError(409, reason="Taken")

    answer = await serve(bzz.MockHive.routes_for([("GET", "/x", {"body": refuse})])).get("/x")
    assert (answer.status_code, answer.json()["title"]) == (409, "Taken")


@pytest.mark.parametrize("status", [200, "201", 302, "404", 418, "503", 599])
async def test_a_status_of_any_class_is_sent_with_its_body_headers_and_cookies(serve: Serve, status: Any) -> None:
    row = {"status": status, "body": {"a": 1}, "headers": {"X-A": "b"}, "cookies": {"c": "d"}}
    answer = await serve(bzz.MockHive.routes_for([("GET", "/x", row)])).get("/x")
    assert (answer.status_code, answer.json()) == (int(status), {"a": 1})
    assert (answer.headers["X-A"], answer.cookies["c"]) == ("b", "d")


@pytest.mark.parametrize("status", [204, "304"])
async def test_a_status_that_has_no_body_keeps_its_cookies(serve: Serve, status: Any) -> None:
    row = {"status": status, "body": "never sent", "cookies": {"c": "d"}}
    answer = await serve(bzz.MockHive.routes_for([("GET", "/x", row)])).get("/x")
    assert (answer.status_code, answer.content, answer.cookies["c"]) == (int(status), b"", "d")


async def test_a_header_replaces_the_default_and_may_be_repeated(serve: Serve) -> None:
    row = {"body": {"a": 1}, "headers": {"content-type": "application/vnd.x+json", "Link": ["<a>", "<b>"], "X-N": 1}}
    answer = await serve(bzz.MockHive.routes_for([("GET", "/x", row)])).get("/x")
    assert answer.headers.get_list("Content-Type") == ["application/vnd.x+json"]
    assert (answer.headers.get_list("Link"), answer.headers["X-N"]) == (["<a>", "<b>"], "1")


async def test_a_delayed_answer_lets_others_go_first(serve: Serve) -> None:
    client = serve(bzz.MockHive.routes_for([("GET", "/slow", {"delay": 0.2}), ("GET", "/fast")]))
    started = time.monotonic()
    slow = asyncio.create_task(client.get("/slow"))
    await client.get("/fast")
    assert not slow.done()
    await slow
    assert time.monotonic() - started >= 0.2


async def test_a_conditional_request_gets_what_the_table_says(serve: Serve) -> None:
    client = serve(bzz.MockHive.routes_for([("GET", "/x", {"body": "a"})]))
    assert (await client.get("/x", headers={"If-None-Match": "*"})).status_code == 200


MISTAKES: list[tuple[Any, str]] = [
    ("GET /x", "a row is"),
    (("GET",), "a row is"),
    (("FETCH", "/x"), "'FETCH' is no method"),
    ((None, "/x"), "None is no method"),
    (("GET", "x"), "starts with a slash"),
    (("GET", 7), "7 is no URL path"),
    (("GET", "/(x"), "no regular expression"),
    (("GET", "/x", "hi"), "the answer is a dict"),
    (("GET", "/x", {"bodi": "hi"}), "unknown bodi; an answer takes body, status"),
    (("GET", "/x", {"body": 7}), "body: a int is no body"),
    (("GET", "/x", {"body": {"a": object()}}), "body: "),
    (("GET", "/x", {"body": lambda: "hi"}), r"takes neither \(request\)"),
    (("GET", "/(a)", {"body": lambda request, a, b: "hi"}), r"takes neither \(request\) nor \(request, group 1\)"),
    (("GET", "/x", {"status": 99}), "status 99"),
    (("GET", "/x", {"status": "ok"}), "status 'ok'"),
    (("GET", "/x", {"status": True}), "status True"),
    (("GET", "/x", {"status": 101}), "status 101"),
    (("GET", "/x", {"headers": ["a"]}), "headers is a dict"),
    (("GET", "/x", {"headers": {"A\r\nB": "c"}}), "is no header"),
    (("GET", "/x", {"headers": {"A": None}}), "headers: None is no text"),
    (("GET", "/x", {"cookies": {"a b": "c"}}), "is no cookie"),
    (("GET", "/x", {"cookies": {"a": "b\n"}}), "is no cookie"),
    (("GET", "/x", {"delay": -1}), "delay -1"),
    (("GET", "/x", {"delay": float("nan")}), "delay nan"),
    (("GET", "/x", {"delay": "1"}), "delay '1'"),
]


@pytest.mark.parametrize(("row", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_a_mistake_is_an_error_when_the_routes_are_made_and_names_the_row(row: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^row 2 of the mock table, .*{message}"):
        bzz.MockHive.routes_for([("GET", "/fine"), row])


def test_an_empty_table_has_no_routes() -> None:
    assert bzz.MockHive.routes_for([]) == []


async def test_mock_routes_stand_beside_others(serve: Serve) -> None:
    routes = bzz.flatten(
        [bzz.MockHive.routes_for([("GET", "/a")]), [bzz.MockHive.routes_for([("GET", "/b", {"status": 202})])]]
    )
    assert (await serve(routes).get("/b")).status_code == 202
