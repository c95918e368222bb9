"""The operators of filters, in the groups in which kinds take them."""

from __future__ import annotations

from typing import Literal

__all__ = ["COMPARABLE", "EQUALITY", "EXISTS", "ORDERED", "ORDERING", "PATTERNS", "Operator"]

Operator = Literal[
    "eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "exists",
    "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith",
]  # fmt: skip

EXISTS = frozenset[Operator](["exists"])
EQUALITY = frozenset[Operator](["eq", "ne", "in", "nin"])
ORDERING = frozenset[Operator](["gt", "gte", "lt", "lte"])
PATTERNS = frozenset[Operator](["contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"])

COMPARABLE = EXISTS | EQUALITY
ORDERED = COMPARABLE | ORDERING
