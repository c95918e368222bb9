"""One walk over everything that is stored inside a value, whatever kinds of fields it goes through.

A codec tells the parts of what is stored (:meth:`FieldCodec.parts`). :mod:`bzz.shape.walk` is the same for values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bzz.providers.mongoengine.codecs.field import FieldCodec, Part

__all__ = ["rebuilt"]


def rebuilt(parts: Iterable[Part], stays: Callable[[FieldCodec], bool]) -> dict[Any, Any]:
    """Return the stored values of parts by key, without the fields, at any depth, of which ``stays`` says no."""
    return {
        key: field.with_parts(bson, rebuilt(field.parts(bson), stays)) for key, field, bson in parts if stays(field)
    }
