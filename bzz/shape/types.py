"""The class that the values of an instance name by ``@type``, among those whose instances may stand there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bzz.shape.base import Field, Shape
from bzz.shape.place import Place
from bzz.shape.reading import Reading

__all__ = ["TAG", "fields_in", "must_name", "named_shape", "read_document"]

TAG = "@type"
MAX_TYPES_TOLD = 20


def must_name(types: Collection[str]) -> str:
    """Return the error message for an ``@type`` that names none of ``types``.

    >>> must_name(["Place", "Place.Bar"])
    'Must be one of: Place, Place.Bar.'
    """
    names = list(types)[:MAX_TYPES_TOLD]
    return f"Must be one of: {', '.join(names)}{', ...' if len(types) > MAX_TYPES_TOLD else '.'}"


def named_shape(shape: Shape, values: Mapping[str, Any]) -> Shape | None:
    """Return the shape of the class that values name, or ``shape`` itself; None if no instance may be of that name."""
    if TAG not in values or not shape.types:
        return shape
    name = values[TAG]
    return shape.types.get(name) if isinstance(name, str) else None


def fields_in(shape: Shape, values: Mapping[str, Any]) -> Mapping[str, Field]:
    """Return the fields of the values of an instance; if they name no class, it may be of any subclass."""
    if not shape.types:
        return shape.fields
    found = named_shape(shape, values) if TAG in values else None
    return {**shape.fields_below, **shape.fields} if found is None else found.fields


def read_document(
    shape: Shape, values: Mapping[str, Any], place: Place, reading: Reading, *, besides: Collection[str] = ()
) -> dict[str, Any]:
    """Return the values of a document, and its ``@type`` if it names one: then they are read by that class.

    :param besides: names that are read elsewhere, and left out.
    """
    if TAG not in values or not shape.types:
        return reading.fields(shape, values, place, besides=besides)
    found = named_shape(shape, values)
    if found is None:
        reading.note((place, TAG), must_name(shape.types))
        return {}
    return {TAG: values[TAG], **reading.fields(found, values, place, besides=(TAG, *besides))}
