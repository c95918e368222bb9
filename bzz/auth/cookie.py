"""The cookie that holds a session's token (RFC 6265bis)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http.cookies import SimpleCookie

from tornado.httputil import HTTPServerRequest

from bzz.errors import ConfigurationError

__all__ = ["COOKIE_BYTES", "SessionCookie"]

COOKIE_BYTES = 4096
"""The longest cookie, name and attributes included, that every browser keeps (RFC 6265, section 6.1)."""

_SAME_SITE = ("Lax", "Strict", "None")


@dataclass(frozen=True)
class SessionCookie:
    """The name and the attributes of the cookie.

    :param name: a token of RFC 9110. Browsers enforce the prefixes ``__Host-`` and ``__Secure-``.
    :param secure: whether it goes over HTTPS only.
    :param samesite: ``Lax``, ``Strict`` or ``None``: which requests from other sites carry it.
    :param domain: the domain whose hosts all get it; None for the host that set it alone.
    :raises bzz.errors.ConfigurationError: if browsers would refuse the cookie.
    """

    name: str
    secure: bool
    samesite: str
    domain: str | None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", self.name):
            raise ConfigurationError(f"cookie_name {self.name!r} cannot name a cookie (RFC 6265, section 4.1.1)")
        if self.samesite not in _SAME_SITE:
            raise ConfigurationError(f"samesite is one of {', '.join(_SAME_SITE)}, not {self.samesite!r}")
        if self.domain is not None and not _is_domain(self.domain):
            raise ConfigurationError(f"domain {self.domain!r} is no domain name, such as 'example.org'")
        self._check_prefix()

    def _check_prefix(self) -> None:
        """Raise if browsers would drop the cookie because of its prefix or ``SameSite``."""
        name = self.name.lower()
        if name.startswith("__host-") and self.domain is not None:
            raise ConfigurationError("a cookie_name with __Host- is for one host: it has no domain")
        if not self.secure and (name.startswith(("__host-", "__secure-")) or self.samesite == "None"):
            raise ConfigurationError(
                "browsers drop a cookie with __Host-, __Secure- or samesite='None' that goes over plain HTTP, as with "
                "development=True"
            )

    def values(self, request: HTTPServerRequest) -> list[str]:
        """Return all values of the cookie in ``request``: each domain and path may have set one of the same name."""
        pairs = [part.partition("=") for line in request.headers.get_list("Cookie") for part in line.split(";")]
        return [value.strip().strip('"') for name, _, value in pairs if name.strip() == self.name]

    def header(self, value: str, max_age: int) -> str:
        """Return the ``Set-Cookie`` that keeps ``value`` for ``max_age`` seconds; 0 removes it."""
        jar = SimpleCookie({self.name: value})
        morsel = jar[self.name]
        morsel.update({"path": "/", "max-age": str(max_age), "samesite": self.samesite})
        morsel["httponly"] = True
        morsel["secure"] = self.secure
        if self.domain is not None:
            morsel["domain"] = self.domain
        return morsel.OutputString()


def _is_domain(domain: str) -> bool:
    return all(re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", label) for label in domain.lower().split("."))
