"""One walk over everything inside a value, whatever kinds of fields it goes through.

A codec tells the parts of a value (:meth:`FieldCodec.parts`, :meth:`FieldCodec.value_parts`), so what walks here needs
to know no kind of field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bzz.providers.mongoengine.codecs.field import FieldCodec, Part

__all__ = ["rebuilt", "walk"]


def walk(parts: Iterable[Part], prefix: str = "") -> Iterator[tuple[str, FieldCodec, Any]]:
    """Return the dotted name, the codec and the value of each part, and of all that is inside it.

    :param parts: of values, as :meth:`FieldCodec.value_parts` gives them.
    """
    for key, field, value in parts:
        where = f"{prefix}{key}"
        yield where, field, value
        yield from walk(field.value_parts(value), where + ".")


def rebuilt(parts: Iterable[Part], stays: Callable[[FieldCodec], bool]) -> dict[Any, Any]:
    """Return the stored values of parts by key, without the fields, at any depth, of which ``stays`` says no."""
    return {
        key: field.with_parts(bson, rebuilt(field.parts(bson), stays)) for key, field, bson in parts if stays(field)
    }
