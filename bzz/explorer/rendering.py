"""Templates, and the headers that every page has."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tornado.template import Loader
from tornado.web import RequestHandler

from bzz.explorer.site import PREFIX
from bzz.explorer.wording import OPERATORS, label
from bzz.headers import add_vary

__all__ = ["finish_page", "render"]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


@cache
def _loader() -> Loader:  # made at the first page, for most processes never show one
    return Loader(
        str(Path(__file__).parent / "templates"), namespace={"prefix": PREFIX, "label": label, "operators": OPERATORS}
    )


def render(template: str, **values: Any) -> bytes:
    """Return a template filled with values; every value is escaped, but for what a template marks as ``raw``."""
    return _loader().load(template).generate(**values)


def finish_page(handler: RequestHandler, template: str, **values: Any) -> None:
    """Finish a request with a page, whose status is set already.

    The page has an entity tag of its own, made of its bytes: Tornado's.
    """
    body = render(template, **values)
    for name, value in _HEADERS.items():
        handler._headers[name] = value  # they are known to be good
    if "Cache-Control" not in handler._headers:
        handler.set_header("Cache-Control", "private, no-cache")
    add_vary(handler._headers, "Accept")
    handler.finish(body)
