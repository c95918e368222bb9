"""Which fields are hidden, whatever the routes: noted when routes are made, asked by what shows documents elsewhere.

A field that one set of routes hides counts as hidden in the whole process, for its class, the classes below it and
those above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bzz.shape import Field, Kind, Shape

__all__ = ["MayLeave", "hides", "note", "without_hidden"]

MayLeave = Callable[[type, str], bool]
"""Told a model and the name of one of its hidden fields, says whether its value may be shown all the same."""

_EMBEDDED = (Kind.EMBEDDED, Kind.ANY_EMBEDDED)

_new: list[Shape] = []
_shapes: dict[type, Shape] = {}
_hidden: dict[str, set[type]] = {}


def note(root: Shape) -> None:
    """Remember what is hidden in a model and in all that it leads to; looked through when it is first asked for."""
    _new.append(root)


def hides(model: type, name: str) -> bool:
    """Whether any routes of this process hide a field of ``model``."""
    _look_through()
    owners = _hidden.get(name, ())
    return any(issubclass(model, owner) or issubclass(owner, model) for owner in owners)


def without_hidden(model: type, diff: Mapping[str, Any], may_leave: MayLeave) -> dict[str, Any]:
    """A diff (``updated_fields``) without what is hidden, inside lists of embedded documents too."""
    _look_through()
    shape = _shapes.get(model)
    if shape is None or not _hidden:
        return dict(diff)
    return {
        name: {side: _open_inside(field, value, may_leave) for side, value in change.items()}
        for name, change in diff.items()
        for field in _open_at(shape, name, may_leave)
    }


def _look_through() -> None:
    while _new:
        for shape in _reachable(_new.pop()):
            _shapes.setdefault(shape.model, shape)
            for name, field in shape.fields.items():
                if field.hidden:
                    _hidden.setdefault(name, set()).add(shape.model)


def _reachable(root: Shape) -> Iterator[Shape]:
    waiting, seen = [root], {root.model}
    while waiting:
        shape = waiting.pop()
        yield shape
        for inner in (each for field in shape.fields.values() for each in _behind(field)):
            if inner.model not in seen:
                seen.add(inner.model)
                waiting.append(inner)


def _behind(field: Field) -> list[Shape]:
    inner = field.item or field
    if inner.variants is not None:
        return list(inner.variants().values())
    return [inner.target()] if inner.target is not None else []


def _is_open(model: type, name: str, may_leave: MayLeave) -> bool:
    return not hides(model, name) or may_leave(model, name)


def _is_open_to(shapes: list[Shape], name: str, may_leave: MayLeave) -> bool:
    return all(_is_open(shape.model, name, may_leave) for shape in shapes)


def _open_at(shape: Shape, dotted: str, may_leave: MayLeave) -> list[Field | None]:
    """Return the field at the end of a dotted name, or None for an unknown one; [] if a hidden one is on the way."""
    field: Field | None = None
    shapes = [shape]
    for part in dotted.split("."):
        if not _is_open_to(shapes, part, may_leave):
            return []
        found = next((each.fields[part] for each in shapes if part in each.fields), None)
        if found is not None:
            field, shapes = found, _behind(found)
        elif field is not None:  # the place in a list, or the key of a map
            field = field.item or field
    return [field]


def _open_inside(field: Field | None, value: Any, may_leave: MayLeave) -> Any:
    """A typed value without the hidden names of embedded documents."""
    if field is None:
        return value
    if isinstance(value, list):
        return [_open_inside(field.item or field, each, may_leave) for each in value]
    if not isinstance(value, dict):
        return value
    if field.kind is Kind.MAP:
        return {key: _open_inside(field.item, each, may_leave) for key, each in value.items()}
    return _open_document(_behind(field), value, may_leave) if field.kind in _EMBEDDED else value


def _open_document(shapes: list[Shape], values: dict[str, Any], may_leave: MayLeave) -> dict[str, Any]:
    """The values of an embedded document, of one of several classes, without what any of them hides."""
    fields = {name: field for shape in shapes for name, field in shape.fields.items()}
    return {
        name: _open_inside(fields.get(name), each, may_leave)
        for name, each in values.items()
        if _is_open_to(shapes, name, may_leave)
    }
