"""Edits to one field inside a document: items pushed and pulled, references linked and unlinked, properties set.

Each is a function ``(column, value, where) -> (value, change)``: given what the field holds, what it will hold and the
MongoDB update that makes it so. :func:`at` turns one into the edit of a whole document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bzz.errors import Conflict, Invalid, NotFound, PreconditionFailed
from bzz.providers.base import Precondition
from bzz.providers.mongoengine.column import Column, Raw
from bzz.providers.mongoengine.editing import Edit
from bzz.providers.mongoengine.fields import reference_key
from bzz.providers.mongoengine.location import Location, Spot, descend, find_item, linked_keys
from bzz.providers.mongoengine.record import state_of
from bzz.shape import Kind

__all__ = ["Alteration", "add_links", "at", "attach", "get_at", "pull_item", "pull_link", "push", "put_at", "unset"]

Alteration = Callable[[Column, Any, str], "tuple[Any, Raw]"]


def at(location: Location, name: str, alter: Alteration) -> Callable[[Raw], Edit]:
    """The edit of a document that alters one field of the (embedded) document at ``location``."""

    def make(raw: Raw) -> Edit:
        spot = descend(Spot(location.documents.mapping.variant(raw), raw), location.inner)
        column = spot.mapping.columns[name]
        where = spot.below(column.stored)
        value, change = alter(column, spot.raw.get(column.stored), where)
        if change:
            column.require(value)
        return Edit(put_at(raw, where, value), change, [where.partition(".")[0]])

    return make


def get_at(raw: Any, where: str) -> Any:
    """The value at a MongoDB path of a raw document.

    >>> get_at({"a": [{"b": 1}]}, "a.0.b")
    1
    """
    for name in where.split("."):
        raw = raw[int(name)] if isinstance(raw, list) else raw.get(name)
    return raw


def put_at(raw: Any, where: str, value: Any) -> Any:
    """A copy of a raw document with another value at a MongoDB path; None takes the key away.

    >>> put_at({"a": [{"b": 1}]}, "a.0.b", 2)
    {'a': [{'b': 2}]}
    """
    name, _, rest = where.partition(".")
    if isinstance(raw, list):
        inner = put_at(raw[int(name)], rest, value) if rest else value
        return [*raw[: int(name)], inner, *raw[int(name) + 1 :]]
    inner = put_at(raw.get(name), rest, value) if rest else value
    copy = {key: each for key, each in raw.items() if key != name or inner is not None}
    return copy if inner is None else {**copy, name: inner}


def push(item: Raw) -> Alteration:
    """Add an embedded document to a list; 409 where its id is there already."""

    def alter(column: Column, value: Any, where: str) -> tuple[Any, Raw]:
        items = value if isinstance(value, list) else []
        assert column.item is not None
        mapping = column.item.mapping(item)
        if mapping.key_of(item) is not None:
            _refuse_twin(column, items, mapping.key_of(item))
        after = _sorted(column, [*items, item])
        if not isinstance(value, list) or after[-1] is not item:
            return after, {"$set": {where: after}}
        return after, {"$push": {where: item}}

    return alter


def _sorted(column: Column, items: list[Any]) -> list[Any]:
    try:
        return column.sorted(items)
    except ValueError as error:
        raise Invalid({column.name: [str(error)]}) from None


def _refuse_twin(column: Column, items: list[Any], key: Any) -> None:
    try:
        find_item(column, items, key)
    except NotFound:
        return
    raise Conflict("An item with this id is there already.")


def attach(item: Any) -> Alteration:
    """Fill a single property; 409 where it is occupied by anything else."""

    def alter(column: Column, value: Any, where: str) -> tuple[Any, Raw]:
        is_reference = column.field.kind is Kind.REFERENCE
        if is_reference and value is not None and reference_key(value) == reference_key(item):
            return value, {}  # linking twice is linking once
        if value is not None:
            raise Conflict("Something is there already; delete it first.")
        return item, {"$set": {where: item}}

    return alter


def pull_item(key: Any, precondition: Precondition | None) -> Alteration:
    """Take an embedded document out of a list, by its id where it has one."""

    def alter(column: Column, value: Any, where: str) -> tuple[Any, Raw]:
        position = find_item(column, value or (), key)
        assert column.item is not None
        mapping = column.item.mapping(value[position])
        _require(precondition, state_of(mapping, value[position]))
        after = [*value[:position], *value[position + 1 :]]
        if mapping.shape.url_id is None:
            return after, {"$set": {where: after}}  # by compare and set: $pull cannot take out one position
        stored = mapping.columns[mapping.shape.url_id.name].stored
        return after, {"$pull": {where: {stored: value[position][stored]}}}

    return alter


def unset(precondition: Precondition | None = None) -> Alteration:
    """Empty a single property; 404 where it is empty."""

    def alter(column: Column, value: Any, where: str) -> tuple[Any, Raw]:
        if value is None:
            raise NotFound()
        if isinstance(value, dict) and precondition is not None:
            _require(precondition, state_of(column.mapping(value), value))
        return None, {"$unset": {where: ""}}

    return alter


def add_links(references: Sequence[Any]) -> Alteration:
    """Add stored references to a list; those that are there already stay as they are."""

    def alter(column: Column, value: Any, where: str) -> tuple[Any, Raw]:
        held = value if isinstance(value, list) else []
        known = linked_keys(column, held)
        new = [each for each in references if reference_key(each) not in known]
        if not new:
            return value, {}
        after = [*held, *new]
        if not isinstance(value, list):
            return after, {"$set": {where: after}}
        return after, {"$addToSet": {where: {"$each": new}}}

    return alter


def pull_link(key: Any) -> Alteration:
    """Take a reference out of a list, by the raw primary key that it holds."""

    def alter(column: Column, value: Any, where: str) -> tuple[Any, Raw]:
        gone = [each for each in value or () if reference_key(each) == key]
        if not gone:
            raise NotFound()
        return [each for each in value if reference_key(each) != key], {"$pull": {where: {"$in": gone}}}

    return alter


def _require(precondition: Precondition | None, state: str) -> None:
    if precondition is not None and not precondition(state):
        raise PreconditionFailed()
