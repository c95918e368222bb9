"""Fields that only the models below one declare."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

__all__ = ["common_fields"]


def common_fields(own: Collection[str], below: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the :class:`~bzz.shape.Field` s that only models below one declare, by name.

    A name is left out if two of them declare it with different kinds, or as links to different models.

    :param own: the names that the model itself declares.
    :param below: the fields of each model below it.
    """
    found: dict[str, list[Any]] = {}
    for fields in below:
        for name in fields.keys() - own:
            found.setdefault(name, []).append(fields[name])
    return {name: _common(each) for name, each in found.items() if len(set(map(_likeness, each))) == 1}


def _likeness(field: Any) -> tuple[Any, ...]:
    inside = () if field.item is field else _likeness(field.item)
    return type(field.kind), frozenset(each.model for each in field.kind.leads_to()), inside


def _common(fields: list[Any]) -> Any:
    """Return one field for several that are alike: hidden, read-only or write-only if one of them is."""
    first = fields[0]
    if len(fields) == 1:
        return first
    return replace(
        first,
        hidden=any(each.hidden for each in fields),
        read_only=any(each.read_only for each in fields),
        write_only=any(each.write_only for each in fields),
        choices=first.choices if all(each.choices == first.choices for each in fields) else (),
    )
