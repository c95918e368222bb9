"""Headers whose value is a list, added to."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders

__all__ = ["add_vary"]


def add_vary(headers: HTTPHeaders, *names: str) -> None:
    """Say in ``Vary`` (RFC 9110, section 12.5.5) that an answer depends on the request headers ``names`` as well.

    >>> headers = HTTPHeaders({"Vary": "accept, Cookie"})
    >>> add_vary(headers, "Cookie", "Origin")
    >>> headers["Vary"]
    'accept, Cookie, Origin'
    """
    said = [each.strip() for line in headers.get_list("Vary") for each in line.split(",") if each.strip()]
    known = {each.lower() for each in said}
    if "*" not in known:
        headers["Vary"] = ", ".join([*said, *(name for name in names if name.lower() not in known)])
