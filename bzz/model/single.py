"""The one value of a field, read strictly from text or JSON; ids and references are read by the field itself."""

from __future__ import annotations

from typing import Any

from bzz.model.scalar import EXPECTED, read_json, read_text
from bzz.shape import Field, Kind, Shape

__all__ = ["from_text", "read_single"]


def from_text(field: Field, text: str) -> Any:
    """The Python value that ``text`` stands for, in a URL, a filter or a form.

    A reference is read as the primary key of its target. For a list, ask its ``item``.

    :raises ValueError: where it is no value of the field's kind, or the kind has no text form, in words for people.

    >>> from_text(Field("age", Kind.INTEGER), "42")
    42
    """
    if field.kind is Kind.REFERENCE:
        return from_text(_pk(field.shape), text)
    if field.kind is Kind.ID:
        return _read_id(field, text)
    return read_text(field.kind, text)


def _pk(shape: Shape) -> Field:
    if shape.pk is None:
        raise ValueError(EXPECTED[Kind.REFERENCE])
    return shape.pk


def _read_id(field: Field, text: str) -> Any:
    try:
        text.encode()
        return field.parse(text) if field.parse else text
    except ValueError:
        raise ValueError(EXPECTED[Kind.ID]) from None


def read_single(field: Field, value: Any) -> Any:
    """The Python value of a JSON value of a field that holds one value: a scalar, an id or a reference.

    :raises ValueError: as in :func:`from_text`.
    """
    if field.kind is Kind.REFERENCE:
        pk = _pk(field.shape)
        return from_text(pk, value) if isinstance(value, str) else read_single(pk, value)
    if field.kind is Kind.ID:
        return _read_id(field, value) if isinstance(value, str) else _typed_id(field, value)
    return read_json(field.kind, value)


def _typed_id(field: Field, value: Any) -> Any:
    """An id that is no text any more: it is one if its text reads back to it (no driver's class is named here)."""
    is_json = isinstance(value, (bool, int, float, dict, list))
    if is_json or _read_id(field, str(value)) != value:
        raise ValueError(EXPECTED[Kind.ID])
    return value
