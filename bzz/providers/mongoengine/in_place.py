"""Updates of a document in one round trip, by values that take their places whatever stands there.

Fields of embedded documents are set by dotted names, on condition that the embedded document is there. Where it is not,
or where an update rests on what is stored in any other way, it is worked out on a reading
(:mod:`bzz.providers.mongoengine.editing`).
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from typing import Any

from pymongo.errors import OperationFailure

from bzz.errors import Invalid
from bzz.providers.mongoengine import hooked, written
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec, Part
from bzz.providers.mongoengine.documents import Documents
from bzz.providers.mongoengine.raw import Raw, applied
from bzz.providers.outcome import Changed

__all__ = ["can_update", "update"]


def can_update(codec: DocumentCodec, values: Map[str, Any], *, merge: bool) -> bool:
    """Whether these values can be stored without knowing what is stored."""
    return not codec.inherits and not hooked.saves_itself(codec) and codec.replaces(values, merge=merge)


async def update(documents: Documents, query: Raw, values: Map[str, Any]) -> Changed | None:
    """Store values for which :func:`can_update` holds.

    :param query: finds the document, within the model's hooks.
    :returns: None if nothing was done, since the document or one that is embedded in it is not there.
    :raises bzz.errors.Invalid: with every refusal of the model.
    :raises bzz.errors.Conflict: if a unique value is taken.
    """
    writing = _Writing()
    writing.add(documents.codec.value_parts(values))
    if writing.errors:
        raise Invalid(writing.errors)
    collection = await documents.collection()
    sets = documents.as_stored(writing.sets, collection)
    change = {operator: keys for operator, keys in (("$set", sets), ("$unset", writing.unsets)) if keys}
    if not change:
        found = await documents.find_by(query)
        return written.changed(documents.codec, found, found)
    conditions = [{path: {"$type": "object"}} for path in writing.inside]
    try:
        before = await collection.update({"$and": [query, *conditions]} if conditions else query, change)
    except OperationFailure as error:
        raise documents.translate(error, applied({}, {"$set": sets})) from error
    return None if before is None else written.changed(documents.codec, before, applied(before, change))


class _Writing:
    """What is set and unset by dotted paths, and which embedded documents must be there for that."""

    def __init__(self) -> None:
        self.sets: Raw = {}
        self.unsets: Raw = {}
        self.inside: list[str] = []
        self.errors: dict[str, list[str]] = {}

    def add(self, parts: Iterable[Part], path: str = "", name: str = "") -> None:
        """Add the values of one (embedded) document.

        :param path: of the document, with a dot at its end.
        :param name: of the document, as clients know it, likewise.
        """
        for _, field, value in parts:
            where = path + field.stored
            inner = field.parts_in_place(value)
            if inner is not None:
                self.inside.append(where)
                self.add(inner, where + ".", f"{name}{field.name}.")
            else:
                self._put(field, where, value, name)

    def _put(self, field: FieldCodec, where: str, value: Any, name: str) -> None:
        errors: dict[str, list[str]] = {}
        raw = None if value is None and field.may_stay_unset else field.check(value, errors)
        self.errors.update({name + place: messages for place, messages in errors.items()})
        if raw is not None or field.source.null:
            self.sets[where] = raw
        else:
            self.unsets[where] = ""
