"""The operators of filters, in the groups in which kinds take them."""

from __future__ import annotations

from typing import Literal

__all__ = [
    "ALL",
    "AREAS",
    "COMPARABLE",
    "EQUALITY",
    "EXISTS",
    "LISTED",
    "ORDERED",
    "ORDERING",
    "PATTERNS",
    "SIZE",
    "WITHIN",
    "Operator",
]

Operator = Literal[
    "eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "exists",
    "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith",
    "all", "size", "match", "near", "within",
]  # fmt: skip

EXISTS = frozenset[Operator](["exists"])
EQUALITY = frozenset[Operator](["eq", "ne", "in", "nin"])
ORDERING = frozenset[Operator](["gt", "gte", "lt", "lte"])
PATTERNS = frozenset[Operator](
    ["iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"]
)
ALL = frozenset[Operator](["all"])
SIZE = frozenset[Operator](["size"])
WITHIN = frozenset[Operator](["within"])
AREAS = frozenset[Operator](["near", "within"])
LISTED = frozenset[Operator](["in", "nin", "all"])
"""Operators whose text is several values, parted by commas."""

COMPARABLE = EXISTS | EQUALITY
ORDERED = COMPARABLE | ORDERING
