"""Which names a client's body may hold, checked before any receiver sees it.

What a receiver of a ``pre_`` signal adds afterwards is the application's own: it may fill hidden and read-only fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bzz.errors import Invalid
from bzz.model.value import READ_ONLY, UNKNOWN, Errors, note
from bzz.shape import Field, Kind, Shape

__all__ = ["check_names"]


def check_names(shape: Shape, data: Mapping[str, Any], *, updating: bool = False) -> None:
    """Refuse names that are unknown, hidden or read-only, at any depth of declared fields.

    A hidden field is refused in the words for one that does not exist.

    :param updating: whether the instance exists: its ids may be repeated then, and are compared later.
    :raises bzz.errors.Invalid: naming every such field.

    >>> user = Shape("User", object, {"age": Field("age", Kind.INTEGER), "key": Field("key", Kind.STRING, hidden=True)})
    >>> try:
    ...     check_names(user, {"age": 1, "key": "x", "_cls": "y"})
    ... except Invalid as error:
    ...     print(sorted(error.errors))
    ['_cls', 'key']
    """
    errors: Errors = {}
    if shape.is_open(data):
        return
    own = shape.visible_ids if updating else frozenset()
    for where, message in _refusals(shape, {name: each for name, each in data.items() if name not in own}, ""):
        note(errors, where, message)
    if errors:
        raise Invalid(errors)


def _refusals(shape: Shape, data: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        field = shape.visible.get(name)
        if field is None:
            yield f"{prefix}{name}", UNKNOWN
        elif field.read_only:
            yield f"{prefix}{name}", READ_ONLY
        else:
            yield from _inside(field, value, f"{prefix}{name}")


def _inside(field: Field, value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for position, each in enumerate(value):
            yield from _inside(field.item or field, each, f"{where}.{position}")
    elif not isinstance(value, dict):
        return
    elif field.kind is Kind.EMBEDDED:
        yield from _refusals(field.shape, value, where + ".")
    elif field.kind is Kind.ANY_EMBEDDED and field.variants is not None:
        yield from _in_variant(field.variants().get(str(value.get("@type"))), value, where)
    elif field.kind is Kind.MAP and field.item is not None:
        for key, each in value.items():
            yield from _inside(field.item, each, f"{where}.{key}")


def _in_variant(shape: Shape | None, value: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    if shape is not None:
        yield from _refusals(shape, {key: each for key, each in value.items() if key != "@type"}, where + ".")
