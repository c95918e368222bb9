"""What a write did, as the caller of a provider is told: the change of the root document, and the records of both."""

from __future__ import annotations

from bzz.change import Change, ChangeKind
from bzz.providers.mongoengine.diff import diff, value
from bzz.providers.mongoengine.editing import Edited
from bzz.providers.mongoengine.location import Location
from bzz.providers.mongoengine.mapping import Mapping
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import StoredRecord
from bzz.providers.outcome import Changed, Written

__all__ = ["changed", "changed_at", "created", "deleted", "inside"]


def created(mapping: Mapping, stored: Raw) -> Written:
    """A document that was inserted."""
    return Written(record=StoredRecord(mapping, stored), tell=lambda: _change(mapping, "created", None, stored))


def deleted(mapping: Mapping, gone: Raw) -> Written:
    """A document that was deleted."""
    return Written(record=StoredRecord(mapping, gone), tell=lambda: _change(mapping, "deleted", gone, None))


def changed(mapping: Mapping, before: Raw, after: Raw) -> Changed:
    """A document that was updated."""
    return Changed(
        record=StoredRecord(mapping, after),
        tell=lambda: _change(mapping, "updated", before, after),
        compare=lambda: diff(mapping, before, after),
    )


def changed_at(location: Location, edited: Edited) -> Changed:
    """A document, or one embedded in it, that was updated."""
    mapping = location.documents.mapping
    if not location.inner:
        return changed(mapping, edited.before, edited.after)
    before, after = location.ending(edited.before), location.ending(edited.after)
    return Changed(
        record=StoredRecord(after.mapping, after.raw),
        tell=lambda: _change(mapping, "updated", edited.before, edited.after),
        holder=StoredRecord(mapping, edited.after),
        compare=lambda: diff(after.mapping, before.raw, after.raw),
    )


def inside(location: Location, edited: Edited, record: StoredRecord, kind: ChangeKind = "updated") -> Written:
    """A document that was edited inside: ``record`` is what was attached, removed, linked or unlinked."""
    mapping = location.documents.mapping
    return Written(
        record=record,
        tell=lambda: _change(mapping, kind, edited.before, edited.after),
        holder=StoredRecord(mapping, edited.after),
    )


def _change(mapping: Mapping, kind: ChangeKind, before: Raw | None, after: Raw | None) -> Change:
    """The change of a root document from ``before`` (None: it was not there) to ``after`` (None: it is gone)."""
    assert mapping.pk is not None
    key = (after or before or {}).get("_id")
    return Change(mapping.model, value(mapping.pk, key), kind, lambda: diff(mapping, before, after, by_item=True))
