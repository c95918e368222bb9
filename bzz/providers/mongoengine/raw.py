"""Raw documents, as MongoDB holds them: compared, and reached into by paths such as ``addresses.1.city``.

A part of a path that is a number is a position in a list. Keys that are numbers are not reached by paths of bzz.
"""

from __future__ import annotations

from typing import Any

__all__ = ["MISSING", "Raw", "applied", "differ", "get_at", "put_at"]

Raw = dict[str, Any]

MISSING: Any = object()
"""What is at a path that leads nowhere; None is a stored null."""


def get_at(raw: Any, where: str) -> Any:
    """Return the value at a path of a raw document, :data:`MISSING` if there is none.

    >>> get_at({"a": [{"b": 1}]}, "a.0.b"), get_at({"a": []}, "a.0.b") is MISSING
    (1, True)
    """
    for name in where.split("."):
        if isinstance(raw, list):
            raw = raw[int(name)] if name.isdigit() and int(name) < len(raw) else MISSING
        else:
            raw = raw.get(name, MISSING) if isinstance(raw, dict) else MISSING
    return raw


def put_at(raw: Any, where: str, value: Any) -> Any:
    """Return a copy of a raw document with another value at a path; :data:`MISSING` takes a key away.

    >>> put_at({"a": [{"b": 1}]}, "a.0.b", 2)
    {'a': [{'b': 2}]}
    """
    name, _, rest = where.partition(".")
    if isinstance(raw, list):
        inner = put_at(raw[int(name)], rest, value) if rest else value
        return [*raw[: int(name)], inner, *raw[int(name) + 1 :]]
    inner = put_at(raw.get(name) or {}, rest, value) if rest else value  # as MongoDB makes what is missing on the way
    if inner is not MISSING:
        return {**raw, name: inner}
    return {key: each for key, each in raw.items() if key != name}


def applied(raw: Raw, change: Raw) -> Raw:
    """Return a copy of a raw document to which an update of ``$set`` and ``$unset`` was applied.

    >>> applied({"a": {"b": 1}, "c": 2}, {"$set": {"a.b": None}, "$unset": {"c": ""}})
    {'a': {'b': None}}
    """
    for where, value in change.get("$set", {}).items():
        raw = put_at(raw, where, value)
    for where in change.get("$unset", {}):
        raw = put_at(raw, where, MISSING)
    return raw


def differ(old: Any, new: Any) -> bool:
    """Whether two raw values are stored differently: to Python, True is 1 and NaN is not NaN."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() != new.keys() or any(differ(each, new[key]) for key, each in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) != len(new) or any(map(differ, old, new))
    if old != old and new != new:
        return False
    return bool(old != new) or isinstance(old, bool) != isinstance(new, bool)
