"""Many values of one kind: in order, or by free keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bzz.shape.base import Field, JsonSchema, Kind, Link, Part, Refer, Shape
from bzz.shape.free import AnyKind, allowed_entries
from bzz.shape.json_schema import field_schema, nullable
from bzz.shape.limits import UNLIMITED, Limits
from bzz.shape.operators import ALL, EXISTS, ORDERING, SIZE, Operator
from bzz.shape.place import Place
from bzz.shape.reading import Reading

__all__ = ["ListKind", "MapKind"]


class ListKind(Kind):
    """An array, none of whose items is null.

    :param item: the field that describes each of them; its name is empty.
    """

    name = "list"
    expected = "Must be an array."
    is_list = True

    def __init__(self, item: Field) -> None:
        self._item = item

    @property
    def operators(self) -> frozenset[Operator]:
        """A condition on a list is one on its items, of which none is the least, or on how many there are."""
        if not self._item.kind.is_scalar:
            return EXISTS | SIZE
        return (self._item.kind.operators - ORDERING) | SIZE | ALL

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        if not isinstance(value, list):
            return reading.note(place, self.expected)
        read = self._read_item if None in value else self._item.kind.read
        return [read(each, (place, position), reading) for position, each in enumerate(value)]

    def _read_item(self, value: Any, place: Place, reading: Reading) -> Any:
        if value is None:
            return reading.note(place, "Must not be null.")
        return self._item.kind.read(value, place, reading)

    def item(self, owner: Field) -> Field:
        return self._item

    @property
    def link(self) -> Link | None:
        """A path leads through a list of documents, but not through a list of such lists."""
        kind = self._item.kind
        return kind if isinstance(kind, Link) else None

    def leads_to(self) -> Sequence[Shape]:
        return self._item.kind.leads_to()

    def parts(self, value: Any) -> Sequence[Part]:
        if not isinstance(value, list):
            return ()
        return [Part(position, self._item, each) for position, each in enumerate(value)]

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "array", "items": field_schema(self._item, refer)}


class MapKind(Kind):
    """An object with free keys.

    :param item: the field that describes each value; its name is empty. By default any value will do.
    :param limits: which keys can be stored.
    """

    name = "map"
    expected = "Must be an object."

    def __init__(self, item: Field | None = None, limits: Limits = UNLIMITED) -> None:
        self._limits = limits
        self._item = item or Field("", AnyKind(limits))

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        if not isinstance(value, dict):
            return reading.note(place, self.expected)
        read = self._item.kind.read
        return {
            key: None if each is None else read(each, (place, key), reading)
            for key, each in allowed_entries(value, self._limits, place, reading)
        }

    def item(self, owner: Field) -> Field:
        return self._item

    @property
    def entry(self) -> Field:
        return self._item

    def leads_to(self) -> Sequence[Shape]:
        return self._item.kind.leads_to()

    def parts(self, value: Any) -> Sequence[Part]:
        return [Part(key, self._item, each) for key, each in value.items()] if isinstance(value, dict) else ()

    def json_schema(self, refer: Refer) -> JsonSchema:
        schema = {"type": "object", "additionalProperties": nullable(field_schema(self._item, refer))}
        names = self._limits.key_pattern
        return schema if names is None else {**schema, "propertyNames": {"pattern": names}}
