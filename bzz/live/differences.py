"""How two versions of what a client is shown differ: ``{'address.city': {'from': 'Rio', 'to': 'Olinda'}}``.

Both versions are JSON as GET shows it, so a difference holds nothing that GET would not show. Its form is that of
:attr:`bzz.Change.diff`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["difference", "same"]

Shown = dict[str, Any]


def difference(before: Shown | None, after: Shown | None) -> dict[str, dict[str, Any]]:
    """Return what differs, by dotted path.

    Objects are compared member by member, also where one came or went as a whole. Lists of objects are compared item by
    item where both sides hold the same ids in the same order (without ids: equally many items); any other list as a
    whole.

    :param before: None where there was nothing.
    :param after: None where there is nothing.

    >>> difference({"name": "Ann", "home": {"city": "Rio"}}, {"name": "Ann", "home": {"city": "Olinda"}})
    {'home.city': {'from': 'Rio', 'to': 'Olinda'}}
    """
    found: dict[str, dict[str, Any]] = {}
    _compare(before or {}, after or {}, "", found)
    return found


def _compare(before: Shown, after: Shown, prefix: str, found: dict[str, dict[str, Any]]) -> None:
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if not same(old, new):
            _tell(old, new, prefix + name, found)


def _tell(old: Any, new: Any, path: str, found: dict[str, dict[str, Any]]) -> None:
    if (isinstance(old, dict) or isinstance(new, dict)) and _is_object(old) and _is_object(new) and (old or new):
        _compare(old or {}, new or {}, f"{path}.", found)
    elif isinstance(old, list) and isinstance(new, list) and _have_same_items(old, new):
        for position, (one, other) in enumerate(zip(old, new, strict=True)):
            if not same(one, other):
                _tell(one, other, f"{path}.{position}", found)
    else:
        found[path] = {"from": old, "to": new}


def same(old: Any, new: Any) -> bool:
    """Return whether two values are equal in JSON, where true is not 1."""
    if old is new:
        return True
    if type(old) is not type(new):
        return False
    if isinstance(old, dict):
        return old.keys() == new.keys() and all(map(same, old.values(), map(new.get, old)))
    if isinstance(old, list):
        return len(old) == len(new) and all(map(same, old, new))
    return bool(old == new)


def _is_object(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _have_same_items(old: list[Any], new: list[Any]) -> bool:
    if len(old) != len(new) or not all(isinstance(each, dict) for each in (*old, *new)):
        return False
    return [each.get("id") for each in old] == [each.get("id") for each in new]
