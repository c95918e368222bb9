"""References by public ids: those of the field that a model's ``get_id_field_name()`` names.

Documents hold primary keys, and everything inside bzz knows primary keys only. Public ids are replaced when a body or
a filter comes in, and put in their place in answers, each time with one query for each model that is referred to. How a
provider looks for documents is not known here.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from bzz.providers.asked import filters_in, with_filters
from bzz.providers.base import Condition, Criterion, Filter, ListQuery
from bzz.shape import Field, Place, Shape
from bzz.shape.documents import NamedDocument
from bzz.shape.values import key_text
from bzz.shape.walk import walk

__all__ = ["Identity", "PublicIds"]

Named = dict[str, Any]
"""The counterparts of ids, by their text."""


class Identity(NamedTuple):
    """How one document is known.

    :ivar key: the value of its primary key.
    :ivar public: the value of its public id.
    :ivar shown: the JSON of its public id.
    """

    key: Any
    public: Any
    shown: Any


FindIdentities = Callable[[Shape, Field, Sequence[Any], Any], Awaitable[list[Identity]]]
"""Given a shape, one of its fields, values of it and the context, gives the documents with these values."""


class PublicIds:
    """Replaces public ids by primary keys and back, for one set of routes.

    :param find: finds the documents that are referred to, among those that there are for a request.
    """

    def __init__(self, find: FindIdentities) -> None:
        self._find = find

    async def resolve(self, shape: Shape, data: Any, context: Any) -> None:
        """Replace the public ids in a decoded body by the text of primary keys. A body may hold anything."""
        found = list(_references(shape, data))
        keys = await self._keys(((each.target, each.value) for each in found), context)
        _replace(found, keys)

    async def show(self, shapes: Sequence[Shape | None], shown: Sequence[Any], context: Any) -> None:
        """Replace the primary keys in the JSON of documents by public ids."""
        pairs = zip(shapes, shown, strict=True)
        found = [each for shape, json in pairs if shape is not None for each in _references(shape, json)]
        wanted = _grouped((each.target, each.value) for each in found)
        answers = await asyncio.gather(*(self._public(target, ids, context) for target, ids in wanted.items()))
        _replace(found, dict(zip(wanted, answers, strict=True)))

    async def resolve_filters(self, query: ListQuery, context: Any) -> ListQuery:
        """Return a query whose filters name documents by their primary keys."""
        named = _named_by(query.filters)
        if not named:
            return query
        keys = await self._keys(((each.shape, each.text) for each in named), context)
        return replace(query, filters=_all_resolved(query.filters, keys))

    async def _keys(self, named: Iterable[tuple[Shape, Any]], context: Any) -> dict[Shape, Named]:
        wanted = _grouped(named)
        answers = await asyncio.gather(*(self._primary(target, ids, context) for target, ids in wanted.items()))
        return dict(zip(wanted, answers, strict=True))

    async def _primary(self, target: Shape, ids: set[str], context: Any) -> Named:
        """Return the text of the primary key of each document, by public ids."""
        public = target.public_id
        assert public is not None
        read = _read(public, ids)
        keys: Named = {}
        for each in await self._find(target, public, list(read.values()), context) if read else ():
            keys.setdefault(str(each.public), key_text(target.pk, each.key))
        return {text: keys[str(value)] for text, value in read.items() if str(value) in keys}

    async def _public(self, target: Shape, ids: set[str], context: Any) -> Named:
        """Return the JSON of the public id of each document, by the texts of primary keys."""
        assert target.pk is not None
        read = _read(target.pk, ids)
        found = await self._find(target, target.pk, list(read.values()), context) if read else []
        return {key_text(target.pk, each.key): each.shown for each in found if each.shown is not None}


class _Reference(NamedTuple):
    """One reference to a model with a public id: ``holder[key]`` is the id."""

    target: Shape
    holder: Any
    key: Any

    @property
    def value(self) -> Any:
        return self.holder[self.key]


def _references(shape: Shape, data: Any) -> Iterator[_Reference]:
    if not isinstance(data, dict):
        return
    for place, field, value in walk(shape, data):
        found = field.kind.reference(value)
        if found is None or found[0].public_id is None or not _is_id(found[1]):
            continue
        if isinstance(value, dict):  # which names its model, too
            yield _Reference(found[0], value, "id")
        else:
            holder, key = _holder(data, place)
            yield _Reference(found[0], holder, key)


def _holder(data: Any, place: Place) -> tuple[Any, str | int]:
    """Return the object or array at whose key or position a place is."""
    names: list[Any] = []
    while place:
        place, name = place
        names.append(name)
    for name in reversed(names[1:]):
        data = data[name]
    return data, names[0]


def _is_id(value: Any) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _grouped(named: Iterable[tuple[Shape, Any]]) -> dict[Shape, set[str]]:
    wanted: dict[Shape, set[str]] = defaultdict(set)
    for target, value in named:
        wanted[target].add(str(value))
    return wanted


def _read(field: Field, ids: Iterable[str]) -> dict[str, Any]:
    """Return the values of those texts that the field could hold."""
    read = {}
    for text in ids:
        with suppress(ValueError):
            read[text] = field.kind.from_text(text)
    return read


def _replace(found: Iterable[_Reference], by: dict[Shape, Named]) -> None:
    for each in found:
        each.holder[each.key] = by[each.target].get(str(each.value), each.value)


# -- filters


def _named_by(filters: Iterable[Criterion]) -> list[NamedDocument]:
    return [each for wanted in filters_in(filters) for condition in wanted.any_of for each in _named_in(condition)]


def _named_in(condition: Condition) -> list[NamedDocument]:
    if condition.operator == "match":
        return _named_by(condition.value)
    values = condition.value if isinstance(condition.value, list) else [condition.value]
    return [each for each in values if isinstance(each, NamedDocument)]


def _all_resolved(filters: Iterable[Criterion], keys: dict[Shape, Named]) -> tuple[Criterion, ...]:
    return with_filters(
        filters, lambda each: Filter(each.path, tuple(_resolved(condition, keys) for condition in each.any_of))
    )


def _resolved(condition: Condition, keys: dict[Shape, Named]) -> Condition:
    """Return a condition on primary keys. A document that does not exist equals nothing, nor comes before or after."""
    value = condition.value
    if not _named_in(condition):
        return condition
    if condition.operator == "match":
        return replace(condition, value=_all_resolved(value, keys))
    if isinstance(value, list):
        return replace(condition, value=[key for each in value for key in _key(each, keys)])
    found = _key(value, keys)
    if found:
        return replace(condition, value=found[0])
    return replace(condition, operator="nin" if condition.operator == "ne" else "in", value=[])


def _key(value: Any, keys: dict[Shape, Named]) -> list[Any]:
    """Return the primary key of a document, if there is one of this public id, or the id can be a primary key."""
    if not isinstance(value, NamedDocument):
        return [value]
    assert value.shape.pk is not None
    with suppress(ValueError):
        return [value.value(value.shape.pk.kind.from_text(keys[value.shape].get(value.text, value.text)))]
    return []
