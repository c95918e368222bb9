"""Forms as browsers send them: their method, their headers, their values, and where the answer leads.

HTML has GET and POST only, and no headers, so the URL of a form says in parameters of the explorer's own what it means:
``_method=PUT``, ``_if_match=<tag>``, ``_idempotency_key=<key>``, ``_json_patch=1`` for a form whose one input is a JSON
Patch, and ``_unset=a,b`` for inputs that were empty because nothing is set. They are taken from forms of the very
origin only, for a page of another one could send the same without being asked (CORS). Inputs of free JSON are called
``_json:name``, the two of a place ``_point:name``.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bzz.codec import dumps, loads
from bzz.errors import BadRequest, Forbidden, Invalid
from bzz.explorer.addresses import below
from bzz.model.body import JSON, JSON_PATCH, form_pairs, is_form, put_at, read_form
from bzz.model.idempotency import IDEMPOTENCY_KEY

__all__ = ["after_write", "new_key", "take_form"]

METHODS = ("POST", "PUT", "PATCH", "DELETE")


def take_form(handler: Any) -> None:
    """Make of a POST what its form means, if it is one of the explorer's forms.

    :raises bzz.errors.Forbidden: if it was sent from elsewhere.
    """
    request = handler.request
    if request.method != "POST" or "_method=" not in request.query:
        return
    meant = dict(parse_qsl(request.query, keep_blank_values=True))
    method = meant.get("_method", "")
    if method not in METHODS:
        return
    if not _is_from_here(request):
        raise Forbidden("A form for this must be sent from this very site.")
    request.method = method
    if meant.get("_if_match"):
        request.headers["If-Match"] = meant["_if_match"]
    if meant.get("_idempotency_key") and method == "POST":
        request.headers[IDEMPOTENCY_KEY] = meant["_idempotency_key"]
        handler.has_form_key = True
    if not is_form(request.headers.get("Content-Type")):
        return
    inner = handler.body
    if meant.get("_json_patch"):
        request.headers["Content-Type"] = JSON_PATCH
        handler.body = lambda: dict(form_pairs(inner())).get("patch", "").encode()
    else:
        unset = frozenset(meant.get("_unset", "").split(","))
        request.headers["Content-Type"] = JSON
        handler.body = lambda: _json_of(handler, inner(), unset)


def new_key() -> str:
    """Return a key for a form: the same values, sent with it again, are stored once."""
    return secrets.token_urlsafe(12)


def _is_from_here(request: Any) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:  # it knows the scheme that the browser used, which a proxy may hide
        return bool(site == "same-origin")
    origin = request.headers.get("Origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.host


def _json_of(handler: Any, body: bytes, unset: Collection[str]) -> bytes:
    """Return the JSON that a form stands for.

    :param unset: names of inputs that say nothing while they are empty.
    :raises bzz.errors.Invalid: for an input of JSON that holds none.
    """
    texts: list[tuple[str, str]] = []
    marked: dict[str, tuple[str, list[str]]] = {}
    for written, sent in form_pairs(body):
        text = sent.replace("\r\n", "\n")  # as which browsers send every line break (HTML, 4.10.21.4)
        mark, _, name = written.partition(":")
        if not text and (name or mark.removesuffix("[]")) in unset:
            continue
        if mark in _READ:
            marked.setdefault(name, (mark, []))[1].append(text)
        else:
            texts.append((written, text))
    step = handler.path.last
    data = read_form(handler.path.steps[-2].shape if step.is_reference else step.shape, texts)
    refused: dict[str, list[str]] = {}
    for name, (mark, given) in marked.items():
        try:
            put_at(data, name, _READ[mark](given, step.shape.limits.depth))
        except _NotJson:
            put_at(data, name, given[0])
            refused[name] = ["This is no JSON."]
    if refused:
        handler.data = data  # which the page of the problem shows again
        raise Invalid(refused)
    return dumps(data)


class _NotJson(ValueError):
    """A text is no JSON."""


def _json(texts: Sequence[str], depth: int) -> Any:
    if not texts[0].strip():
        return None
    try:
        return loads(texts[0].encode(), depth)
    except BadRequest:
        raise _NotJson from None


def _point(texts: Sequence[str], depth: int) -> Any:
    """Return a point of the texts of its longitude and latitude; text that is no number stays, to be refused later.

    >>> _point(["-34.9", "8"], 1), _point(["", ""], 1)
    ({'type': 'Point', 'coordinates': [-34.9, 8]}, None)
    """
    return {"type": "Point", "coordinates": [_number(each) for each in texts]} if any(texts) else None


def _number(text: str) -> Any:
    with suppress(BadRequest):
        found = loads(text.encode())
        return found if isinstance(found, int | float) else text
    return text


_READ = {"_json": _json, "_point": _point}
"""How inputs are read whose text is no value of the model by itself, by what stands before their name."""


def after_write(handler: Any) -> str:
    """Return where a browser goes after a write: to what was written; to the list around what was deleted."""
    if handler.get_status() == 201 and "Location" in handler._headers:
        return str(handler._headers["Location"])
    path: str = handler.request.path
    if handler.request.method == "DELETE" and handler.path.last.key is not None:
        return path.rstrip("/").rpartition("/")[0] + "/"
    return below(path)
