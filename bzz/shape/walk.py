"""One walk over the values of a document, whatever their kinds, for all that looks through documents.

A kind returns the parts of its values; no code here branches on the kind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from bzz.shape.base import Field, Part, Shape
from bzz.shape.place import TOP, Place, dotted
from bzz.shape.types import fields_in

__all__ = ["Found", "Reference", "filtered", "reachable", "references", "walk"]


class Found(NamedTuple):
    """One value on the walk, and its place."""

    place: Place
    field: Field
    value: Any


class Reference(NamedTuple):
    """A reference in a document: its dotted name, and the model and primary key that it refers to."""

    where: str
    shape: Shape
    key: Any


def walk(shape: Shape, values: Mapping[str, Any]) -> Iterator[Found]:
    """Go through the declared values of a document, at every depth, those around others first.

    Nulls are passed over.
    """
    fields = fields_in(shape, values)
    yield from _walk(TOP, (Part(name, fields.get(name), value) for name, value in values.items()))


def _walk(place: Place, parts: Iterable[Part]) -> Iterator[Found]:
    for key, field, value in parts:
        if field is not None and value is not None:
            yield Found((place, key), field, value)
            yield from _walk((place, key), field.kind.parts(value))


def references(shape: Shape, values: Mapping[str, Any]) -> Iterator[Reference]:
    """Return the references in the values of a document, at every depth."""
    for place, field, value in walk(shape, values):
        found = field.kind.reference(value)
        if found is not None:
            yield Reference(dotted(place), *found)


def filtered(field: Field, value: Any, keeps: Callable[[Field, str | int], bool]) -> Any:
    """Return a value without those parts, at every depth, that are not wanted.

    :param keeps: called with the field of a value and the key of a part of it; returns whether the part stays.
    """
    parts = field.kind.parts(value)
    if not parts:  # a list may stand in the place of a document, by an older form of the model
        return [filtered(field, each, keeps) for each in value] if isinstance(value, list) else value
    left = {
        key: each if inner is None else filtered(inner, each, keeps) for key, inner, each in parts if keeps(field, key)
    }
    return left if isinstance(value, dict) else list(left.values())


def reachable(root: Shape, on_error: Callable[[Shape, Exception], None]) -> Iterator[Shape]:
    """Go through a shape and all that its documents lead to, embedded or referenced; each model once.

    The classes below each of them are among these, for documents of theirs may stand in its place.

    :param on_error: called with a shape if one of its links cannot be followed, such as one to a class that is not
        there; the walk goes on without that link.
    """
    waiting, seen = [root], {root.model}
    while waiting:
        shape = waiting.pop()
        yield shape
        links: list[Callable[[], Collection[Shape]]] = [partial(_subclasses, shape)]
        links += [field.kind.leads_to for field in shape.fields.values()]
        for follow in links:
            try:
                found = {each.model: each for each in follow() if each.model not in seen}
            except Exception as error:
                on_error(shape, error)
            else:
                seen.update(found)
                waiting.extend(found.values())


def _subclasses(shape: Shape) -> Collection[Shape]:
    return shape.subclasses.values()
