"""Which fields any routes of the process hide, or are write-only: for all that shows documents elsewhere.

That is noted when routes are made.

A field that one set of routes hides counts as hidden in the whole process, for its class, the classes below it and
those above it. So does one that only some users may see, by the rules of its model: no user is known here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bzz.codec import plain
from bzz.providers import rules
from bzz.shape import Field, Shape
from bzz.shape.walk import filtered, reachable

__all__ = ["MayLeave", "hides", "never", "note", "shown_anywhere", "shows", "without_hidden"]

MayLeave = Callable[[type, str], bool]
"""Called with a model and the name of one of its hidden fields; returns whether its value may be shown all the same."""

logger = logging.getLogger("bzz.model")

_new: list[Shape] = []
_shapes: dict[type, Shape] = {}
_hidden: dict[str, set[type]] = {}
_write_only: dict[str, set[type]] = {}


def note(root: Shape) -> None:
    """Remember what is hidden in a model and in all that it leads to; looked through when it is first asked for."""
    _new.append(root)


def hides(model: type, name: str) -> bool:
    """Return whether any routes of this process hide a field of ``model``, or only some users may see it."""
    _look_through()
    return _lists(_hidden, model, name) or rules.has_read_rule(model, name)


def shows(model: type, name: str) -> bool:
    """Whether the value of a field may be shown: no routes of this process hide it, and it is not write-only."""
    return not hides(model, name) and not _lists(_write_only, model, name)


def _lists(owners: Mapping[str, set[type]], model: type, name: str) -> bool:
    return any(issubclass(model, owner) or issubclass(owner, model) for owner in owners.get(name, ()))


def without_hidden(model: type, diff: Mapping[str, Any], may_leave: MayLeave) -> dict[str, Any]:
    """Return a diff (``updated_fields``) without what is hidden, inside lists of embedded documents too.

    What differs only in what is hidden is left out. Write-only fields stay named: their values are masked already.

    :param diff: the values of documents in it have to be dicts, as :func:`bzz.change.storable` makes them; others stay
        as they are, for who writes them to leave out what is hidden.
    """
    _look_through()
    shape = _shapes.get(model)
    if not (_hidden or rules.DECLARED):
        return dict(diff)
    if shape is None:
        return {name: each for name, each in diff.items() if _is_visible(model, name.partition(".")[0], may_leave)}
    return {
        name: {side: _visible_parts(field, value, may_leave) for side, value in change.items()}
        for name, change in diff.items()
        for field in _visible_field(shape, name, may_leave)
        if _is_change(field, change, may_leave)
    }


def never(model: type, name: str) -> bool:
    """A :data:`MayLeave` that lets nothing leave."""
    return False


def shown_anywhere(shape: Shape, json: Mapping[str, Any], may_leave: MayLeave = never) -> dict[str, Any]:
    """Return the JSON of a document without what any routes of this process hide, in embedded documents too."""
    _look_through()
    return {
        name: _visible_parts(shape.fields.get(name), value, may_leave)
        for name, value in json.items()
        if _is_visible(shape.model, name, may_leave)
    }


def _look_through() -> None:
    while _new:
        for shape in reachable(_new.pop(), _report):
            _shapes[shape.model] = shape
            for name, field in shape.fields.items():
                if field.hidden:
                    _hidden.setdefault(name, set()).add(shape.model)
                if field.write_only:
                    _write_only.setdefault(name, set()).add(shape.model)


def _report(shape: Shape, error: Exception) -> None:
    """Say that a link leads nowhere: no routes can follow it either, so nothing behind it is shown."""
    logger.warning("%s refers to what cannot be served: %s", shape.name, error)


def _is_visible(model: type, name: str, may_leave: MayLeave) -> bool:
    return not hides(model, name) or may_leave(model, name)


def _is_visible_in(shapes: Iterable[Shape], name: str, may_leave: MayLeave) -> bool:
    return all(_is_visible(shape.model, name, may_leave) for shape in shapes)


def _visible_field(shape: Shape, dotted: str, may_leave: MayLeave) -> list[Field | None]:
    """Return the field at the end of a dotted name, or None for an unknown one; [] if a hidden one is on the way."""
    field: Field | None = None
    shapes: Sequence[Shape] = [shape]
    for part in dotted.split("."):
        if not _is_visible_in(shapes, part, may_leave):
            return []
        found = next((each.fields[part] for each in shapes if part in each.fields), None)
        if found is not None:
            field, shapes = found, found.kind.leads_to()
        elif field is not None:  # the place in a list, or the key of a map
            field = field.item
    return [field]


def _is_change(field: Field | None, change: Mapping[str, Any], may_leave: MayLeave) -> bool:
    """Whether the two sides of a change differ in what is visible, or in nothing at all, as masked ones."""
    old, new = (plain(value) for value in change.values())
    return bool(old == new or _visible_parts(field, old, may_leave) != _visible_parts(field, new, may_leave))


def _visible_parts(field: Field | None, value: Any, may_leave: MayLeave) -> Any:
    """Return a value without the names in embedded documents that any class hides of which they may be."""

    def keeps(owner: Field, key: str | int) -> bool:
        is_document = owner.item is owner  # neither a position in a list nor a free key is a name
        return not is_document or _is_visible_in(owner.kind.leads_to(), str(key), may_leave)

    return value if field is None else filtered(field, value, keeps)
