"""One limit: how many requests in which time, and its part in the headers of answers.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11 (May 2026), structured fields by RFC 9651: lists of
strings with parameters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bzz.errors import ConfigurationError
from bzz.extras import needs

with needs("limits"):
    from limits import RateLimitItem, parse_many

__all__ = ["Quota", "quotas_of"]

MOST = 999_999_999_999_999
"""The largest integer of a structured field (RFC 9651, section 3.3.1)."""


@dataclass(frozen=True)
class Quota:
    """A quota policy, in the words of the draft.

    :param name: what the headers call it.
    :param amount: how many requests it lets in.
    :param seconds: the length of its window.
    """

    name: str
    amount: int
    seconds: int

    @property
    def policy(self) -> str:
        """Its item in ``RateLimit-Policy`` (section 3)."""
        return f'"{self.name}";q={self.amount};w={self.seconds}'

    def state(self, count: int, left: float) -> str:
        """Return its item in ``RateLimit`` (section 4).

        >>> Quota("5/second", 5, 1).state(2, 0.25)
        '"5/second";r=3;t=1'

        :param count: how many requests came in the window.
        :param left: the seconds until that ends.
        """
        return f'"{self.name}";r={max(0, self.amount - count)};t={whole_seconds(left)}'


def whole_seconds(left: float) -> int:
    """Return after how many seconds, at least 1, a window has ended for sure."""
    return max(1, math.ceil(left))


def quotas_of(kind: str, texts: str | Sequence[str]) -> list[Quota]:
    """Return the limits in texts such as ``"100/minute"``, ``"5 per 2 seconds"`` or ``"5/second; 100/minute"``.

    >>> quotas_of("", ["5/second; 100/minute"])[1].policy, quotas_of("writes", "3 per 2 hours")[0].policy
    ('"100/minute";q=100;w=60', '"writes 3/2 hours";q=3;w=7200')

    :param kind: of requests; empty for all.
    :raises bzz.errors.ConfigurationError: for anything else.
    """
    given = [texts] if isinstance(texts, str) else texts
    if not isinstance(given, list | tuple):
        raise _no_limit(texts)
    return [_quota(kind, item, text) for text in given for item in _parsed(text)]


def _parsed(text: Any) -> list[RateLimitItem]:
    try:
        return parse_many(text)
    except (ValueError, TypeError):
        raise _no_limit(text) from None


def _quota(kind: str, item: RateLimitItem, text: str) -> Quota:
    seconds = item.get_expiry()
    if not (1 <= item.amount <= MOST and seconds <= MOST):
        raise _no_limit(text)
    unit = item.GRANULARITY.name
    name = f"{item.amount}/{unit}" if item.multiples == 1 else f"{item.amount}/{item.multiples} {unit}s"
    return Quota(f"{kind} {name}".strip(), item.amount, seconds)


def _no_limit(given: Any) -> ConfigurationError:
    return ConfigurationError(f"rate limits are texts such as '100/minute' or '5 per 2 seconds', not {given!r}")
