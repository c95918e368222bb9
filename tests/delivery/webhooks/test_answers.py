"""What answers mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tornado.httputil import HTTPHeaders

from bzz.delivery.listener import RetryLater, SwitchOff
from bzz.delivery.webhooks.answer import MAX_RETRY_SECONDS, Answer, Undelivered, check

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", range(200, 300))
def test_2xx_is_success(status: int) -> None:
    check(Answer(status, HTTPHeaders()), "good.example", NOW)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_a_failure_that_says_what_to_do(status: int) -> None:
    with pytest.raises(
        Undelivered, match=f"answered {status}: redirects are not followed; give the webhook the new URL"
    ):
        check(Answer(status, HTTPHeaders({"location": "http://127.0.0.1/"})), "good.example", NOW)


@pytest.mark.parametrize("status", [400, 401, 404, 418, 429, 500, 502, 503, 504, 599, 600, 999])
def test_any_other_status_is_a_failure(status: int) -> None:
    with pytest.raises(Undelivered, match=f"good.example answered {status}$"):
        check(Answer(status, HTTPHeaders()), "good.example", NOW)


def test_410_switches_off() -> None:
    with pytest.raises(SwitchOff, match=r"good\.example answered 410: it wants no more"):
        check(Answer(410, HTTPHeaders({"retry-after": "1"})), "good.example", NOW)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("86401", MAX_RETRY_SECONDS),
        ("9" * 9999, MAX_RETRY_SECONDS),
        ("Fri, 27 Nov 2026 09:02:00 GMT", 120),
        ("Friday, 27-Nov-26 09:02:00 GMT", 120),  # RFC 850
        ("Fri Nov 27 09:02:00 2026", 120),  # asctime
        ("Fri, 27 Nov 2026 08:00:00 GMT", 0),
        ("Fri, 27 Nov 2099 08:00:00 GMT", MAX_RETRY_SECONDS),
    ],
)
def test_whoever_asks_for_time_gets_it_up_to_a_day(status: int, value: str, seconds: float) -> None:
    with pytest.raises(RetryLater) as caught:
        check(Answer(status, HTTPHeaders({"retry-after": value})), "good.example", NOW)
    assert caught.value.seconds == seconds


@pytest.mark.parametrize(
    "value",
    ["", "soon", "-1", "1.5", "\uff11", "1e9", "0x10", "Fri, 99 Nov 2026 09:02:00 GMT"],
)
def test_what_cannot_be_read_asks_for_nothing(value: str) -> None:
    with pytest.raises(Undelivered):
        check(Answer(503, HTTPHeaders({"retry-after": value})), "good.example", NOW)


def test_other_answers_cannot_ask_for_time() -> None:
    with pytest.raises(Undelivered):
        check(Answer(500, HTTPHeaders({"retry-after": "120"})), "good.example", NOW)


def test_an_error_shows_the_beginning_of_the_body_as_one_plain_line() -> None:
    body = "\x1b[31mno\r\nroot: \x00ok\u202e ".encode() + b"\xff" + b"x" * 9999
    with pytest.raises(Undelivered) as caught:
        check(Answer(500, HTTPHeaders(), body), "good.example", NOW)
    shown = str(caught.value).removeprefix("good.example answered 500: ")
    assert shown.startswith("[31mno root: ok \ufffdx")
    assert len(shown) == 200
