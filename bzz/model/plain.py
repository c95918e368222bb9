"""Values of the common kinds with no mistake in them, read at a fraction of what a full reading costs.

Nothing is refused here: whatever is not plain is left to :func:`bzz.model.value.from_json`, which knows what to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bzz.model.scalar import read_json
from bzz.shape import Field, Kind

__all__ = ["read_plain"]


def read_plain(field: Field, value: Any) -> Any:
    """What :func:`bzz.model.value.from_json` makes of a value of a common kind with no mistake in it.

    :raises ValueError: for any other.

    >>> read_plain(Field("tags", Kind.LIST, item=Field("", Kind.STRING)), ["a"])
    ['a']
    """
    if value is None:
        return None
    read = _READERS.get(field.kind)
    return read_json(field.kind, value) if read is None else read(field, value)


def _text(field: Field, value: Any) -> str:
    if type(value) is not str:
        raise ValueError
    value.encode()  # a lone surrogate cannot be stored
    return value


def _list(field: Field, value: Any) -> list[Any]:
    item = field.item
    if item is None or not isinstance(value, list) or None in value:
        raise ValueError
    return [read_plain(item, each) for each in value]


def _embedded(field: Field, value: Any) -> dict[str, Any]:
    fields = field.shape.fields
    if not isinstance(value, dict) or not value.keys() <= fields.keys():
        raise ValueError
    return {name: read_plain(fields[name], each) for name, each in value.items()}


_READERS: dict[Kind, Callable[[Field, Any], Any]] = {
    Kind.STRING: _text,
    Kind.LIST: _list,
    Kind.EMBEDDED: _embedded,
}
