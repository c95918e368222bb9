"""What a handler sees of a request, and a client of its answer, is the same on every engine."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import httpx
import pytest

from tests.serving import served
from tests.serving.raw import accepted, answer_on, converse, hung_up, request, state, wait_until_left, wait_until_read
from tests.serving.served import Served, Serving

CLOSE = "Connection: close"
CHUNKED = "Transfer-Encoding: chunked"


def told(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_handler_sees_the_request_as_it_was_sent(shared: Served) -> None:
    method, uri, version, address, protocol, host, headers, _, body = told(
        httpx.put(
            f"{shared.url}/echo/a%20b%C3%A9?x=1&y=%20",
            headers=[("A", "1"), ("A", "2")],
            content=b"a\r\n\x00",
            trust_env=False,
        )
    )
    assert (method, uri, version) == ("PUT", "/echo/a%20b%C3%A9?x=1&y=%20", "HTTP/1.1")
    assert (address, protocol, host) == ("127.0.0.1", "http", f"127.0.0.1:{shared.port}")
    assert (headers["A"], body) == (["1", "2"], "a\r\n\x00")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
def test_a_handler_is_asked_by_every_method(shared: Served, method: str) -> None:
    assert told(httpx.request(method, f"{shared.url}/echo", trust_env=False))[0] == method


def test_the_body_of_a_query_arrives(shared: Served) -> None:
    assert told(httpx.request("QUERY", f"{shared.url}/echo", content=b"{}", trust_env=False))[-1] == "{}"


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/status/418", 418), ("/status/503", 503)])
def test_statuses_arrive(shared: Served, path: str, status: int) -> None:
    assert shared.get(path).status_code == status


@pytest.mark.parametrize(
    ("method", "path"), [("HEAD", "/status/200"), ("HEAD", "/pieces"), ("GET", "/status/204"), ("GET", "/status/304")]
)
def test_an_answer_without_a_body_leaves_the_connection_to_the_next(shared: Served, method: str, path: str) -> None:
    sent = request(f"{method} {path}") + request("GET /echo?next", CLOSE)
    said = converse(shared.port, [sent])
    assert said.count(b"HTTP/1.1 ") == 2
    head, _, rest = said.partition(b"\r\n\r\n")
    assert rest.startswith(b"HTTP/1.1 200 ")
    assert b"GET" in rest
    assert b"transfer-encoding" not in head.lower() or method == "HEAD"


def test_an_answer_has_one_date_and_one_server(shared: Served) -> None:
    names = [name.lower() for name, _ in shared.get("/").headers.multi_items()]
    assert (names.count("date"), names.count("server")) == (1, 1)


def test_cookies_are_set_one_by_one(shared: Served) -> None:
    cookies = [value for name, value in shared.get("/status/200").headers.multi_items() if name == "set-cookie"]
    assert cookies == ["a=1", "b=2"]


def test_an_answer_without_a_length_streams(shared: Served) -> None:
    answer = shared.get("/pieces")
    assert (answer.text, answer.headers["Transfer-Encoding"]) == ("onetwothree", "chunked")


def test_a_piece_arrives_before_the_next_is_written(shared: Served) -> None:
    with httpx.stream("GET", f"{shared.url}/steps", trust_env=False) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"first"
        shared.get("/step")
        assert b"".join(pieces) == b"second"


def test_a_large_answer_arrives_whole(shared: Served) -> None:
    assert len(shared.get("/large").content) == 20_000_001


def test_a_streamed_body_arrives_in_pieces(shared: Served) -> None:
    answer = httpx.put(f"{shared.url}/upload?limit=1000000", content=bytes(300_000), trust_env=False)
    assert answer.text == "300000"


@pytest.mark.parametrize("path", ["/upload", "/echo"])
def test_a_body_in_chunks_arrives(shared: Served, path: str) -> None:
    body = b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
    said = converse(shared.port, [request(f"PUT {path}", CHUNKED, CLOSE, body=body)])
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"13") or b"abc0123456789" in said


def test_a_client_that_asks_whether_to_go_on_is_told(shared: Served) -> None:
    with shared.connect() as connection:
        connection.sendall(request("PUT /echo", "Expect: 100-continue", "Content-Length: 2", CLOSE))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"ab")
        assert b'"ab"' in connection.makefile("rb").read()


def test_a_handler_may_answer_before_it_has_the_body(shared: Served) -> None:
    with shared.connect() as connection:
        connection.sendall(request("PUT /early", "Content-Length: 900", body=b"abc"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("path", ["/echo", "/upload"])
@pytest.mark.parametrize("sized", [True, False], ids=["said", "in chunks"])
def test_a_body_over_the_limit_is_refused(shared: Served, path: str, sized: bool) -> None:
    body = bytes(1500)
    sent = request(f"PUT {path}", "Content-Length: 1500", CLOSE) if sized else request(f"PUT {path}", CHUNKED, CLOSE)
    sent += body if sized else b"5dc\r\n" + body + b"\r\n0\r\n\r\n"
    expected = b"HTTP/1.1 400 " if shared.engine == "tornado" else b"HTTP/1.1 413 "
    assert converse(shared.port, [sent]).startswith(expected)


@pytest.mark.parametrize("sized", [True, False], ids=["said", "in chunks"])
@pytest.mark.parametrize("engine", ["tornado", "granian"])
def test_a_client_that_writes_everything_first_can_read_that_it_was_too_much(engine: str, sized: bool) -> None:
    body = bytes(3_000_000)
    head = request("PUT /model", "Content-Length: 3000000" if sized else CHUNKED)
    sent = head + (body if sized else b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
    with served.serving(engine, body_seconds=20, body_bytes=10_000_000) as it, it.connect() as connection:
        connection.sendall(sent)
        said = answer_on(connection)
        assert said.startswith(b"HTTP/1.1 413 ")
        assert b"A body may be 1000000 bytes long." in said
        assert it.get("/").status_code == 200


def test_a_handler_may_take_a_longer_body_than_others(shared: Served) -> None:
    sent = request("PUT /upload?limit=2000", "Content-Length: 1500", CLOSE, body=bytes(1500))
    assert converse(shared.port, [sent]).endswith(b"1500")


def test_a_body_that_takes_too_long_ends_the_connection(shared: Served) -> None:
    with shared.connect() as connection:
        connection.sendall(request("PUT /echo", "Content-Length: 10", body=b"abc"))
        started = time.monotonic()
        # By ASGI, granian gives the answer, and still waits for the body: see docs/deployment.md.
        said = answer_on(connection) if shared.engine == "granian-asgi" else connection.makefile("rb").read()
        assert 0.5 < time.monotonic() - started < 5
        assert said == b"" or said.startswith(b"HTTP/1.1 408 ")


def test_a_handler_may_give_its_clients_more_time_for_a_body(shared: Served) -> None:
    with shared.connect() as connection:
        connection.sendall(request("PUT /upload?timeout=10", "Content-Length: 10", CLOSE, body=b"abc"))
        assert not hung_up(connection, timeout=1.5)  # which is more than body_seconds
        connection.sendall(b"defghij")
        assert connection.makefile("rb").read().endswith(b"\r\n\r\n10")


def test_the_time_for_a_body_begins_when_the_handler_is_prepared_for_it(shared: Served) -> None:
    sent = request("PUT /upload?prepare=1.5", "Content-Length: 10", CLOSE, body=b"0123456789")
    assert converse(shared.port, [sent]).endswith(b"\r\n\r\n10")


@pytest.mark.parametrize(
    ("name", "status"), [("injected", b"500"), ("injected-value", b"500"), ("injected-name", b"500")]
)
def test_a_header_cannot_be_injected(shared: Served, name: str, status: bytes) -> None:
    said = converse(shared.port, [request(f"GET /wrong/{name}", CLOSE)])
    assert b"stolen" not in said
    assert said == b"" or said.startswith(b"HTTP/1.1 " + status) or b"\r\nSet-Cookie" not in said


@pytest.mark.parametrize("how", ["short", "long"])
def test_an_answer_of_another_length_than_it_says_does_not_touch_the_next(shared: Served, how: str) -> None:
    said = converse(shared.port, [request(f"GET /wrong/{how}") + request("GET /echo?next", CLOSE)])
    assert b'"GET"' not in said or said.count(b"HTTP/1.1 ") == 2


@pytest.mark.parametrize("status", [1, 99, 100, 199, 1000, 10**12])
def test_a_status_that_cannot_be_is_a_500(adapted: Served, status: int) -> None:
    assert adapted.get(f"/status/{status}").status_code == 500


def test_a_handler_that_fails_is_a_500_without_details(shared: Served) -> None:
    answer = shared.get("/fail")
    assert answer.status_code == 500
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (request("PUT /upload", "Content-Length: 10", body=b"abc"), "/upload"),
        (request("GET /?seconds=1000"), "/"),
        (request("GET /endless"), "/endless"),
    ],
    ids=["while it sends", "while it waits", "while it reads"],
)
def test_a_handler_is_told_that_its_client_left(on_each: Serving, sent: bytes, path: str) -> None:
    with on_each(header_seconds=30, body_seconds=30, grace_seconds=1) as served:
        with served.connect() as connection:
            connection.sendall(sent)
            wait_until_read(served.port, connection)
        wait_until_left(served, path)


@pytest.mark.parametrize("engine", sorted(set(served.ENGINES) - {"hypercorn"}))  # which would not stop afterwards
def test_a_handler_that_takes_its_time_is_sent_no_more_than_it_takes(engine: str) -> None:
    with served.serving(engine, body_seconds=30, body_bytes=10**9, grace_seconds=1) as it, it.connect() as connection:
        connection.sendall(request("PUT /upload?pause=1000", "Content-Length: 900000000"))
        assert accepted(connection, bytes(100_000)) < 30_000_000


@pytest.mark.parametrize("engine", served.ENGINES)
def test_a_handler_that_streams_writes_no_more_than_its_client_reads(engine: str) -> None:
    with served.serving(engine, grace_seconds=1) as it:
        with it.connect() as connection:
            connection.sendall(request("GET /endless"))
            before = -1
            deadline = time.monotonic() + 10
            while before != (before := state(it)["written"]) or not before:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert before < 30_000_000
        wait_until_left(it, "/endless")


@pytest.mark.parametrize("engine", ["tornado", "granian", "granian-asgi", "uvicorn-h11"])
def test_a_client_that_does_not_read_a_stream_is_given_up(engine: str) -> None:
    with served.serving(engine, write_seconds=0.5, grace_seconds=1) as it, it.connect() as connection:
        connection.sendall(request("GET /endless"))
        wait_until_left(it, "/endless")


def test_nothing_remains_of_requests(on_each: Serving) -> None:
    with on_each(header_seconds=30, body_seconds=30, grace_seconds=1) as served:
        state(served)
        before = state(served)["objects"]
        if served.engine == "hypercorn":  # keeps tasks of its own
            del before["Task"]
        for sent in (request("GET /?seconds=0.01"), request("PUT /upload", "Content-Length: 10"), b"GET", b""):
            for _ in range(20):
                with served.connect() as connection:
                    connection.sendall(sent)
        for _ in range(20):
            converse(served.port, [request("PUT /upload", "Content-Length: 3", CLOSE, body=b"abc")])
            converse(served.port, [b"nonsense\r\n\r\n"])
        deadline = time.monotonic() + 10
        while any(state(served)["objects"][name] > before[name] + 2 for name in before):
            assert time.monotonic() < deadline, (before, state(served))
            time.sleep(0.1)


HANDSHAKE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


@pytest.mark.parametrize("path", ["/talk", "/tunnel"])
def test_another_protocol_is_refused_in_one_sentence(adapted: Served, path: str) -> None:
    with adapted.connect() as connection:
        connection.sendall(request(f"GET {path}", *(HANDSHAKE if path == "/talk" else ())))
        said = answer_on(connection)
        assert said.startswith(b"HTTP/1.1 501 ")
        if adapted.engine != "hypercorn" or path == "/tunnel":
            assert b"need Tornado's own server" in said


def test_a_client_beyond_the_cap_is_refused_and_keeps_its_connection(on_each: Serving) -> None:
    with on_each(in_flight=1, header_seconds=30, grace_seconds=1) as it, it.connect() as within, it.connect() as beyond:
        within.sendall(request("GET /?seconds=1000"))
        wait_until_read(it.port, within)
        time.sleep(0.1)
        for _ in range(3):
            start = time.monotonic()
            beyond.sendall(request("GET /"))
            answer = answer_on(beyond)
            assert time.monotonic() - start < 0.25  # 50 ms where nothing else runs
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1" in answer.lower()
            assert b"connection: close" not in answer.lower()
        within.close()
        deadline = time.monotonic() + 10
        status = b"503"
        while status == b"503":
            assert time.monotonic() < deadline
            start = time.monotonic()
            beyond.sendall(request("GET /"))
            status = answer_on(beyond)[9:12]
        assert (status, time.monotonic() - start < 0.25) == (b"200", True)  # no pause once there is room


def test_an_answer_without_an_end_may_take_no_place(on_each: Serving) -> None:
    with on_each(in_flight=1, grace_seconds=1) as it, httpx.stream("GET", f"{it.url}/feed", trust_env=False) as answer:
        assert next(answer.iter_raw()) == b"first"
        assert it.get("/").status_code == 200


def test_a_refused_body_is_not_waited_for(on_each: Serving) -> None:
    with on_each(in_flight=1, header_seconds=30, grace_seconds=1) as it, it.connect() as within, it.connect() as beyond:
        within.sendall(request("GET /?seconds=1000"))
        wait_until_read(it.port, within)
        time.sleep(0.1)
        beyond.sendall(request("POST /echo", "Content-Length: 900", body=b"hi"))
        assert beyond.recv(65536).startswith(b"HTTP/1.1 503 ")


def test_a_client_that_dawdles_with_its_head_is_hung_up_on(shared: Served) -> None:
    if shared.engine.startswith(("uvicorn", "hypercorn")):
        pytest.skip("these have no such limit")
    with shared.connect() as connection:
        connection.sendall(b"GET / HT")
        started = time.monotonic()
        connection.settimeout(10)
        assert hung_up(connection, timeout=10)
        assert time.monotonic() - started < 5


def test_a_kept_connection_may_idle_no_longer_than_a_head_may_take(shared: Served) -> None:
    if shared.engine.startswith(("uvicorn", "hypercorn")):
        pytest.skip("they have an option of their own for it")
    with shared.connect() as connection:
        connection.sendall(request("GET /"))
        assert answer_on(connection).startswith(b"HTTP/1.1 200 ")
        started = time.monotonic()
        assert hung_up(connection, timeout=10)
        assert 0.5 < time.monotonic() - started < 5


def test_a_request_without_a_host_is_malformed(shared: Served) -> None:
    said = converse(shared.port, [b"GET /echo HTTP/1.1\r\nConnection: close\r\n\r\n"])
    assert said.startswith(b"HTTP/1.1 400 ")


def test_json_is_what_it_was(shared: Served) -> None:
    body = json.dumps({"é": "ü"}).encode()
    assert told(httpx.post(f"{shared.url}/echo", content=body, trust_env=False))[-1].encode("latin1") == body


def test_a_header_that_is_latin_1_arrives_or_is_refused(shared: Served) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as connection:
        connection.sendall(request("GET /echo", "A: \u00e9", CLOSE))
        said = connection.makefile("rb").read()
    if shared.engine == "granian":  # RSGI does not show it
        assert said.startswith(b"HTTP/1.1 400 ")
    elif b" 200 " in said[:20]:
        assert b"\\u00e9" in said
    else:
        assert said.startswith(b"HTTP/1.1 400 ")


def test_a_header_of_latin_1_is_answered_but_by_rsgi(shared: Served) -> None:
    with shared.connect() as connection:
        connection.sendall(request("GET /latin", CLOSE))
        said = connection.makefile("rb").read()
    assert said.startswith(b"HTTP/1.1 500 ") if shared.engine == "granian" else b": \xe9\r\n" in said


def test_a_slash_that_is_encoded_stays_so_but_by_rsgi(shared: Served) -> None:
    assert told(shared.get("/echo/a%2Fb"))[1] == ("/echo/a/b" if shared.engine == "granian" else "/echo/a%2Fb")


@pytest.mark.parametrize("engine", served.OWN)
def test_trailers_are_refused(engine: str) -> None:
    sent = request("PUT /echo", CHUNKED, CLOSE, body=b"5\r\n01234\r\n0\r\nA: b\r\n\r\n")
    with served.serving(engine) as it:
        assert converse(it.port, [sent]).startswith(b"HTTP/1.1 400 ")
