"""Headers for caches and the renewed cookie, on every answer to a request whose session was looked up.

An answer that depends on the session varies by ``Cookie`` and ``Authorization``, and is private unless its handler says
otherwise. One that renews the cookie must not be stored: a cache would hand the session to the next client.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

from bzz.headers import add_vary

__all__ = ["SessionHeaders", "depends_on_session", "forget_renewal", "renew_on_success"]

Renewed = Callable[[], "str | None"]

_requests: WeakKeyDictionary[HTTPServerRequest, Renewed | None] = WeakKeyDictionary()


def depends_on_session(request: HTTPServerRequest) -> None:
    """Note that the answer to ``request`` depends on its session."""
    _requests.setdefault(request, None)


def renew_on_success(request: HTTPServerRequest, renewed: Renewed) -> None:
    """Call ``renewed`` for a ``Set-Cookie`` header if ``request`` succeeds; it may return None."""
    _requests[request] = renewed


def forget_renewal(request: HTTPServerRequest) -> None:
    """Do not renew the cookie in the answer to ``request``."""
    _requests[request] = None


class SessionHeaders(OutputTransform):
    """Adds the headers to the answers of one application."""

    def __init__(self, request: HTTPServerRequest) -> None:
        super().__init__(request)
        self._request = request

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        if self._request in _requests:
            renewed = _requests.pop(self._request)
            cookie = renewed() if renewed is not None and status_code < 400 else None
            if cookie is not None:
                headers.add("Set-Cookie", cookie)
                headers["Cache-Control"] = "no-store"
            add_vary(headers, "Cookie", "Authorization")
            headers.setdefault("Cache-Control", "private")
        return status_code, headers, chunk
