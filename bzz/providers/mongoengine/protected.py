"""What a client may not see or write: a write of the whole leaves it as it is stored.

A value that comes back as it is shown is not written at all, in whatever form it is stored: an ObjectId in a free-form
map stays an ObjectId, and a float that is no number stays one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bzz.codec import dumps
from bzz.errors import RequestError
from bzz.providers.base import Unchanged
from bzz.providers.mongoengine.fields import BAD_VALUE
from bzz.providers.mongoengine.items import Pairs, twins
from bzz.providers.mongoengine.raw import differ
from bzz.shape.containers import ListKind, MapKind
from bzz.shape.documents import AnyEmbeddedKind, EmbeddedKind
from bzz.shape.free import AnyKind

if TYPE_CHECKING:
    from bzz.providers.mongoengine.column import Column

__all__ = ["TWIN", "keeps", "kept", "refuse_twins", "required_unchanged", "sent_key", "store_items"]

READ_ONLY = "This field is read-only."
TWIN = "Another item of the list has this id."

Errors = dict[str, list[str]]


def store_items(item: Column, name: str, values: list[Any], stored: Any) -> list[Any]:
    """Return the raw form of a list that is written whole, over the one that is stored.

    :param item: the column of the items.
    :param name: the field, for errors.
    :raises bzz.errors.Conflict: if it cannot be told which item is which (:mod:`bzz.providers.mongoengine.items`).
    """
    if not isinstance(stored, list) or not item.holds_documents:
        return [item.store_at(index, each) for index, each in enumerate(values)]
    pairs = Pairs(
        name,
        [sent_key(item, each) for each in values],
        stored,
        key_of=lambda raw: _known_key(item, raw),
        keeps=lambda raw: keeps(item, raw),
    )
    beside = enumerate(zip(values, pairs.counterparts, strict=True))
    raw = [item.store_at(index, each, known) for index, (each, known) in beside]
    pairs.check(raw)
    return raw


def _known_key(item: Column, raw: Any) -> Any:
    """The id by which clients know a stored item, None where they know none."""
    mapping = item.mapping_of(raw)
    return None if mapping is None or mapping.hides_id else mapping.key_of(raw)


def sent_key(item: Column, value: Any) -> Any:
    """Return the id that an item names which a client sent, or None."""
    if not isinstance(value, dict) or not isinstance(item.field.kind, (EmbeddedKind, AnyEmbeddedKind)):
        return None
    mapping = item.mapping() if isinstance(item.field.kind, EmbeddedKind) else item.schema.named(value["@type"])
    if mapping.shape.url_id is None or mapping.hides_id:
        return None
    key = value.get(mapping.shape.url_id.name)
    return key.value if isinstance(key, Unchanged) else key


def keeps(column: Column, raw: Any) -> bool:
    """Whether a stored value holds, in embedded documents, anything that a client may not write."""
    if not column.holds_documents:
        return False
    if column.item is not None:
        inner = raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else ()
        return any(keeps(column.item, each) for each in inner)
    mapping = column.mapping_of(raw)
    if mapping is None:
        return raw is not None
    other_class = isinstance(column.field.kind, EmbeddedKind) and mapping is not column.mapping()
    return other_class or bool(raw.keys() - mapping.by_stored.keys() - {"_cls"}) or _any_kept(mapping.columns, raw)


def _any_kept(columns: dict[str, Column], raw: dict[str, Any]) -> bool:
    held = [(column, raw[column.stored]) for column in columns.values() if raw.get(column.stored) is not None]
    return any(column.is_protected or keeps(column, each) for column, each in held)


def refuse_twins(column: Column, raw: Any, errors: Errors) -> None:
    """Collect an error for each item of a list whose id an item before it has."""
    if not column.holds_documents or column.item is None or not isinstance(raw, list):
        return
    mappings = [column.item.mapping_of(each) for each in raw]
    keys = [mapping and mapping.key_of(each) for mapping, each in zip(mappings, raw, strict=True)]
    for position in twins(keys):
        errors.setdefault(f"{column.name}.{position}", []).append(TWIN)


def required_unchanged(column: Column, value: Any, stored: Any, errors: Errors) -> Any:
    """Return what is stored of a read-only field that a client sent back; collect an error if it was changed.

    :param value: what the client sent, as a typed value.
    """
    try:
        is_same = _shows_same(column, column.store(value, stored), stored)
    except (*BAD_VALUE, RequestError):
        is_same = False
    if not is_same:
        errors.setdefault(column.name, []).append(READ_ONLY)
    return stored


def kept(column: Column, raw: Any, stored: Any) -> Any:
    """Return ``stored`` where clients are shown the same of it as of ``raw``; else ``raw``."""
    if stored is None:
        return raw
    if column.holds_documents:
        return raw if differ(raw, stored) else stored
    if column.item is None and isinstance(column.field.kind, (AnyKind, MapKind, ListKind)):
        return _kept_inside(raw, stored)
    return stored if _shows_same(column, raw, stored) else raw


def _kept_inside(raw: Any, stored: Any) -> Any:
    """A free-form value, each part of it as it is stored where it shows the same."""
    if dumps(raw) == dumps(stored):
        return stored
    if isinstance(raw, dict) and isinstance(stored, dict):
        return {key: _kept_inside(each, stored.get(key)) for key, each in raw.items()}
    if isinstance(raw, list) and isinstance(stored, list):
        beside = [*stored, *[None] * len(raw)]
        return [_kept_inside(each, known) for each, known in zip(raw, beside, strict=False)]
    return raw


def _shows_same(column: Column, raw: Any, stored: Any) -> bool:
    return raw is stored or dumps(_shown(column, raw)) == dumps(_shown(column, stored))


def _shown(column: Column, raw: Any) -> Any:
    return raw if raw is None or column.show is None else column.show(raw)
