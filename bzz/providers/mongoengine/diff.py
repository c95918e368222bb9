"""The from/to diff of two raw documents, in the values that their instances hold."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from bzz.change import Diff
from bzz.providers.mongoengine.column import Column
from bzz.providers.mongoengine.mapping import Mapping
from bzz.providers.mongoengine.raw import Raw, differ
from bzz.shape.documents import AnyReferenceKind, EmbeddedKind
from bzz.shape.keys import ReferenceKind

__all__ = ["diff", "value"]

_REFERENCES = (ReferenceKind, AnyReferenceKind)


def diff(mapping: Mapping, before: Raw | None, after: Raw | None, prefix: str = "", *, by_item: bool = False) -> Diff:
    """The fields in which two raw documents differ, as ``{'address.city': {'from': ..., 'to': ...}}``.

    Values are those of the model's own instances, but for references, which are ids. An embedded document is told
    field by field, also where it came or went as a whole; a free-form map as a whole.

    :param before: None where the document was created.
    :param after: None where it was deleted.
    :param by_item: whether a list of embedded documents is told item by item where both sides hold the same items;
        otherwise a list changes as a whole.
    """
    changes: Diff = {}
    for column in _columns(mapping, before, after):
        old, new = _get(before, column), _get(after, column)
        if differ(old, new):
            changes.update(_column_diff(column, old, new, prefix + column.field.name, by_item))
    return changes


def _columns(mapping: Mapping, *documents: Raw | None) -> Iterator[Column]:
    """The columns of the very classes of both documents, each name once."""
    known: dict[str, Column] = {}
    for each in documents:
        if each is not None:
            known.update(mapping.variant(each).columns)
    return iter(known.values())


def _get(raw: Raw | None, column: Column) -> Any:
    return None if raw is None else raw.get(column.stored)


def _column_diff(column: Column, old: Any, new: Any, name: str, by_item: bool) -> Diff:
    if isinstance(column.field.kind, EmbeddedKind) and _are_documents(old, new):
        inner = diff(column.mapping(), old, new, name + ".", by_item=by_item)
        if inner or not (old is None or new is None):  # one without fields comes and goes as a whole
            return inner
    if by_item and column.item is not None and _hold_the_same_items(column.item, old, new):
        pairs = enumerate(zip(old, new, strict=True))
        return {
            key: each for at, (a, b) in pairs for key, each in _item_diff(column.item, a, b, f"{name}.{at}").items()
        }
    return _whole(column, old, new, name)


def _are_documents(old: Any, new: Any) -> bool:
    return all(each is None or isinstance(each, dict) for each in (old, new))


def _hold_the_same_items(item: Column, old: Any, new: Any) -> bool:
    """Whether two lists hold embedded documents of the same classes and ids, in the same order."""
    if not isinstance(item.field.kind, EmbeddedKind) or not (isinstance(old, list) and isinstance(new, list)):
        return False
    if not all(isinstance(each, dict) for each in (*old, *new)):
        return False
    return [_identity(item, each) for each in old] == [_identity(item, each) for each in new]


def _identity(item: Column, raw: Raw) -> tuple[Any, Any]:
    return raw.get("_cls"), item.mapping(raw).key_of(raw)


def _item_diff(item: Column, old: Raw, new: Raw, name: str) -> Diff:
    return _column_diff(item, old, new, name, True) if differ(old, new) else {}


def _whole(column: Column, old: Any, new: Any, name: str) -> Diff:
    before, after = value(column, old), value(column, new)
    if _holds_references(column) and not differ(before, after):  # an id may be stored in more than one form
        return {}
    return {name: {"from": before, "to": after}}


def value(column: Column, raw: Any) -> Any:
    """What an instance holds for a raw value; for references, also in lists and maps, their ids."""
    if raw is None or not _holds_references(column):
        return column.load(copy.deepcopy(raw))  # what receivers do to a diff must not change what is known as stored
    return raw if column.read is None else column.read(raw)


def _holds_references(column: Column) -> bool:
    return isinstance(_innermost(column).field.kind, _REFERENCES)


def _innermost(column: Column) -> Column:
    return column if column.item is None else _innermost(column.item)
