"""What an update changed: pure functions on raw documents."""

from __future__ import annotations

from typing import Any

from bzz.providers.mongoengine.column import Column
from bzz.providers.mongoengine.mapping import Mapping
from bzz.providers.mongoengine.raw import Raw, differ
from bzz.shape import Kind

__all__ = ["assignments", "diff"]

Diff = dict[str, dict[str, Any]]


def diff(mapping: Mapping, before: Raw, after: Raw, prefix: str = "") -> Diff:
    """The fields in which two raw documents differ, as ``{'address.city': {'from': ..., 'to': ...}}``.

    Values are typed. An embedded document is told field by field, also where it came or went as a whole; a list or
    a free-form map as a whole.
    """
    changes: Diff = {}
    for name, column in mapping.columns.items():
        old, new = before.get(column.stored), after.get(column.stored)
        if differ(old, new):
            changes.update(_column_diff(column, old, new, prefix + name))
    return changes


def _column_diff(column: Column, old: Any, new: Any, name: str) -> Diff:
    if column.field.kind is Kind.EMBEDDED and isinstance(old or new, dict):
        mapping = column.mapping(new or old)
        inner = diff(mapping, old or {}, new or {}, name + ".")
        return inner or _whole(None if old is None else {}, None if new is None else {}, name)
    return _whole(_typed(column, old), _typed(column, new), name)


def _whole(old: Any, new: Any, name: str) -> Diff:
    return {name: {"from": old, "to": new}} if differ(old, new) else {}


def _typed(column: Column, raw: Any) -> Any:
    return raw if raw is None or column.read is None else column.read(raw)


def assignments(before: Raw, after: Raw) -> dict[str, Raw]:
    """The MongoDB update that turns one raw document into another, by its top-level keys; empty where none differs."""
    sets = {key: value for key, value in after.items() if key not in before or differ(before[key], value)}
    unsets = {key: "" for key in before if key not in after}
    return {operator: keys for operator, keys in (("$set", sets), ("$unset", unsets)) if keys}
