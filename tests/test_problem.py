"""Errors as RFC 9457 problems, over a real socket."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse
from tornado.testing import AsyncHTTPTestCase, ExpectLog
from tornado.web import Application, HTTPError, RequestHandler

from bzz import errors
from bzz.problem import MEDIA_TYPE, ProblemHandler, answer

RAISED: dict[str, Exception] = {
    "invalid": errors.Invalid({"address.zip": ["too long"]}),
    "method": errors.MethodNotAllowed(["GET", "HEAD"]),
    "away": errors.Unavailable(retry_after=7),
    "unauthorized": errors.Unauthorized("Sign in.", headers={"WWW-Authenticate": "Bearer"}),
    "tornado": HTTPError(418, "only for the log"),
    "reason": HTTPError(403, reason="Not on Sundays"),
    "nothing": HTTPError(204),
    "surrogate": errors.Conflict("half of a pair: \ud83d"),
    "without form": errors.Invalid({"name": [object]}),  # type: ignore[list-item]
    "bug": ValueError("the secret of the house"),
}


class Raising(ProblemHandler):
    def get(self, name: str) -> None:
        self.set_header("X-Half-Done", "yes")
        self.write("half")
        raise RAISED[name]


class Plain(RequestHandler):
    def get(self) -> None:
        self.write("half")
        answer(self, errors.TooManyRequests("Slow down.", retry_after=9))


class OwnDefaults(ProblemHandler):
    def set_default_headers(self) -> None:
        self.set_header("Server", "ours")

    def get(self) -> None:
        self.clear()
        before = {name: value for name, value in vars(self).items() if name != "_headers"}
        headers = dict(self._headers)
        RequestHandler.clear(self)
        assert {name: value for name, value in vars(self).items() if name != "_headers"} == before
        assert {**self._headers, "X-Request-Id": self.request_id, "Date": headers["Date"]} == headers
        moments = [parsedate_to_datetime(each["Date"]) for each in (headers, self._headers)]
        assert timedelta() <= moments[1] - moments[0] <= timedelta(seconds=1)


class ProblemTest(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return Application([("/raise/(.*)", Raising), ("/plain", Plain), ("/own", OwnDefaults)])

    def test_an_answer_starts_with_what_tornado_starts_it_with(self) -> None:
        assert self.fetch("/own").code == 200

    def problem(self, path: str, status: int, **options: Any) -> tuple[dict[str, Any], HTTPResponse]:
        response = self.fetch(path, **options)
        assert response.code == status
        assert response.headers["Content-Type"] == MEDIA_TYPE
        return json.loads(response.body), response

    def test_an_error_whose_status_has_no_body_is_answered_without_one(self) -> None:
        response = self.fetch("/raise/nothing")
        assert (response.code, response.body, "X-Half-Done" in response.headers) == (204, b"", False)

    def test_what_json_cannot_hold_is_told_as_nearly_as_can_be(self) -> None:
        assert self.problem("/raise/surrogate", 409)[0]["detail"] == "half of a pair: ?"
        assert self.problem("/raise/without%20form", 400)[0]["errors"] == {"name": [str(object)]}

    def test_a_request_error_shows_its_detail_and_the_messages_of_each_field(self) -> None:
        problem, _ = self.problem("/raise/invalid", 400)
        assert problem == {
            "type": "about:blank",
            "title": "Validation Failed",
            "status": 400,
            "detail": "The model refuses these fields.",
            "errors": {"address.zip": ["too long"]},
        }

    def test_the_headers_of_an_error_are_sent_and_those_of_the_half_made_answer_are_not(self) -> None:
        for name, status, header, value in [
            ("method", 405, "Allow", "GET, HEAD"),
            ("away", 503, "Retry-After", "7"),
            ("unauthorized", 401, "WWW-Authenticate", "Bearer"),
        ]:
            _, response = self.problem(f"/raise/{name}", status)
            assert response.headers[header] == value
            assert "X-Half-Done" not in response.headers

    def test_a_tornado_error_keeps_its_log_message_to_the_log(self) -> None:
        problem, response = self.problem("/raise/tornado", 418)
        assert problem == {"type": "about:blank", "title": "I'm a Teapot", "status": 418}
        assert b"log" not in response.body

    def test_the_reason_of_a_tornado_error_is_the_title(self) -> None:
        problem, _ = self.problem("/raise/reason", 403)
        assert problem["title"] == "Not on Sundays"

    def test_an_unexpected_exception_is_a_bare_500_and_its_traceback_is_logged(self) -> None:
        with ExpectLog("tornado.application", "Uncaught exception"):
            problem, _ = self.problem("/raise/bug", 500)
        assert problem == {"type": "about:blank", "title": "Internal Server Error", "status": 500}

    def test_a_method_that_the_handler_lacks_is_a_405_that_lists_the_others(self) -> None:
        for method, body in [("DELETE", None), ("POST", b""), ("BREW", None)]:
            _, response = self.problem("/raise/bug", 405, method=method, body=body, allow_nonstandard_methods=True)
            assert response.headers["Allow"] == "GET, OPTIONS"

    def test_options_lists_the_methods(self) -> None:
        response = self.fetch("/raise/bug", method="OPTIONS")
        assert (response.code, response.headers["Allow"], response.body) == (204, "GET, OPTIONS", b"")

    def test_any_tornado_handler_can_be_answered_with_a_problem(self) -> None:
        problem, response = self.problem("/plain", 429)
        assert (problem["detail"], response.headers["Retry-After"]) == ("Slow down.", "9")

    def test_a_refusal_is_logged_without_the_query_string(self) -> None:
        with self.assertLogs("bzz.problem", logging.INFO) as logs:
            self.fetch("/raise/away?access_token=hunter2", headers={"X-Request-Id": "7"})
        said = "503 GET /raise/away: The database is away; nothing was done. [request 7]"
        assert logs.output == [f"WARNING:bzz.problem:{said}"]


class OwnCredential:
    """A guard that knows a request whose credential no browser adds by itself."""

    async def __call__(self, handler: RequestHandler) -> None: ...

    def has_own_credential(self, handler: RequestHandler) -> bool:
        return handler.request.headers.get("Authorization", "").startswith("Bearer ")


class Writing(ProblemHandler):
    def post(self) -> None:
        self.write("written")


class CrossOriginTest(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        settings: dict[str, Any] = {"bzz_guard": OwnCredential(), "trusted_origins": ["https://friend.example"]}
        return Application([("/", Writing)], cross_origin_protection=True, **settings)

    def status(self, **headers: str) -> int:
        return self.fetch("/", method="POST", body=b"", headers={"Sec-Fetch-Site": "cross-site", **headers}).code

    def test_a_write_from_another_site_is_refused(self) -> None:
        assert self.status(Origin="https://evil.example") == 403

    def test_a_trusted_origin_may_write(self) -> None:
        assert self.status(Origin="https://friend.example") == 200

    def test_a_request_with_a_credential_of_its_own_may_write(self) -> None:
        assert self.status(Origin="https://evil.example", Authorization="Bearer x") == 200


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.getLogger("tornado.access").disabled = True
    yield
    logging.getLogger("tornado.access").disabled = False
