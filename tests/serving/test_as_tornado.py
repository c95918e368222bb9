"""What clients are answered on llhttp is what Tornado's own HTTP server answers, to the byte."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serving.raw import LAST, ask, converse, request
from tests.serving.served import Served, serving

CHUNKED = "Transfer-Encoding: chunked"
ASKED = {
    "a request": request("GET /echo?a=1&b=%20", "A: 1", "B: \u00e9", "a: 2"),
    "kept open": request("GET /echo") * 2,
    "closed": request("GET /echo", "Connection: close"),
    "closed, in capitals": request("GET /echo", "CONNECTION: CLOSE"),
    "HTTP/1.0": request("GET /echo", version="1.0"),
    "HTTP/1.0 without a host": b"GET /echo HTTP/1.0\r\n\r\n",
    "HTTP/1.0 kept open": request("GET /echo", "Connection: keep-alive", version="1.0"),
    "HTTP/1.0, a body, kept open": request(
        "PUT /echo", "Connection: Keep-Alive", "Content-Length: 2", body=b"ab", version="1.0"
    ),
    "a body": request("PUT /echo", "Content-Length: 4", body=b"a\r\n\x00"),
    "an empty body": request("PUT /echo", "Content-Length: 0"),
    "no length": request("POST /echo"),
    "chunks": request("POST /echo", CHUNKED, body=b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"),
    "chunks, HTTP/1.0": request("POST /echo", CHUNKED, body=b"3\r\nabc\r\n0\r\n\r\n", version="1.0"),
    "a form": request(
        "POST /echo", "Content-Length: 3", "Content-Type: application/x-www-form-urlencoded", body=b"a=b"
    ),
    "HEAD": request("HEAD /status/200"),
    "204": request("GET /status/204"),
    "304": request("GET /status/304"),
    "404": request("GET /nowhere"),
    "405": request("DELETE /status/200"),
    "an unknown method": request("FROB /echo"),
    "100-continue": request("PUT /echo", "Expect: 100-continue", "Content-Length: 2", body=b"ab"),
    "a stream": request("GET /pieces"),
    "a stream, HEAD": request("HEAD /pieces"),
    "a stream, HTTP/1.0": request("GET /pieces", version="1.0"),
    "a streamed body": request("PUT /upload", "Content-Length: 6", body=b"abcdef"),
    "a streamed body in chunks": request("PUT /upload", CHUNKED, body=b"3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n"),
    "a streamed body over its limit": request("PUT /upload?limit=5", "Content-Length: 6", body=b"abcdef"),
    "chunks over their limit": request("PUT /upload?limit=5", CHUNKED, body=b"3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n"),
    "a streamed body over the limit of others": request(
        "PUT /upload?limit=2000", "Content-Length: 1500", body=b"a" * 1500
    ),
    "a body over the limit": request("PUT /echo", "Content-Length: 1001"),
    "chunks over the limit": request("PUT /echo", CHUNKED, body=b"3E9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n"),
    "answered early": request("PUT /early", "Content-Length: 100", body=b"abc"),
    "too little": request("GET /wrong/short"),
    "too much": request("GET /wrong/long"),
    "a header injected": request("GET /wrong/injected"),
    "an empty line before": b"\r\n" + request("GET /echo"),
    "UTF-8 in the path": request("GET /echo/\u00c3\u00a9"),
    "an absolute address": request("GET http://x/echo"),
    "an asterisk": request("OPTIONS *"),
    "a fragment": request("GET /echo#a?b"),
    "HTTP/1.9": request("GET /echo", version="1.9"),
    "HTTP/2.0": request("GET /echo", version="2.0"),
    "HTTP/0.9": b"GET /echo\r\n\r\n",
    "bare line feeds": b"GET /echo HTTP/1.1\nHost: x\n\n",
    "no host": b"GET /echo HTTP/1.1\r\n\r\n",
    "two hosts": request("GET /echo", "Host: y"),
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a folded header": b"GET /echo HTTP/1.1\r\nHost: x\r\nA: 1\r\n 2\r\n\r\n",
    "a space before the colon": request("GET /echo", "A : 1"),
    "NUL in a header": request("GET /echo", "A: \x00"),
    "a name that is none": request("GET /echo", "A(b): 1"),
    "no colon": request("GET /echo", "abc"),
    "two lengths": request("PUT /echo", "Content-Length: 2", "Content-Length: 3", body=b"abc"),
    "one length twice": request("PUT /echo", "Content-Length: 2", "Content-Length: 2", body=b"ab"),
    "a length below zero": request("PUT /echo", "Content-Length: -1"),
    "a length with a sign": request("PUT /echo", "Content-Length: +1", body=b"a"),
    "no digits in a length": request("PUT /echo", "Content-Length: a"),
    "a length without end": request("PUT /echo", "Content-Length: " + "9" * 30),
    "a length and chunks": request("PUT /echo", "Content-Length: 3", CHUNKED, body=b"0\r\n\r\n"),
    "chunks and a length": request("PUT /echo", CHUNKED, "Content-Length: 3", body=b"0\r\n\r\n"),
    "another coding": request("PUT /echo", "Transfer-Encoding: gzip, chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "a coding that ends nowhere": request("PUT /echo", "Transfer-Encoding: gzip", body=b"abc"),
    "a chunk of no size": request("PUT /echo", CHUNKED, body=b"x\r\nabc\r\n0\r\n\r\n"),
    "a chunk below zero": request("PUT /echo", CHUNKED, body=b"-3\r\nabc\r\n0\r\n\r\n"),
    "trailers": request("PUT /echo", CHUNKED, body=b"3\r\nabc\r\n0\r\nA: 1\r\n\r\n"),
    "an upgrade that nobody knows": request("GET /echo", "Connection: Upgrade", "Upgrade: h2c"),
    "an upgrade with a body": request(
        "PUT /echo", "Connection: Upgrade", "Upgrade: h2c", "Content-Length: 3", body=b"abc"
    ),
    "CONNECT": request("CONNECT x:80"),
    "no WebSocket": request("GET /talk"),
}  # fmt: skip


@pytest.fixture(scope="module", params=["", "-asyncio"], ids=["uvloop", "asyncio"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Served, Served]]:
    """A server on llhttp, and Tornado's own, on one kind of loop."""
    with serving("llhttp" + request.param) as llhttp, serving("tornado" + request.param) as tornado:
        yield llhttp, tornado


