"""Updates of a document in one round trip, by values that take their places whatever stands there.

Fields of embedded documents are set by dotted names, on condition that the embedded document is there. Where it is not,
or where an update rests on what is stored in any other way, it is worked out on a reading
(:mod:`bzz.providers.mongoengine.editing`).
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import Any

from pymongo.errors import OperationFailure

from bzz.errors import Invalid
from bzz.providers.base import Unchanged
from bzz.providers.mongoengine import hooked, written
from bzz.providers.mongoengine.column import Column
from bzz.providers.mongoengine.documents import Documents
from bzz.providers.mongoengine.mapping import Mapping
from bzz.providers.mongoengine.raw import Raw, applied
from bzz.providers.outcome import Changed
from bzz.shape.documents import EmbeddedKind
from bzz.shape.geo import GeoKind
from bzz.shape.numbers import FloatKind

__all__ = ["can_update", "update"]


def can_update(mapping: Mapping, values: Map[str, Any]) -> bool:
    """Whether these typed values can be stored without knowing what is stored."""
    return not mapping.inherits and not hooked.saves_itself(mapping) and _replace_all(mapping, values)


def _replace_all(mapping: Mapping, values: Map[str, Any]) -> bool:
    return all(_replaces(mapping.columns[name], value) for name, value in values.items())


def _replaces(column: Column, value: Any) -> bool:
    """Whether a value takes its place whatever stands there."""
    if isinstance(value, Unchanged):
        return False
    field = (column.item or column).field
    if value is None:  # which is how a float that is no number is shown, and what a required default stands in for
        return not isinstance(field.kind, FloatKind) and not (field.required and field.has_default)
    if isinstance(column.field.kind, EmbeddedKind) and column.is_validated_inside:
        inner = column.mapping()
        return bool(value) and isinstance(value, dict) and not inner.inherits and _replace_all(inner, value)
    return field.is_scalar or isinstance(field.kind, GeoKind)


async def update(documents: Documents, query: Raw, values: Map[str, Any]) -> Changed | None:
    """Store values for which :func:`can_update` holds.

    :param query: finds the document, within the model's hooks.
    :returns: None if nothing was done, since the document or one that is embedded in it is not there.
    :raises bzz.errors.Invalid: with every refusal of the model.
    :raises bzz.errors.Conflict: if a unique value is taken.
    """
    writing = _Writing()
    writing.add(documents.mapping, values)
    if writing.errors:
        raise Invalid(writing.errors)
    collection = await documents.collection()
    sets = documents.as_stored(writing.sets, collection)
    change = {operator: keys for operator, keys in (("$set", sets), ("$unset", writing.unsets)) if keys}
    if not change:
        found = await documents.find_by(query)
        return written.changed(documents.mapping, found, found)
    conditions = [{path: {"$type": "object"}} for path in writing.inside]
    try:
        before = await collection.update({"$and": [query, *conditions]} if conditions else query, change)
    except OperationFailure as error:
        raise documents.told(error) from error
    return None if before is None else written.changed(documents.mapping, before, applied(before, change))


class _Writing:
    """What is set and unset by dotted paths, and which embedded documents must be there for that."""

    def __init__(self) -> None:
        self.sets: Raw = {}
        self.unsets: Raw = {}
        self.inside: list[str] = []
        self.errors: dict[str, list[str]] = {}

    def add(self, mapping: Mapping, values: Map[str, Any], path: str = "", name: str = "") -> None:
        """Add the values of one (embedded) document.

        :param path: of the document, with a dot at its end.
        :param name: of the document, as clients know it, likewise.
        """
        for each, value in values.items():
            column = mapping.columns[each]
            where = path + column.stored
            if isinstance(column.field.kind, EmbeddedKind) and value is not None:
                self.inside.append(where)
                self.add(column.mapping(), value, where + ".", f"{name}{column.name}.")
            else:
                self._put(column, where, value, name)

    def _put(self, column: Column, where: str, value: Any, name: str) -> None:
        errors: dict[str, list[str]] = {}
        raw = None if value is None and column.may_stay_unset else column.check(value, errors)
        self.errors.update({name + place: messages for place, messages in errors.items()})
        if raw is not None or column.source.null:
            self.sets[where] = raw
        else:
            self.unsets[where] = ""
