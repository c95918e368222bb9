"""Forms that a browser sends without JavaScript: their method, their precondition, and where the answer leads.

HTML has GET and POST only, and no headers, so the URL of a form says in parameters of the explorer's own what it means:
``_method=PUT``, ``_if_match=<tag>``, and ``_unset=a,b`` for inputs that were empty because nothing is set. They are
taken from forms of the very origin only, for a page of another one could send the same without being asked (CORS).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from bzz.errors import Forbidden
from bzz.explorer.addresses import below

__all__ = ["after_write", "take_form"]

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
    unset = set(filter(None, meant.get("_unset", "").split(",")))
    if unset:
        inner = handler.body
        handler.body = lambda: _without_unset(inner(), unset)


def _is_from_here(request: Any) -> bool:
    origin = request.headers.get("Origin", "")
    return request.headers.get("Sec-Fetch-Site") == "same-origin" or (
        bool(origin) and urlsplit(origin).netloc == request.host
    )


def _without_unset(body: bytes, names: set[str]) -> bytes:
    """Return a form's body without the empty inputs of these names.

    >>> _without_unset(b"a=&b=&c=1", {"a", "c"})
    b'b=&c=1'
    """
    parts = body.split(b"&")
    empty = (unquote_plus(part[:-1].decode("latin-1")) if part.endswith(b"=") else None for part in parts)
    return b"&".join(part for part, name in zip(parts, empty, strict=True) if name not in names)


def after_write(handler: Any) -> str:
    """Return where a browser goes after a write: to what was written; to the list around what was deleted."""
    if handler.get_status() == 201 and "Location" in handler._headers:
        return str(handler._headers["Location"])
    path: str = handler.request.path
    if handler.request.method == "DELETE" and handler.path.last.key is not None:
        return path.rstrip("/").rpartition("/")[0] + "/"
    return below(path)
