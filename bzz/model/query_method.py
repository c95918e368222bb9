"""The method QUERY (RFC 10008): a list that is asked for by a body in place of a query string.

A QUERY is read as the GET of its equivalent resource (section 2.2): the same path, with the members of the body as the
query string. So whoever asks what a request may do sees a GET; only its logs and metrics tell the two apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from bzz.codec import dumps, loads
from bzz.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType
from bzz.model.body import JSON, is_json
from bzz.model.links import PATH_SAFE
from bzz.model.parameters import unknown, unreadable

__all__ = ["ACCEPT_QUERY", "MAX_QUERY_BYTES", "QUERY", "equivalent_query", "take_query"]

QUERY = "QUERY"

ACCEPT_QUERY = ("Accept-Query", JSON)
"""The header that says which bodies a QUERY may have (section 3)."""

MAX_QUERY_BYTES = 64 * 1024
"""How long a body may be; also what servers take of a URL."""

MAX_LINKED = 700
"""How long a query string may be to stand in ``Location`` and ``Link``: proxies take few kilobytes of headers."""

UNSAID = "filter="
"""What stands for a longer one in ``Link``; no filter can be read of it, so that a GET of such a URL is refused."""

_NUMBERS = ("page", "per_page")
_NAMES = ("sort", "fields", "expand", "facets")
_TEXTS = ("q", "after", "before")


def take_query(handler: Any) -> None:
    """Make of a QUERY the GET that asks for the same, and say where that is (section 2.4).

    :param handler: of the request, whose body is read.
    :raises bzz.errors.BadRequest: if the query cannot be read.
    :raises bzz.errors.PayloadTooLarge: if it is longer than :data:`MAX_QUERY_BYTES`.
    :raises bzz.errors.UnsupportedMediaType: if it is no JSON.
    """
    request, body = handler.request, handler.body()
    if request.query:
        raise BadRequest("A QUERY says in its body what it asks for: leave the query string out.")
    if len(body) > MAX_QUERY_BYTES:
        raise PayloadTooLarge(f"The body of a QUERY may be {MAX_QUERY_BYTES} bytes long.")
    query = equivalent_query(request.headers.get("Content-Type"), body, handler.resource.parameters)
    request.query = query
    if len(query) > MAX_LINKED:
        handler.linked_query = UNSAID
    else:
        handler.set_header("Location", f"{quote(request.path, safe=PATH_SAFE)}{'?' if query else ''}{query}")


def equivalent_query(content_type: str | None, body: bytes, own: Collection[str] = ()) -> str:
    """Return the query string that asks for the same as the body of a QUERY.

    :param own: names of parameters that the application has declared.
    :raises bzz.errors.BadRequest: if the body cannot be read, or has no type (section 2.1).
    :raises bzz.errors.UnsupportedMediaType: if it is no JSON.

    >>> equivalent_query("application/json", b'{"filter": {"age": 3}, "sort": ["-age", "name"], "page": 2}')
    'filter=%7B%22age%22%3A3%7D&sort=-age%2Cname&page=2'
    """
    if not content_type:
        raise BadRequest(f"Say of which type the body is: Content-Type: {JSON}.", headers=dict([ACCEPT_QUERY]))
    if not is_json(content_type):
        raise UnsupportedMediaType(f"Send a body of this type: {JSON}.", headers=dict([ACCEPT_QUERY]))
    given = loads(body)
    if not isinstance(given, dict):
        raise BadRequest("The body must be a JSON object.")
    return urlencode([(name, _text(name, value, own)) for name, value in given.items()])


def _text(name: str, value: Any, own: Collection[str]) -> str:
    if name == "filter":
        if not isinstance(value, Mapping):
            raise unreadable(name, "Must be an object with at least one condition.")
        return dumps(value).decode()
    if name in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int):
            raise unreadable(name, "Must be a number.")
        return str(value)
    if name in _NAMES:
        return _names(name, value)
    if name not in _TEXTS and name not in own:
        raise unknown(name)
    if isinstance(value, str):
        return value
    if name in _TEXTS or not isinstance(value, bool | int | float):
        raise unreadable(name, "Must be a text.")
    return dumps(value).decode()


def _names(name: str, value: Any) -> str:
    """Return names with commas between them, as which they may also be given."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise unreadable(name, "Must be an array of names, or a text with commas between them.")
    for each in value:
        if "," in each:
            raise unknown(each)
    return ",".join(value)
