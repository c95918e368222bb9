"""CORS: requests by pages of other origins (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import Application, OutputTransform, RequestHandler

from bzz.errors import ConfigurationError
from bzz.headers import add_vary

__all__ = ["ORIGINS", "OriginPolicy", "cors"]

ORIGINS = "bzz_origins"
"""The application setting that holds the :class:`OriginPolicy`."""

EXPOSED = (
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Created-Id",
    "X-Request-Id",
    "X-Total-Count",
)
"""The headers of bzz's answers that pages could not read otherwise."""

_METHODS = "GET, HEAD, QUERY, POST, PUT, PATCH, DELETE, OPTIONS"
_NAMES = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z, -]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class OriginPolicy:
    """Which pages of other origins may read the answers of an application.

    :param origins: the allowed origins; None for all.
    :param credentials: whether requests may carry cookies.
    :param max_age: how long a browser may cache a preflight, in seconds.
    :param exposed: the headers that pages may read; None for all headers of an answer.
    """

    origins: frozenset[str] | None
    credentials: bool
    max_age: int
    exposed: tuple[str, ...] | None = EXPOSED

    def allows(self, origin: str | None) -> bool:
        """Return whether a page of ``origin`` may read answers."""
        return origin is not None and (self.origins is None or origin in self.origins)

    def trusts(self, request: HTTPServerRequest) -> bool:
        """Return whether an unsafe ``request`` of another origin is allowed, with cookies only if ``credentials``."""
        return self.allows(request.headers.get("Origin")) and (self.credentials or "Cookie" not in request.headers)

    def apply(self, app: Application) -> None:
        """Apply this policy to every answer of ``app``.

        :raises bzz.errors.ConfigurationError: if ``app`` has a policy already.
        """
        if ORIGINS in app.settings:
            raise ConfigurationError("bzz.cors was called for this application already")
        app.settings[ORIGINS] = self
        app.add_transform(_transform(self))
        app.default_router.rules.insert(0, Rule(_IsPreflight(), PreflightHandler, {"policy": self}))
        if self.credentials:
            trusted = app.settings.get("trusted_origins") or []
            app.settings["trusted_origins"] = [*trusted, *sorted(self.origins or ())]


def cors(app: Application, origins: Iterable[str], *, credentials: bool = False, max_age: int = 600) -> None:
    """Let pages of other origins use every route of ``app``.

    Preflights are answered before any guard, whatever the URL. With ``credentials``, the origins may also
    send unsafe requests with the user's cookies: they become ``trusted_origins`` of Tornado's protection.

    :param origins: the origins as browsers send them, ``"https://app.example.org"``, ``"http://localhost:3000"``; or
        ``["*"]`` for all, without credentials.
    :param credentials: whether pages may send cookies, and read the answers.
    :param max_age: how long a browser may cache a preflight, in seconds; Chromium takes at most 7200.
    :raises bzz.errors.ConfigurationError: if an origin is not in the form that browsers send, for ``"*"`` with
        credentials, and for a second call.
    """
    if isinstance(origins, str):
        raise ConfigurationError(f"origins is a list, [{origins!r}]")
    if type(max_age) is not int or max_age < 0 or type(credentials) is not bool:
        raise ConfigurationError("max_age is a whole number of seconds, and credentials is True or False")
    OriginPolicy(_checked(list(origins), credentials), credentials, max_age).apply(app)


def _checked(origins: list[Any], credentials: bool) -> frozenset[str] | None:
    if origins == ["*"]:
        if credentials:
            raise ConfigurationError(
                "with credentials, name the origins: any page could use what a user's cookie opens"
            )
        return None
    if not origins:
        raise ConfigurationError("bzz.cors needs at least one origin")
    for origin in origins:
        if not isinstance(origin, str) or origin != _as_sent(origin):
            raise ConfigurationError(
                f"{origin!r} is no origin as browsers send it: a scheme and a host in lower case, a port that is not "
                "the scheme's own, and nothing else, such as 'https://app.example.org'"
            )
    return frozenset(origins)


def _as_sent(origin: str) -> str | None:
    """Return the origin of a URL as browsers write it, or None.

    >>> _as_sent("HTTPS://Example.org:443/page"), _as_sent("*")
    ('https://example.org', None)
    """
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{port}")


class PreflightHandler(RequestHandler):
    """Answers preflight requests."""

    def initialize(self, policy: OriginPolicy) -> None:
        """Set the policy."""
        self._policy = policy

    def options(self) -> None:
        """Answer 204, with the methods and headers that a page of an allowed origin may send."""
        asked = self.request.headers
        self.set_status(204)
        self.set_header("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
        if not self._policy.allows(asked.get("Origin")):
            return
        self.set_header("Access-Control-Allow-Methods", _METHODS)
        self.set_header("Access-Control-Max-Age", str(self._policy.max_age))
        names = asked.get("Access-Control-Request-Headers", "")
        if _NAMES.fullmatch(names):
            self.set_header("Access-Control-Allow-Headers", names)


class _IsPreflight(Matcher):
    """Matches a CORS preflight request, whatever its URL."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        asked = request.method == "OPTIONS" and {"Origin", "Access-Control-Request-Method"} <= set(request.headers)
        return {} if asked else None


def _transform(policy: OriginPolicy) -> type[OutputTransform]:
    class OriginHeaders(OutputTransform):
        """Adds the headers of ``policy`` to every answer of one application, errors included."""

        def __init__(self, request: HTTPServerRequest) -> None:
            super().__init__(request)
            self._origin = request.headers.get("Origin")

        def transform_first_chunk(
            self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            _add_headers(policy, self._origin, headers)
            return status_code, headers, chunk

    return OriginHeaders


def _add_headers(policy: OriginPolicy, origin: str | None, headers: HTTPHeaders) -> None:
    is_same_for_all = policy.origins is None and not policy.credentials
    if not is_same_for_all:
        add_vary(headers, "Origin")
    if origin is None or not policy.allows(origin):
        return
    names = policy.exposed or sorted(headers)
    headers.setdefault("Access-Control-Allow-Origin", "*" if is_same_for_all else origin)
    headers.setdefault("Access-Control-Expose-Headers", ", ".join(names))
    if policy.credentials:
        headers.setdefault("Access-Control-Allow-Credentials", "true")
