"""The raw document that an update leaves: what the client sent, put over what is stored."""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import Any

from bzz.errors import Invalid
from bzz.providers.mongoengine.column import Column
from bzz.providers.mongoengine.mapping import Mapping
from bzz.providers.mongoengine.raw import Raw
from bzz.shape.containers import MapKind
from bzz.shape.documents import EmbeddedKind
from bzz.shape.free import AnyKind

__all__ = ["merged", "merged_map"]


def merged(mapping: Mapping, raw: Raw, values: Map[str, Any], *, merge: bool) -> Raw:
    """Return ``raw`` with ``values`` (typed) applied: embedded documents field by field, None unsetting.

    A value that clients are shown as they sent it stays as it is stored, whatever its stored form.

    :param merge: whether free-form maps are merged (RFC 7396) rather than replaced.
    :raises bzz.errors.Invalid: if the model refuses what would be left.
    :raises bzz.errors.Conflict: if a list cannot be written whole (:mod:`bzz.providers.mongoengine.items`).
    """
    after = dict(raw)
    errors: dict[str, list[str]] = {}
    for name, value in values.items():
        column = mapping.columns[name]
        column.put(after, _next_value(column, after.get(column.stored), value, errors, merge=merge))
    if errors:
        raise Invalid(errors)
    return after


def _next_value(column: Column, current: Any, value: Any, errors: dict[str, list[str]], *, merge: bool) -> Any:
    if isinstance(column.field.kind, EmbeddedKind) and isinstance(current, dict) and isinstance(value, dict):
        return _merged_document(column, current, value, errors, merge=merge)
    if merge and isinstance(value, dict) and isinstance(column.field.kind, (MapKind, AnyKind)):
        value = merged_map(current if column.read is None or current is None else column.read(current), value)
    if value is None and current is None and column.may_stay_unset:
        return None
    return column.check(value, errors, current)


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
    """Return the result of a merge patch on a free-form value (RFC 7396, section 2).

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
