"""The address of a webhook, checked before anything is sent there.

This is for people, who learn of a mistake at once. Safety rests on :mod:`bzz.delivery.webhooks.resolver`, which asks
the connection itself: no two readers of URLs agree on all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from bzz.delivery.webhooks.public import Network, is_public, parse
from bzz.errors import ConfigurationError

__all__ = ["Endpoint", "read_endpoint"]

_PLAIN = re.compile(r"[!-~]+")  # ASCII that can be seen: urlsplit drops tabs and newlines without a word
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\.?$){_LABEL}(?:\.{_LABEL})*\.?")  # RFC 1123, and the underscores of containers
_NUMBER = re.compile(r"(.*\.)?([0-9]+|0[xX][0-9A-Fa-f]*)\.?")
"""Names that the C library takes for an IPv4 address, mostly: https://url.spec.whatwg.org/#ends-in-a-number-checker."""


@dataclass(frozen=True)
class Endpoint:
    """Where a webhook is sent.

    :param host: a name or an address, without brackets.
    :param is_secure: whether by TLS. If not, it may only lead to allowed networks.
    :param authority: what the header ``Host`` says.
    :param target: the path and the query; they may hold secrets, so that nothing but :attr:`host` is ever shown.
    """

    host: str
    port: int
    is_secure: bool
    authority: str = field(repr=False)
    target: str = field(repr=False)

    @classmethod
    def of(cls, parts: SplitResult) -> Endpoint:
        """Return what a URL says, with no question whether it may be.

        :raises ValueError: if its port is none.
        """
        is_secure = parts.scheme == "https"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        port = parts.port or (443 if is_secure else 80)
        return cls(parts.hostname or "", port, is_secure, parts.netloc.rpartition("@")[2], target)


def read_endpoint(url: Any, allow: Sequence[Network]) -> Endpoint:
    """Return the endpoint at ``url``.

    :param allow: networks of the application's own.
    :raises bzz.errors.ConfigurationError: if it is no URL, or one that a webhook is never sent to. No message holds
        more of it than the host.

    >>> read_endpoint("https://example.org/orders?key=1", [])
    Endpoint(host='example.org', port=443, is_secure=True)
    """
    if not isinstance(url, str) or not _PLAIN.fullmatch(url) or "\\" in url:
        raise _mistake("it is no text of plain ASCII; names in other letters are written as xn--..., others as %...")
    try:
        parts = urlsplit(url)
        endpoint = Endpoint.of(parts)
    except ValueError as error:  # brackets without an address between them; a port that is none
        raise _mistake(f"it cannot be read ({error})") from None
    if parts.scheme not in ("http", "https"):
        raise _mistake("it begins neither with https:// nor with http://")
    if "@" in parts.netloc:
        raise _mistake("a user and a password before the host are not sent; the signature says who sends")
    if "#" in url:
        raise _mistake("what follows # is never sent to a server")
    if parts.port == 0 or parts.netloc.endswith(":"):
        raise _mistake("its port is none")
    _check_host(endpoint)
    _check_reach(endpoint.host, endpoint.is_secure, allow)
    return endpoint


def _check_host(endpoint: Endpoint) -> None:
    host = endpoint.host
    if "[" in endpoint.authority:
        if parse(host) is None or "%" in host:
            raise _mistake("there is no IPv6 address between the brackets")
    elif not _NAME.fullmatch(host):
        raise _mistake("its host is neither a name nor an address")
    elif _NUMBER.fullmatch(host) and parse(host) is None:
        raise _mistake(f"{host} is a number, but no IPv4 address, which is written as four decimal numbers")


def _check_reach(host: str, is_secure: bool, allow: Sequence[Network]) -> None:
    if not is_secure and not allow:
        raise _mistake("http:// is sent in the clear: use https://, or name a network of your own in allow=")
    address = parse(host)
    if address is None or any(address in each for each in allow):
        return
    if not is_secure:
        raise _mistake(f"http:// is sent in the clear, and {host} lies in no network of allow=: use https://")
    if not is_public(address):
        raise _mistake(f"{host} is no public address: name its network in allow= if it is your own")


def _mistake(why: str) -> ConfigurationError:
    return ConfigurationError(f"the URL of a webhook: {why}")
