"""MongoDB updates of stored documents, and the conditions on which they happen.

An update is worked out here in three ways: of values that take their places whatever stands there (:class:`InPlace`),
of two states of a document (:func:`assignments`), and as an expression of what is stored (:func:`removal`). It is sent
to the server, and applied to what was read (:func:`applied`), so that both come to the same.

A path is one of MongoDB's, such as ``addresses.1.city``; a part of it that is a number is a position where a list is
stored, and a key anywhere else. When an update is sent, and by whom, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from typing import Any

from bzz.errors import Invalid
from bzz.providers.base import Appended
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import Part
from bzz.providers.mongoengine.raw import MISSING, Raw, differ

__all__ = [
    "MAX_REMOVAL_DEPTH",
    "InPlace",
    "applied",
    "assignments",
    "get_at",
    "put_at",
    "removal",
    "unchanged",
    "value_at",
]

# -- updates of values


class InPlace:
    """The update that puts values in their places, whatever stands there.

    Fields of embedded documents are set by dotted names, on condition that the embedded document is there.

    :param values: such that :meth:`DocumentCodec.replaces` holds for them.
    :ivar sets: the bson to be set, by path.
    :ivar unsets: the paths to be unset.
    :ivar pushes: the bson to be added to the end of lists, by path, on condition that a list is there.
    :ivar inside: the paths where an embedded document must be stored for that.
    :raises bzz.errors.Invalid: with every refusal of the model.
    """

    def __init__(self, codec: DocumentCodec, values: Map[str, Any]) -> None:
        self.sets: Raw = {}
        self.unsets: Raw = {}
        self.pushes: Raw = {}
        self.inside: list[str] = []
        self._errors: dict[str, list[str]] = {}
        self._add(codec.value_parts(values), "", "")
        if self._errors:
            raise Invalid(self._errors)
        if codec.is_dynamic or self.inside:  # elsewhere JSON has the order of the declared fields
            self.sets = _in_order(self.sets)

    @property
    def keys(self) -> set[str]:
        """The top-level keys that are written."""
        return {path.partition(".")[0] for path in (*self.sets, *self.unsets, *self.pushes)}

    def _add(self, parts: Iterable[Part], path: str, name: str) -> None:
        """Add the values of one (embedded) document.

        :param path: of the document, with a dot at its end.
        :param name: of the document, as clients know it, likewise.
        """
        for _, field, value in parts:
            where = path + field.stored
            inner = field.parts_in_place(value)
            if inner is not None:
                self.inside.append(where)
                self._add(inner, where + ".", f"{name}{field.name}.")
                continue
            errors: dict[str, list[str]] = {}
            raw = None if value is None and field.may_stay_unset else field.check(value, errors)
            self._errors.update({name + place: messages for place, messages in errors.items()})
            if type(value) is Appended:
                self.pushes[where] = raw
            elif raw is not None:
                self.sets[where] = raw
            else:
                self.unsets[where] = ""


# -- updates of documents that were read


def assignments(before: Raw, after: Raw) -> dict[str, Raw]:
    """Return the update that turns one raw document into another, by top-level keys; empty if none differs."""
    sets = {key: value for key, value in after.items() if key not in before or differ(before[key], value)}
    unsets = {key: "" for key in before if key not in after}
    return {operator: keys for operator, keys in (("$set", _in_order(sets)), ("$unset", unsets)) if keys}


def _in_order(sets: Raw) -> Raw:
    """Return what is to be set in the order in which MongoDB adds it, whatever the order of the command.

    Names are sorted as texts, numbers among them as numbers
    (https://www.mongodb.com/docs/manual/reference/operator/update/set/).
    """
    return dict(sorted(sets.items(), key=lambda each: list(map(_rank, each[0].split(".")))))


def _rank(name: str) -> tuple[bool, int, str]:
    if not _may_be_position(name):
        return True, 0, name
    return False, 0 if name[0] == "0" else int(name), name  # those that begin with 0 come first, as texts


def get_at(raw: Any, where: str) -> Any:
    """Return the value at a path of a raw document, :data:`MISSING` if there is none.

    >>> get_at({"a": [{"b": 1}]}, "a.0.b"), get_at({"a": []}, "a.0.b") is MISSING
    (1, True)
    """
    for name in where.split("."):
        if isinstance(raw, list):
            raw = raw[int(name)] if _may_be_position(name) and int(name) < len(raw) else MISSING
        else:
            raw = raw.get(name, MISSING) if isinstance(raw, dict) else MISSING
    return raw


def put_at(raw: Any, where: str, value: Any) -> Any:
    """Return a copy of a raw document with another value at a path; :data:`MISSING` takes a key away.

    >>> put_at({"a": [{"b": 1}]}, "a.0.b", 2)
    {'a': [{'b': 2}]}
    """
    name, _, rest = where.partition(".")
    if isinstance(raw, list):
        inner = put_at(raw[int(name)], rest, value) if rest else value
        return [*raw[: int(name)], inner, *raw[int(name) + 1 :]]
    inner = put_at(raw.get(name) or {}, rest, value) if rest else value  # as MongoDB makes what is missing on the way
    if inner is not MISSING:
        return {**raw, name: inner}
    return {key: each for key, each in raw.items() if key != name}


def applied(raw: Raw, change: Raw) -> Raw:
    """Return a copy of a raw document to which an update of ``$set``, ``$unset`` and ``$push`` was applied.

    >>> applied({"a": {"b": 1}, "c": 2}, {"$set": {"a.b": None}, "$unset": {"c": ""}})
    {'a': {'b': None}}
    """
    for where, value in change.get("$set", {}).items():
        raw = put_at(raw, where, value)
    for where in change.get("$unset", {}):
        raw = put_at(raw, where, MISSING)
    for where, items in change.get("$push", {}).items():
        raw = put_at(raw, where, [*get_at(raw, where), *items["$each"]])
    return raw


# -- expressions, for the server


def value_at(where: str) -> Any:
    """Return the aggregation expression for the value at a path of the stored document, missing if there is none.

    Needs MongoDB 5.0 (``$getField``).
    """
    key, *rest = where.split(".")
    value: Any = _key_of("$$ROOT", key)
    for name in rest:
        value = _at(value, name) if _may_be_position(name) else _key_of(value, name)
    return value


def _may_be_position(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _key_of(value: Any, name: str) -> Raw:
    return {"$getField": {"field": {"$literal": name}, "input": value}}


def _at(value: Any, name: str) -> Raw:
    item = {"$cond": [{"$isArray": ["$$in"]}, {"$arrayElemAt": ["$$in", int(name)]}, _key_of("$$in", name)]}
    return {"$let": {"vars": {"in": value}, "in": item}}


def unchanged(raw: Raw, paths: Iterable[str] | None = None) -> Raw:
    """Return a condition that holds while the stored document is as ``raw`` at these paths, or as a whole.

    Both sides are compared as BSON by the server, so nothing that a client stored is ever read as an operator.
    """
    if paths is None:
        return {"$expr": {"$eq": ["$$ROOT", {"$literal": raw}]}}
    return {"$and": [{"$expr": _same(raw, path)} for path in paths]}


def _same(raw: Raw, path: str) -> Raw:
    value = get_at(raw, path)
    if value is MISSING:
        return {"$eq": [{"$type": value_at(path)}, "missing"]}
    return {"$eq": [value_at(path), {"$literal": value}]}


MAX_REMOVAL_DEPTH = 24
"""How many dots the path of a :func:`removal` may have. Each part of it takes five levels of the command, of which the
server reads 200 (its parameter ``maxBSONDepth``)."""


def removal(raw: Raw, where: str) -> list[Raw]:
    """Return the update that takes exactly the item at a path out of its list, and holds nothing of the list.

    ``$pull`` would take every item that is like it, and ``$set`` would send all the others
    (https://www.mongodb.com/docs/manual/reference/operator/update/pull/). The item must be there: see
    :func:`unchanged`.

    :param raw: the document; the same lists are on the way wherever the item is there.
    :param where: a path that ends in a position.
    """
    key, *rest = where.split(".")
    return [{"$set": {key: _without(value_at(key), rest, raw[key], 0)}}]


def _without(value: Any, way: list[str], stored: Any, depth: int) -> Raw:
    name, *rest = way
    here = f"$$at{depth}"
    below = get_at(stored, name)
    if not isinstance(stored, list):
        inner = _without(_key_of(here, name), rest, below, depth + 1)
        changed: Raw = {"$mergeObjects": [here, {name: inner}]}
    else:
        position = int(name)
        kept = [[_without({"$arrayElemAt": [here, position]}, rest, below, depth + 1)]] if rest else []
        behind = {"$slice": [here, position + 1, {"$max": [1, {"$size": here}]}]}
        changed = {"$concatArrays": [{"$slice": [here, position]}, *kept, behind]}
    return {"$let": {"vars": {f"at{depth}": value}, "in": changed}}
