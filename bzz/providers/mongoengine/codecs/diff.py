"""The from/to diff of two stored documents, in the values that their instances hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bzz.change import MASKED, Diff
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.raw import Raw, differ

__all__ = ["diff"]


def diff(
    codec: DocumentCodec,
    before: Raw | None,
    after: Raw | None,
    prefix: str = "",
    *,
    by_item: bool = False,
    instance: Callable[[], Any] | None = None,
) -> Diff:
    """The fields in which two stored documents differ, as ``{'address.city': {'from': ..., 'to': ...}}``.

    Values are those of the model's own instances, defaults included, but for references, which are ids. An embedded
    document is told field by field, also where it came or went as a whole; a free-form map as a whole. A write-only
    field is named where it differs, and both its values are masked.

    :param before: None where the document was created.
    :param after: None where it was deleted.
    :param by_item: whether a list of embedded documents is told item by item where both sides hold the same items;
        otherwise a list changes as a whole.
    :param instance: gives the instance of ``after``, for defaults that are another value each time.
    """
    changes: Diff = {}
    for field in _codecs(codec, before, after):
        name = prefix + field.declared.name
        found = field.diff(_get(before, field), _get(after, field), name, by_item=by_item)
        if name in found and _tells_default(field):
            found = _with_default(field, found[name], name, before, after, instance)
        if found and field.declared.write_only:
            found = {name: {"from": MASKED, "to": MASKED}}
        changes.update(found)
    return changes


def _tells_default(field: FieldCodec) -> bool:
    """Whether a field is told with its default where it is unset: not references, nor documents."""
    is_value = field.tells_default and not field.refers and not field.holds_documents
    return is_value and field.source.default is not None and not field.source.null


def _with_default(
    field: FieldCodec,
    change: Any,
    name: str,
    before: Raw | None,
    after: Raw | None,
    instance: Callable[[], Any] | None,
) -> Diff:
    """A change of one value, each side of it as its instance holds it: an unset field has its default there."""
    old, new = change["from"], change["to"]
    is_fixed = not callable(field.source.default)
    if before is not None and _get(before, field) is None and is_fixed:
        old = field.unset_attribute()
    if after is not None and _get(after, field) is None:
        if is_fixed:
            new = field.unset_attribute()
        elif instance is not None:
            new = getattr(instance(), field.declared.name)
    return {} if is_fixed and not differ(old, new) else {name: {"from": old, "to": new}}


def _codecs(codec: DocumentCodec, *stored: Raw | None) -> Iterator[FieldCodec]:
    """The fields of the very classes of both documents, each name once."""
    known: dict[str, FieldCodec] = {}
    for each in stored:
        if each is not None:
            own = codec.variant(each)
            known.update(own.fields)
            if own.is_dynamic:
                known.update(own.undeclared_in(each))
    return iter(known.values())


def _get(raw: Raw | None, field: FieldCodec) -> Any:
    return None if raw is None else raw.get(field.stored)