@pytest.mark.parametrize("sent", ASKED.values(), ids=ASKED)
def test_an_answer_is_tornados(pair: tuple[Served, Served], sent: bytes) -> None:
    llhttp, tornado = pair
    assert ask(llhttp.port, sent) == ask(tornado.port, sent)


CLOSES = ("answered early", "too little", "too much")
"""What is answered before everything was read: what of it arrives depends on the network."""
STRICTER = ("an unknown method", "UTF-8 in the path", "HTTP/1.9", "bare line feeds", "one length twice")
"""What llhttp leaves to Tornado, as it can where nothing precedes it in the same packet."""


@settings(max_examples=60, deadline=None)
@given(first=st.sampled_from(sorted(ASKED.keys() - set(CLOSES))), data=st.data())
def test_an_answer_does_not_depend_on_how_the_bytes_arrive(
    pair: tuple[Served, Served], first: str, data: st.DataObject
) -> None:
    others = sorted(ASKED.keys() - {*CLOSES, *STRICTER})
    then = data.draw(st.lists(st.sampled_from(others), max_size=2), label="then")
    sent = b"".join(ASKED[name] for name in (first, *then)) + LAST
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sent) - 1), max_size=6), label="cuts"))
    pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    llhttp, tornado = pair
    assert converse(llhttp.port, pieces) == converse(tornado.port, [sent])


def test_a_chunk_that_is_longer_than_it_says_is_refused(pair: tuple[Served, Served]) -> None:
    sent = request("PUT /echo", CHUNKED, body=b"3\r\nabcd\r\n0\r\n\r\n")
    assert ask(pair[0].port, sent) == b"HTTP/1.1 400 Bad Request\r\n\r\n"
    assert b"200 OK" not in ask(pair[1].port, sent)  # Tornado 6.5 closes without a word


def test_the_rest_of_a_request_is_never_taken_for_another(pair: tuple[Served, Served]) -> None:
    torn = [request("GET /echo") + b"PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ", request("GET /echo?smuggled")]
    for each in pair:
        said = converse(each.port, torn)
        assert (said.count(b"200 OK"), said.count(b"400 Bad Request")) == (1, 1)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (request("GET /echo", "A: " + "a" * 70_000), b"HTTP/1.1 431 Request Header Fields Too Large\r\n\r\n"),
        (request("GET /echo?" + "a" * 70_000), b"HTTP/1.1 431 Request Header Fields Too Large\r\n\r\n"),
    ],
    ids=["header", "address"],
)
def test_a_head_that_is_too_large_is_told_so(pair: tuple[Served, Served], sent: bytes, answer: bytes) -> None:
    llhttp, tornado = pair
    assert (ask(llhttp.port, sent), ask(tornado.port, sent)) == (answer, b"")


def test_a_head_that_does_not_end_is_refused_before_it_does(pair: tuple[Served, Served]) -> None:
    endless = b"GET /echo HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 70_000
    assert converse(pair[0].port, [endless]) == b"HTTP/1.1 431 Request Header Fields Too Large\r\n\r\n"


def test_a_client_that_says_close_among_others_is_closed(pair: tuple[Served, Served]) -> None:
    sent = request("GET /echo", "Connection: TE, close")
    assert [ask(each.port, sent).count(b"200 OK") for each in pair] == [1, 2]


def test_a_stream_for_http_1_0_ends_with_the_connection(pair: tuple[Served, Served]) -> None:
    sent = request("GET /pieces", "Connection: keep-alive", version="1.0")
    assert converse(pair[0].port, [sent]).endswith(b"\r\n\r\nonetwothree")
