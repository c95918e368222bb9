"""Requests that failed, as pages: what went wrong, at its field where a form was sent, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bzz.errors import RequestError
from bzz.explorer.document_page import form_html
from bzz.explorer.inputs import inputs_of, unplaced
from bzz.explorer.page import sign_in_of, token_of, user_of
from bzz.explorer.rendering import finish_page
from bzz.explorer.site import site_of
from bzz.model.body import is_json_patch

__all__ = ["finish_problem"]

_ADVICE = {
    401: "Sign in, and try again.",
    403: "Your account may not do this. Another one may.",
    404: "It may have been deleted, or you may not see it.",
    409: "Something is there already that it collides with.",
    412: "Somebody else changed it meanwhile. Load it again, and compare: what you sent is below.",
    429: "Wait a little, and try again.",
    503: "Try again in a moment.",
}


def finish_problem(handler: Any, problem: Mapping[str, Any]) -> None:
    """Answer with a problem; its status is set. A form that was sent is shown again, with what was entered."""
    sent = getattr(handler, "data", None)
    path = getattr(handler, "path", None)
    errors = problem.get("errors") or {}
    inputs, others = [], []
    patch = _patch(handler)
    if sent and patch is None and path is not None and not path.last.is_reference:
        is_new = handler.request.method == "POST"
        shape = path.last.shape
        inputs = inputs_of(shape, sent, {}, site_of(handler.application), errors=errors, is_new=is_new)
        inputs = [each for each in inputs if is_new or each.name in sent or each.errors]
        others = unplaced(shape, errors)
    else:
        others = [(where, each) for where, told in errors.items() for each in told]
    is_sent_again = (inputs or patch is not None) and problem["status"] != 412
    action = handler.request.uri if is_sent_again else ""
    finish_page(
        handler,
        "problem.html",
        problem=problem,
        advice=_advice(handler, problem["status"]),
        others=others,
        inputs=inputs,
        patch=patch,
        form=form_html,
        action=action,
        token=token_of(handler) if action else "",
        way_out=_way_out(handler, bool(inputs) or patch is not None),
        sign_in=sign_in_of(handler),
        user=user_of(handler),
    )


def _advice(handler: Any, status: int) -> str:
    """Return what to do about a problem."""
    if status == 409 and "Retry-After" in handler._headers:
        return "It was sent before, and is not answered yet: try again in a moment."
    return _ADVICE.get(status, "")


def _patch(handler: Any) -> str | None:
    """Return the JSON Patch that was sent by a form; None if there was none, or it cannot be read."""
    request = handler.request
    if "_json_patch=" in request.query and is_json_patch(request.headers.get("Content-Type")):
        with suppress(RequestError):
            return str(handler.body(), "utf-8", "replace") or None
    return None


def _way_out(handler: Any, has_form: bool) -> tuple[str, str]:
    """Return the words and the URL of the next page to try."""
    path: str = handler.request.path
    if has_form:
        return "Load it again", path
    if handler.request.query:
        return "Without parameters", path
    above = path.rstrip("/").rpartition("/")[0]
    return ("Up", f"{above}/") if above else ("Load it again", path)
