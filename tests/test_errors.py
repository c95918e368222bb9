"""The error tree: what a client is told for each."""

from __future__ import annotations

import pytest

from bzz import errors
from bzz.errors import (
    BzzError,
    Conflict,
    Invalid,
    MethodNotAllowed,
    NotFound,
    OutcomeUnknown,
    RequestError,
    TooManyRequests,
    Unavailable,
)

EVERY_ERROR = [getattr(errors, name) for name in errors.__all__]


def test_every_error_can_be_caught_as_one() -> None:
    assert [each for each in EVERY_ERROR if not issubclass(each, BzzError)] == []


def test_every_answer_to_a_client_but_the_root_has_a_4xx_status_or_502_or_503() -> None:
    answers = [each for each in EVERY_ERROR if issubclass(each, RequestError) and each is not RequestError]
    assert [each for each in answers if not (400 <= each.status < 500 or each.status in (502, 503))] == []


def test_a_problem_has_the_members_of_rfc_9457() -> None:
    assert Conflict("The name is taken.").problem() == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "The name is taken.",
    }


def test_a_problem_without_a_detail_leaves_it_out() -> None:
    assert "detail" not in NotFound().problem()


def test_a_refused_model_names_each_field() -> None:
    problem = Invalid({"address.zip": ["too short"]}).problem()
    assert (problem["status"], problem["errors"]) == (400, {"address.zip": ["too short"]})


def test_a_wrong_method_says_which_are_allowed() -> None:
    assert MethodNotAllowed(["GET", "HEAD"]).headers == {"Allow": "GET, HEAD"}


@pytest.mark.parametrize("error", [Unavailable(), TooManyRequests()])
def test_what_may_be_tried_again_says_when(error: RequestError) -> None:
    assert int(error.headers["Retry-After"]) >= 1


def test_a_write_of_unknown_outcome_is_nothing_to_try_again() -> None:
    assert not issubclass(OutcomeUnknown, Unavailable)
    assert OutcomeUnknown().status == 503
    assert "Retry-After" not in OutcomeUnknown().headers


def test_a_write_of_unknown_outcome_does_not_claim_that_nothing_happened() -> None:
    assert "unknown" in OutcomeUnknown().detail


def test_the_message_of_an_error_without_detail_is_its_title() -> None:
    assert str(NotFound()) == "Not Found"


def test_two_errors_do_not_share_their_headers() -> None:
    first, second = NotFound(), NotFound()
    first.headers["X-Test"] = "1"
    assert second.headers == {}
