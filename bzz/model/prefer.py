"""The ``Prefer`` header (RFC 7240): what a client would rather have. Preferences that nobody knows are ignored."""

from __future__ import annotations

import re

__all__ = [
    "COUNT_EXACT",
    "LENIENT",
    "MINIMAL",
    "max_affected",
    "preference",
    "wants_count",
    "wants_lenient",
    "wants_minimal",
]

COUNT_EXACT = "count=exact"
LENIENT = "handling=lenient"
MINIMAL = "return=minimal"

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_PREFERENCE = re.compile(r'\s*+([\w-]++)\s*+(?:=\s*+(?:"([^"]*)"|([^\s;"]*+)))?+\s*+(?:;.*)?', re.DOTALL)
"""One preference. No part gives back what it has taken, so that a long header cannot take long to refuse."""


def preference(header: str | None, name: str) -> str | None:
    """Return the value of a preference, empty if it has none; None if the client does not state it (section 2).

    >>> preference('respond-async, Count="exact"; wait=1', "count"), preference("respond-async", "respond-async")
    ('exact', '')
    >>> preference(None, "count") is None
    True
    """
    for each in (header or "").split(","):
        found = _PREFERENCE.fullmatch(each)
        if found is not None and found[1].lower() == name:
            return found[2] if found[2] is not None else found[3] or ""
    return None


def wants_count(header: str | None) -> bool:
    """Return whether a client asks for the exact number of matches."""
    return header is not None and (preference(header, "count") or "").lower() == "exact"


def max_affected(header: str | None) -> int | None:
    """Return how many documents a client lets a write affect; None if it does not say, or says no number of at least 1.

    https://docs.postgrest.org/en/v12/references/api/preferences.html#max-affected

    >>> max_affected("max-affected=10"), max_affected("max-affected=none"), max_affected("count=exact")
    (10, None, None)
    """
    text = preference(header, "max-affected") or ""
    return int(text) if _NUMBER.fullmatch(text) else None


def wants_minimal(header: str) -> bool:
    """Return whether a client wants no representation of what it has written (section 4.2)."""
    return (preference(header, "return") or "").lower() == "minimal"


def wants_lenient(header: str | None) -> bool:
    """Return whether a client wants what can be done to be done, though other parts of the request cannot."""
    return header is not None and (preference(header, "handling") or "").lower() == "lenient"
