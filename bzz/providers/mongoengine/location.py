"""Walking a path: from the root document over references to the document that holds its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bzz.errors import NotFound
from bzz.providers.base import Step
from bzz.providers.mongoengine.column import Column, Raw
from bzz.providers.mongoengine.documents import Documents
from bzz.providers.mongoengine.fields import reference_key
from bzz.providers.mongoengine.mapping import Mapping

__all__ = ["Location", "Spot", "descend", "find_item", "linked_keys"]


@dataclass(frozen=True)
class Spot:
    """A document embedded somewhere in a root document, or that document itself.

    :param where: the MongoDB path from the root, by positions: ``addresses.1.phones.0``; empty for the root itself.
    """

    mapping: Mapping
    raw: Raw
    where: str = ""

    def below(self, name: str) -> str:
        """The MongoDB path of a key of this document."""
        return f"{self.where}.{name}" if self.where else name


@dataclass(frozen=True)
class Location:
    """A document in the database and a way inside it.

    :param documents: its class's documents.
    :param query: finds it again, within the model's hooks.
    :param raw: as it was just read.
    :param inner: the steps inside it, over embedded documents only.
    """

    documents: Documents
    query: Raw
    raw: Raw
    inner: tuple[Step, ...] = ()

    @property
    def spot(self) -> Spot:
        """The embedded document at the end of ``inner``, in the document as it was read."""
        return descend(Spot(self.documents.mapping.variant(self.raw), self.raw), self.inner)

    def within(self, step: Step) -> Location:
        """One step further, into an embedded document."""
        return Location(self.documents, self.query, self.raw, (*self.inner, step))


def descend(spot: Spot, steps: Sequence[Step]) -> Spot:
    """Follow embedded documents down.

    :raises bzz.errors.NotFound: where one of them is missing.
    """
    for step in steps:
        spot = _into(spot, step)
    return spot


def _into(spot: Spot, step: Step) -> Spot:
    assert step.field is not None
    column = spot.mapping.columns[step.field.name]
    value = spot.raw.get(column.stored)
    if column.item is None:
        return _into_single(spot, column, value, step)
    items = value if isinstance(value, list) else []
    position = find_item(column, items, step.key)
    item = items[position]
    return Spot(column.item.mapping(item), item, f"{spot.below(column.stored)}.{position}")


def _into_single(spot: Spot, column: Column, value: Any, step: Step) -> Spot:
    if not isinstance(value, dict):
        raise NotFound()
    mapping = column.mapping(value)
    if step.key is not None and mapping.key_of(value) != step.key:
        raise NotFound()
    return Spot(mapping, value, spot.below(column.stored))


def find_item(column: Column, items: Sequence[Any], key: Any) -> int:
    """The position of the embedded document that ``key`` names: its id, or its position where the class has no id.

    :raises bzz.errors.NotFound: where there is none.
    """
    assert column.item is not None
    for position, item in enumerate(items):
        if isinstance(item, dict) and key == _name_of(column.item.mapping(item), item, position):
            return position
    raise NotFound()


def _name_of(mapping: Mapping, item: Raw, position: int) -> Any:
    return position if mapping.shape.url_id is None else mapping.key_of(item)


def linked_keys(column: Column, value: Any) -> list[Any]:
    """The raw primary keys of the references that a list or single property holds."""
    held = value if isinstance(value, list) else [value]
    return [reference_key(each) for each in held if each is not None]
