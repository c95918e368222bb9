"""Handlers that are no models', and say themselves what they do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["described"]

_NAMED_GROUP = re.compile(r"\(\?P<(\w+)>[^)]*\)")


def described(routes: Iterable[Any]) -> dict[str, Mapping[str, Any]]:
    """Return the operations of handlers whose own class has an attribute ``openapi``, by path.

    A named group in the pattern of a route is a parameter of the path, as a text.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for route in routes:
        pattern, handler = _pattern_and_handler(route)
        operations = vars(handler).get("openapi") if isinstance(handler, type) else None
        if isinstance(pattern, str) and isinstance(operations, Mapping):
            path = _NAMED_GROUP.sub(r"{\1}", pattern).removesuffix("$").removesuffix("/?") or "/"
            path = path if path.endswith("/") or "." in path.rpartition("/")[2] else f"{path}/"
            found[re.sub(r"\\(.)", r"\1", path)] = {**operations}
    return found


def _pattern_and_handler(route: Any) -> tuple[Any, Any]:
    if isinstance(route, tuple):
        return route[0], route[1] if len(route) > 1 else None
    matcher = getattr(route, "matcher", None)
    regex = getattr(matcher, "regex", None)
    return getattr(regex, "pattern", None), getattr(route, "target", None)
