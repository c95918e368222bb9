"""The words of the pages: names of fields and operators for people."""

from __future__ import annotations

__all__ = ["OPERATORS", "label"]

OPERATORS = {
    "eq": "is",
    "ne": "is not",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "in": "is one of",
    "nin": "is none of",
    "contains": "contains",
    "icontains": "contains, in any case",
    "startswith": "begins with",
    "istartswith": "begins with, in any case",
    "endswith": "ends with",
    "iendswith": "ends with, in any case",
    "iexact": "is, in any case",
    "exists": "is set",
    "all": "has all of",
    "size": "has this many",
    "near": "is near",
    "within": "is within",
}
"""Those that the filter form offers, in this order."""


def label(name: str) -> str:
    """Return the name of a field for people.

    >>> label("created_at"), label("address.city"), label("id")
    ('Created at', 'Address / city', 'ID')
    """
    if name.strip("_") in ("id", "pk"):
        return "ID"
    words = name.replace("_", " ").strip().replace(".", " / ") or name
    return words[:1].upper() + words[1:]
