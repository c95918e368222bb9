"""Raw documents: what MongoDB holds, as the driver gives it."""

from __future__ import annotations

from typing import Any

__all__ = ["MISSING", "Raw", "differ"]

Raw = dict[str, Any]

MISSING: Any = object()
"""What is at a path that leads nowhere; None is a stored null."""


def differ(old: Any, new: Any) -> bool:
    """Return whether two raw values are stored differently: to Python, True is 1 and NaN is not NaN."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() != new.keys() or any(differ(each, new[key]) for key, each in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) != len(new) or any(map(differ, old, new))
    if old != old and new != new:
        return False
    return bool(old != new) or isinstance(old, bool) != isinstance(new, bool)
