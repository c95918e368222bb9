"""``Link`` headers for lists (RFC 8288), and the places of created instances."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode

from bzz.providers.base import ListQuery, Page

__all__ = ["header_text", "link_header", "location"]

_PLACE = ("page", "after", "before")
_PATH_SAFE = "/%:@!$&'()*+,;=~"


def link_header(path: str, query: str, asked: ListQuery, page: Page) -> str:
    """The header that leads to the first, previous and next page, as far as there are such.

    :param path: of the request, percent-encoded.
    :param query: of the request, as it came.

    >>> link_header("/user/", "sort=age&page=2", ListQuery(page=2), Page([], next="abc"))
    '</user/?sort=age>; rel="first", </user/?sort=age&after=abc>; rel="next"'
    """
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name not in _PLACE]
    ways = [("first", []), ("prev", _to("before", page.previous)), ("next", _to("after", page.next))]
    wanted = [(rel, extra) for rel, extra in ways if extra or rel == "first"]
    return ", ".join(f'<{_url(path, [*kept, *extra])}>; rel="{rel}"' for rel, extra in wanted)


def _to(name: str, cursor: str | None) -> list[tuple[str, str]]:
    return [] if cursor is None else [(name, cursor)]


def _url(path: str, pairs: list[tuple[str, str]]) -> str:
    return quote(path, safe=_PATH_SAFE) + ("?" + urlencode(pairs) if pairs else "")


def location(path: str, name: str | None) -> str:
    """The URL path of an instance that was created by a POST to ``path``; None for the property at ``path`` itself.

    >>> location("/user", "a/b")
    '/user/a%2Fb/'
    """
    base = quote(path.rstrip("/"), safe=_PATH_SAFE)
    return f"{base}/" if name is None else f"{base}/{quote(name, safe='')}/"


def header_text(text: str) -> str:
    """``text`` as a header value: as it is where that is possible, else percent-encoded.

    >>> header_text("abc 1"), header_text("a\\r\\nb")
    ('abc 1', 'a%0D%0Ab')
    """
    return text if text.isascii() and text.isprintable() and text == text.strip() else quote(text, safe="")
