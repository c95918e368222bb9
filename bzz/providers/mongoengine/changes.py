"""What an update changed, and the raw document that it leaves: pure functions on raw documents."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from typing import Any

from bzz.errors import Invalid
from bzz.providers.mongoengine.column import Column, Raw
from bzz.providers.mongoengine.mapping import Mapping
from bzz.shape import Kind

__all__ = ["assignments", "diff", "merged", "merged_map", "unchanged"]

Diff = dict[str, dict[str, Any]]


def diff(mapping: Mapping, before: Raw, after: Raw, prefix: str = "") -> Diff:
    """The fields in which two raw documents differ, as ``{'address.city': {'from': ..., 'to': ...}}``.

    Values are typed. An embedded document is told field by field, also where it came or went as a whole; a list or
    a free-form map as a whole.
    """
    changes: Diff = {}
    for name, column in mapping.columns.items():
        old, new = before.get(column.stored), after.get(column.stored)
        if _differ(old, new):
            changes.update(_column_diff(column, old, new, prefix + name))
    return changes


def _column_diff(column: Column, old: Any, new: Any, name: str) -> Diff:
    if column.field.kind is Kind.EMBEDDED and isinstance(old or new, dict):
        mapping = column.mapping(new or old)
        inner = diff(mapping, old or {}, new or {}, name + ".")
        return inner or _whole(None if old is None else {}, None if new is None else {}, name)
    return _whole(_typed(column, old), _typed(column, new), name)


def _whole(old: Any, new: Any, name: str) -> Diff:
    return {name: {"from": old, "to": new}} if _differ(old, new) else {}


def _differ(old: Any, new: Any) -> bool:
    """Whether two raw values are stored differently: to Python, True is 1 and NaN is not NaN."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() != new.keys() or any(_differ(each, new[key]) for key, each in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) != len(new) or any(map(_differ, old, new))
    if old != old and new != new:
        return False
    return bool(old != new) or isinstance(old, bool) != isinstance(new, bool)


def _typed(column: Column, raw: Any) -> Any:
    return raw if raw is None or column.read is None else column.read(raw)


def merged(mapping: Mapping, raw: Raw, values: Map[str, Any], *, merge: bool) -> Raw:
    """``raw`` with ``values`` (typed) applied: embedded documents field by field, None unsetting.

    :param merge: whether free-form maps are merged (RFC 7396) rather than replaced.
    :raises bzz.errors.Invalid: where the model refuses what would be left.
    """
    after = dict(raw)
    errors: dict[str, list[str]] = {}
    for name, value in values.items():
        column = mapping.columns[name]
        stored = _next_value(column, after.get(column.stored), value, errors, merge=merge)
        if stored is None:
            after.pop(column.stored, None)
        else:
            after[column.stored] = stored
    if errors:
        raise Invalid(errors)
    return after


def _next_value(column: Column, current: Any, value: Any, errors: dict[str, list[str]], *, merge: bool) -> Any:
    if column.field.kind is Kind.EMBEDDED and isinstance(current, dict) and value is not None:
        return _merged_document(column, current, value, errors, merge=merge)
    if merge and isinstance(value, dict) and column.field.kind in (Kind.MAP, Kind.ANY):
        value = merged_map(_typed(column, current), value)
    return column.check(value, errors)


def _merged_document(
    column: Column, current: Raw, value: Map[str, Any], errors: dict[str, list[str]], *, merge: bool
) -> Raw:
    try:
        after = merged(column.mapping(current), current, value, merge=merge)
        column.check_raw(after, errors)
    except Invalid as error:
        for where, told in (error.errors or {}).items():
            errors.setdefault(f"{column.field.name}.{where}", []).extend(told)
        return current
    return after


def merged_map(current: Any, patch: Any) -> Any:
    """RFC 7396, section 2: the result of a merge patch on a free-form value.

    >>> merged_map({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    target = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merged_map(target.get(key), value)
    return target


def assignments(before: Raw, after: Raw) -> dict[str, Raw]:
    """The MongoDB update that turns one raw document into another, by its top-level keys; empty where none differs."""
    sets = {key: value for key, value in after.items() if key not in before or _differ(before[key], value)}
    unsets = {key: "" for key in before if key not in after}
    return {operator: keys for operator, keys in (("$set", sets), ("$unset", unsets)) if keys}


def unchanged(raw: Raw, keys: Iterable[str] | None = None) -> Raw:
    """A condition that holds while the stored document still is ``raw``: in these top-level keys, or as a whole.

    Both sides are compared as BSON by the server, so nothing that a client stored is ever read as an operator.
    """
    if keys is None:
        return {"$expr": {"$eq": ["$$ROOT", {"$literal": raw}]}}
    return {"$and": [_same(raw, key) for key in keys]}


def _same(raw: Raw, key: str) -> Raw:
    if key not in raw:
        return {key: {"$exists": False}}
    return {"$expr": {"$eq": [f"${key}", {"$literal": raw[key]}]}}
