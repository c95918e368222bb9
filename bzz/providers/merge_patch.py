"""JSON Merge Patch (RFC 7396) for free-form values."""

from __future__ import annotations

from typing import Any

__all__ = ["merged"]


def merged(current: Any, patch: Any) -> Any:
    """Return the result of a merge patch on a value (RFC 7396, section 2).

    >>> merged({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    target = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merged(target.get(key), value)
    return target
