"""``Link`` headers for lists (RFC 8288), and the URL paths of created instances."""

from __future__ import annotations

from urllib.parse import quote, unquote_plus

from bzz.providers.base import ListQuery, Page

__all__ = ["PATH_SAFE", "created_headers", "header_text", "link_header", "location"]

_PLACE = ("page", "after", "before")
PATH_SAFE = "/%:@!$&'()*+,;=~"
_QUERY_SAFE = PATH_SAFE + "?[]"


def link_header(path: str, query: str, asked: ListQuery, page: Page) -> str:
    """Return the header that leads to the first, previous and next page, as far as there are such.

    :param path: of the request, percent-encoded.
    :param query: of the request, as it came.

    >>> link_header("/user/", "sort=age&page=2", ListQuery(page=2), Page([], next="abc"))
    '</user/?sort=age>; rel="first", </user/?sort=age&after=abc>; rel="next"'
    """
    kept = "&".join(part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) not in _PLACE)
    base = quote(path, safe=PATH_SAFE), quote(kept, safe=_QUERY_SAFE)
    links = [_link("first", *base)]
    if page.previous is not None:
        links.append(_link("prev", *base, f"before={page.previous}"))
    if page.next is not None:
        links.append(_link("next", *base, f"after={page.next}"))
    return ", ".join(links)


def _link(rel: str, path: str, kept: str, cursor: str = "") -> str:
    query = "&".join(part for part in (kept, cursor) if part)
    return f'<{path}{"?" if query else ""}{query}>; rel="{rel}"'


def location(path: str, name: str | None) -> str:
    """Return the URL path of an instance that was created by a POST to ``path``.

    :param name: its id in URLs; None for the property at ``path`` itself.

    >>> location("/user", "a/b")
    '/user/a%2Fb/'
    """
    base = quote(path.rstrip("/"), safe=PATH_SAFE)
    return f"{base}/" if name is None else f"{base}/{quote(name, safe='')}/"


def created_headers(path: str, created: str | None, *, in_list: bool) -> dict[str, str]:
    """Return the headers that name what a POST to ``path`` has created.

    :param created: its id in URLs; None if it has none.
    :param in_list: whether ``path`` is that of a list; else it is that of the instance.

    >>> created_headers("/user/", "7", in_list=True)
    {'Location': '/user/7/', 'X-Created-Id': '7'}
    """
    headers = {"Location": location(path, created if in_list else None)}
    return headers if created is None else {**headers, "X-Created-Id": header_text(created)}


def header_text(text: str) -> str:
    """Return ``text`` as a header value: as it is if that is possible, else percent-encoded.

    >>> header_text("abc 1"), header_text("a\\r\\nb")
    ('abc 1', 'a%0D%0Ab')
    """
    return text if text.isascii() and text.isprintable() and text == text.strip() else quote(text, safe="")
