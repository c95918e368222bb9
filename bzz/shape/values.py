"""The field at a dotted name, declared or at a key of a map, and the text of a key."""

from __future__ import annotations

from typing import Any

from bzz.shape.base import Field, Shape
from bzz.shape.limits import Limits

__all__ = ["find_field", "find_value", "key_json", "key_text"]


def find_field(shape: Shape, dotted: str, *, written: bool = False) -> Field | None:
    """Return the visible field at ``dotted``, through embedded documents and lists of them; None if none is there.

    Fields that only subclasses declare are found too.

    :param written: whether it is to be written: then it may be write-only.

    >>> from bzz.shape.documents import EmbeddedKind
    >>> from bzz.shape.scalars import StringKind
    >>> address = Shape("Address", object, {"city": Field("city", StringKind())}, embedded=True)
    >>> user = Shape("User", object, {"address": Field("address", EmbeddedKind(lambda: address))})
    >>> find_field(user, "address.city").name
    'city'
    >>> find_field(user, "address.zip") is None
    True
    """
    first, dot, rest = dotted.partition(".")
    found = shape.known(first, written=written)
    if found is None or not dot:
        return found
    link = found.link
    return None if link is None or link.is_reference else find_field(link.shape, rest, written=written)


def find_value(shape: Shape, dotted: str) -> Field | None:
    """Return the visible field at ``dotted``, or what describes the value at a key of a map; None if there is none.

    >>> from bzz.shape import Field, Shape
    >>> from bzz.shape.containers import MapKind
    >>> user = Shape("User", object, {"notes": Field("notes", MapKind())})
    >>> find_value(user, "notes.color").kind.name, find_value(user, "color")
    ('any', None)
    """
    first, dot, rest = dotted.partition(".")
    found = shape.known(first)
    if found is None or not dot:
        return found
    return _inside(found, rest, shape.limits)


def _inside(field: Field, dotted: str, limits: Limits) -> Field | None:
    if field.kind.entry is not None:
        return _at_key(field.kind.entry, dotted, limits)
    link = field.link
    if link is None:
        return field.item.kind.member(dotted)
    return None if link.is_reference else find_value(link.shape, dotted)


def _at_key(entry: Field, dotted: str, limits: Limits) -> Field | None:
    """Return what describes the value at a key, or inside what stands there; any value may have any keys inside."""
    names = dotted.split(".")
    if entry.kind.is_free:
        return entry if all(name and limits.allows_key(name) for name in names) else None
    if not names[0] or not limits.allows_key(names[0]):
        return None
    return entry if len(names) == 1 else _inside(entry, ".".join(names[1:]), limits)


def key_json(field: Field | None, value: Any) -> int | str:
    """Return a key as JSON holds it in references: an integer, or else its text."""
    return value if isinstance(value, int) else key_text(field, value)


def key_text(field: Field | None, value: Any) -> str:
    """Return the text of a key, in URLs and in references; of one that is not of the field's kind Python's own text.

    >>> from bzz.shape.texts import BinaryKind
    >>> key_text(Field("key", BinaryKind()), b"ab"), key_text(Field("key", BinaryKind()), 7), key_text(None, 7)
    ('YWI=', '7', '7')
    """
    try:
        return str(value) if field is None else field.kind.to_text(value)
    except (AttributeError, TypeError, ValueError):
        return str(value)
