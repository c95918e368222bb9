"""Conditions and updates of parts of a stored document, as MongoDB's aggregation expressions.

Paths are those of :mod:`bzz.providers.mongoengine.raw`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bzz.providers.mongoengine.raw import MISSING, Raw, get_at

__all__ = ["MAX_REMOVAL_DEPTH", "removal", "unchanged", "value_at"]


def value_at(where: str) -> Any:
    """Return the aggregation expression for the value at a path of the stored document, missing if there is none.

    Needs MongoDB 5.0 (``$getField``).
    """
    value: Any = "$$ROOT"
    for name in where.split("."):
        value = _item_at(value, int(name)) if name.isdigit() else _key_of(value, name)
    return value


def _key_of(value: Any, name: str) -> Raw:
    return {"$getField": {"field": {"$literal": name}, "input": value}}


def _item_at(value: Any, position: int) -> Raw:
    item = {"$cond": [{"$isArray": ["$$list"]}, {"$arrayElemAt": ["$$list", position]}, "$$REMOVE"]}
    return {"$let": {"vars": {"list": value}, "in": item}}


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


def removal(where: str) -> list[Raw]:
    """Return the update that takes exactly the item at a path out of its list, and holds nothing of the list.

    ``$pull`` would take every item that is like it, and ``$set`` would send all the others
    (https://www.mongodb.com/docs/manual/reference/operator/update/pull/). The item must be there: see
    :func:`unchanged`.

    :param where: a path that ends in a position.
    """
    key, *rest = where.split(".")
    return [{"$set": {key: _without(value_at(key), rest, 0)}}]


def _without(value: Any, way: list[str], depth: int) -> Raw:
    name, *rest = way
    here = f"$$at{depth}"
    if not name.isdigit():
        inner = _without(_key_of(here, name), rest, depth + 1)
        changed: Raw = {"$mergeObjects": [here, {name: inner}]}
    else:
        position = int(name)
        kept = [[_without({"$arrayElemAt": [here, position]}, rest, depth + 1)]] if rest else []
        behind = {"$slice": [here, position + 1, {"$max": [1, {"$size": here}]}]}
        changed = {"$concatArrays": [{"$slice": [here, position]}, *kept, behind]}
    return {"$let": {"vars": {f"at{depth}": value}, "in": changed}}
