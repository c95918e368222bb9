"""The body that undoes a change, and whether it does: exactly what the change did, and nothing else.

The body is what a client could send by PUT. What it would change, as the provider says, is compared with the change the
other way round. Nothing is read or written here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bzz.change import Diff
from bzz.delivery.history.visible import Way, way_to
from bzz.errors import Conflict, Forbidden
from bzz.shape import Shape
from bzz.shape.types import TAG

__all__ = ["AGAIN", "INEXACT", "body_undoing", "check_same_items", "check_undone", "is_inside_list"]

AGAIN = "This was changed again since; nothing was done."
INEXACT = "This change cannot be undone exactly; nothing was done. Change the document by PUT."


def body_undoing(shape: Shape, diff: Diff, present: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of the body that undoes a change.

    :param diff: of the change, in storable values.
    :param present: the JSON of the document as it is now, from which lists are taken that the change was inside of.
    :raises bzz.errors.Forbidden: where clients may not write what it changed.
    :raises bzz.errors.Conflict: where a list is not as it was.
    """
    data: dict[str, Any] = {}
    for name, pair in diff.items():
        way = way_to(shape, name)
        if way is None:
            raise Forbidden("This change cannot be undone here: you may not write all that it changed.")
        if any(each.read_only or each.write_only for each in way.fields):
            raise Forbidden(f"This change cannot be undone here: it changed {name}, which you may not write.")
        _put(data, way, pair["from"], present)
    return {name: _whole(value, present.get(name), shape, name) for name, value in data.items()}


def check_undone(diff: Diff, undoing: Diff) -> None:
    """Raise unless an update undoes a change.

    :param diff: of the change, in storable values.
    :param undoing: what the update would change in the document as it is now, in storable values.
    :raises bzz.errors.Conflict: naming the fields that are not any more what the change made of them, or if the update
        does not do exactly that.
    """
    changed = [name for name, pair in diff.items() if name not in undoing or undoing[name]["from"] != pair["to"]]
    if changed:
        raise Conflict(AGAIN, errors={name: ["Its value has changed since."] for name in changed})
    if undoing != {name: {"from": pair["to"], "to": pair["from"]} for name, pair in diff.items()}:
        raise Conflict(INEXACT)


def check_same_items(shape: Shape, diff: Diff, later: Iterable[Diff]) -> None:
    """Raise where the items of a list that a change was inside of may be others by now.

    Names tell items by their positions, so what came to the list or left it since makes another item of each.

    :param later: of the changes since then.
    :raises bzz.errors.Conflict: naming the fields inside of the list.
    """
    ways = {name: way_to(shape, name) for name in diff}
    lists = {
        name: [".".join(map(str, way.parts[:length])) for length, part in enumerate(way.parts) if isinstance(part, int)]
        for name, way in ways.items()
        if way is not None
    }
    changed = {each for diff in later for each in diff}
    gone = [name for name, above in lists.items() if changed.intersection(above)]
    if gone:
        raise Conflict(AGAIN, errors={name: ["The list has other items since."] for name in gone})


def is_inside_list(shape: Shape, diff: Diff) -> bool:
    """Return whether a change was inside of an item of a list."""
    return any(way is not None and way.to_list is not None for way in (way_to(shape, name) for name in diff))


def _put(data: dict[str, Any], way: Way, value: Any, present: Mapping[str, Any]) -> None:
    """Put a value into the data; a list on the way is taken as it is now."""
    parts, length = way.parts, way.to_list
    at: Any = data
    now: Any = present
    for part in parts[: (len(parts) if length is None else length) - 1]:
        at = at.setdefault(part, {})
        now = now.get(part) if isinstance(now, Mapping) else None
        if isinstance(now, Mapping) and TAG in now:
            at[TAG] = now[TAG]
    if length is None:
        at[parts[-1]] = value
        return
    name = parts[length - 1]
    if name not in at:
        at[name] = copy.deepcopy(now.get(name)) if isinstance(now, Mapping) else None
    try:
        _set(at[name], parts[length:], value)
    except (IndexError, KeyError, TypeError):
        raise Conflict("The list is another one by now; nothing was done.") from None


def _whole(value: Any, now: Any, shape: Shape, name: str) -> Any:
    """Return null in the place of an embedded document of which nothing would be left: it came as a whole."""
    way = way_to(shape, name)
    is_document = way is not None and not way.fields[-1].is_list and way.fields[-1].link is not None
    if not is_document or not isinstance(value, dict) or not value:
        return value
    inner = now if isinstance(now, Mapping) else {}
    value = {key: _whole(each, inner.get(key), shape, f"{name}.{key}") for key, each in value.items()}
    kept = {**inner, **value}
    return value if any(each is not None for key, each in kept.items() if key != TAG) else None


def _set(value: Any, parts: Sequence[Any], new: Any) -> None:
    for part in parts[:-1]:
        value = value[part]
    if isinstance(value, list) or parts[-1] in value:  # in a list it must be there, in a document it is
        value[parts[-1]] = new
    else:
        raise KeyError(parts[-1])
