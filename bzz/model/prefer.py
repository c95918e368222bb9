"""The ``Prefer`` header (RFC 7240): the one preference that lists honour is ``count=exact``."""

from __future__ import annotations

import re

__all__ = ["COUNT_EXACT", "wants_count"]

COUNT_EXACT = "count=exact"

_COUNT = re.compile(r'\s*count\s*=\s*(?:exact|"exact")\s*(?:;.*)?', re.IGNORECASE | re.DOTALL)


def wants_count(header: str | None) -> bool:
    """Return whether a client asks for the exact number of matches. Other preferences are ignored (section 2).

    >>> wants_count('respond-async, count="exact"; wait=1'), wants_count("count=estimated"), wants_count(None)
    (True, False, False)
    """
    return any(_COUNT.fullmatch(preference) for preference in (header or "").split(","))
