"""What a request asks for, as its first line has it (RFC 9112, section 3.2)."""

from __future__ import annotations

import re

from tornado.httputil import HTTPHeaders, RequestStartLine

__all__ = ["to_origin_form"]

_ABSOLUTE = re.compile(r"https?://([^/?#]+)([^#]*)", re.IGNORECASE)


def to_origin_form(start_line: RequestStartLine, headers: HTTPHeaders) -> RequestStartLine:
    """Return a request whose target is a whole URL, as clients of proxies send it, as one of its path and query.

    The host of the URL takes the place of the header (section 3.2.2). Any other target stays as it is.

    :param headers: those of the request; they are changed.
    """
    found = _ABSOLUTE.fullmatch(start_line.path)
    if found is None:
        return start_line
    host, path = found.groups()
    headers["Host"] = host
    return start_line._replace(path=path if path.startswith("/") else f"/{path}")
