"""Tornado's own tests pass with the adapter and uvicorn in the place of Tornado's HTTP server."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PARSER = "it waits for a line in the log of Tornado's HTTP parser; the engine refuses such a request in its own way"
LIMIT = "it waits for a line in the log of Tornado's server; the adapter answers 413 or 408"
REASON = "ASGI has no reason phrases: the engine writes its own"
LENGTH = "it waits for a line in the log; the engine checks what is written against Content-Length"
HTTP_1_0 = "the engine does not keep connections of HTTP/1.0 clients"
DETACHED = "the handler leaves HTTP by detach(), which needs Tornado's own server"

EXCLUDED = {
    "web_test.ClientCloseTest.test_client_close": "the handler closes the stream of its connection, a private part",
    "web_test.DateHeaderTest.test_date_header": "the engine writes Date; uvicorn does where its own server runs it",
    "web_test.IncorrectContentLengthTest.test_content_length_too_high": LENGTH,
    "web_test.IncorrectContentLengthTest.test_content_length_too_low": LENGTH,
    "web_test.RaiseWithReasonTest.test_raise_with_reason": REASON,
    "web_test.StatusReasonTest.test_header_injection": REASON,
    "web_test.StatusReasonTest.test_reason_xss": REASON,
    "web_test.StatusReasonTest.test_status": REASON,
    "httpserver_test.BodyLimitsTest.test_body_size_override_reset": LIMIT,
    "httpserver_test.BodyLimitsTest.test_large_body_buffered": LIMIT,
    "httpserver_test.BodyLimitsTest.test_large_body_buffered_chunked": LIMIT,
    "httpserver_test.BodyLimitsTest.test_large_body_streaming": LIMIT,
    "httpserver_test.BodyLimitsTest.test_large_body_streaming_chunked": LIMIT,
    "httpserver_test.BodyLimitsTest.test_timeout": LIMIT,
    "httpserver_test.HTTPServerRawTest.test_chunked_request_body_duplicate_header": PARSER,
    "httpserver_test.HTTPServerRawTest.test_chunked_request_body_invalid_size": PARSER,
    "httpserver_test.HTTPServerRawTest.test_chunked_request_body_transfer_encoding_and_content_length": PARSER,
    "httpserver_test.HTTPServerRawTest.test_chunked_request_body_unsupported_transfer_encoding": PARSER,
    "httpserver_test.HTTPServerRawTest.test_content_length_list_whitespace": PARSER,
    "httpserver_test.HTTPServerRawTest.test_invalid_content_length": PARSER,
    "httpserver_test.HTTPServerRawTest.test_invalid_host_header_with_whitespace": PARSER,
    "httpserver_test.HTTPServerRawTest.test_invalid_methods": PARSER,
    "httpserver_test.HTTPServerRawTest.test_malformed_first_line_log": PARSER,
    "httpserver_test.HTTPServerRawTest.test_malformed_first_line_response": PARSER,
    "httpserver_test.HTTPServerRawTest.test_malformed_headers": PARSER,
    "httpserver_test.InvalidOutputContentLengthTest.test_invalid_output_content_length": LENGTH,
    "httpserver_test.KeepAliveTest.test_http10": HTTP_1_0,
    "httpserver_test.KeepAliveTest.test_http10_keepalive": HTTP_1_0,
    "httpserver_test.KeepAliveTest.test_http10_keepalive_extra_crlf": HTTP_1_0,
    "httpserver_test.KeepAliveTest.test_keepalive_chunked": HTTP_1_0,
    "httpserver_test.SSLTest.test_error_logging": "it waits for a line in the log of Tornado's TLS",
    "httpserver_test.SSLTest.test_non_ssl_request": "it waits for a line in the log of Tornado's TLS",
    "simple_httpclient_test.ChunkedWithContentLengthTest.test_chunked_with_content_length": (
        "the handler sends both a length and chunks; the engine drops one of them"
    ),
    "simple_httpclient_test.MaxBodySizeUntilCloseTest.test_large_body_until_close": DETACHED,
    "simple_httpclient_test.MaxBufferSizeUntilCloseTest.test_large_body_until_close": DETACHED,
    "simple_httpclient_test.SimpleHTTPClientTestCase.test_multiple_content_length_accepted": DETACHED,
    "simple_httpclient_test.SimpleHTTPClientTestCase.test_no_content_length": DETACHED,
    "simple_httpclient_test.SimpleHTTPSClientTestCase.test_multiple_content_length_accepted": DETACHED,
    "simple_httpclient_test.SimpleHTTPSClientTestCase.test_no_content_length": DETACHED,
}

SUITE = [("web", 270), ("httpserver", 75), ("simple_httpclient", 135), ("routing", 6), ("security_corpus", 3)]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("module", "at_least"), SUITE)
def test_tornados_own_tests_pass(module: str, at_least: int) -> None:
    command = [sys.executable, "-m", "tests.serving.adapted", f"tornado.test.{module}_test"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    failed = {name.removeprefix("tornado.test.").partition(" ")[0] for name in told["failed"]}
    assert failed == {name for name in EXCLUDED if name.startswith(f"{module}_test.")}, done.stderr[-10_000:]
    assert told["run"] >= at_least
