"""The from/to diff of two stored documents, in the values that their instances hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bzz.change import Diff
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.raw import Raw

__all__ = ["diff"]


def diff(
    codec: DocumentCodec, before: Raw | None, after: Raw | None, prefix: str = "", *, by_item: bool = False
) -> Diff:
    """The fields in which two stored documents differ, as ``{'address.city': {'from': ..., 'to': ...}}``.

    Values are those of the model's own instances, but for references, which are ids. An embedded document is told
    field by field, also where it came or went as a whole; a free-form map as a whole.

    :param before: None where the document was created.
    :param after: None where it was deleted.
    :param by_item: whether a list of embedded documents is told item by item where both sides hold the same items;
        otherwise a list changes as a whole.
    """
    changes: Diff = {}
    for field in _codecs(codec, before, after):
        name = prefix + field.declared.name
        found = field.diff(_get(before, field), _get(after, field), name, by_item=by_item)
        changes.update(_with_default(field, found, name, before, after) if name in found else found)
    return changes


def _with_default(field: FieldCodec, found: Diff, name: str, before: Raw | None, after: Raw | None) -> Diff:
    """A change of one value, each side of it as its instance holds it: an unset field has its default there."""
    if not field.tells_default or field.unset_attribute() is None:
        return found
    sides = {"from": before, "to": after}
    told = {
        side: field.unset_attribute() if raw is not None and _get(raw, field) is None else found[name][side]
        for side, raw in sides.items()
    }
    return {} if told["from"] == told["to"] else {name: told}


def _codecs(codec: DocumentCodec, *stored: Raw | None) -> Iterator[FieldCodec]:
    """The fields of the very classes of both documents, each name once."""
    known: dict[str, FieldCodec] = {}
    for each in stored:
        if each is not None:
            known.update(codec.variant(each).fields)
    return iter(known.values())


def _get(raw: Raw | None, field: FieldCodec) -> Any:
    return None if raw is None else raw.get(field.stored)
