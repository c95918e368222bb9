"""What a write did, as the caller of a provider is told: the change of the root document, and the records of both."""

from __future__ import annotations

from bzz.change import Change, ChangeKind
from bzz.providers.mongoengine.codecs.diff import diff
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.compare_and_set import Edited
from bzz.providers.mongoengine.located import Located
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import StoredRecord
from bzz.providers.outcome import Changed, Written

__all__ = ["changed", "changed_at", "created", "deleted", "inside"]


def created(codec: DocumentCodec, stored: Raw) -> Written:
    """A document that was inserted."""
    return Written(record=StoredRecord(codec, stored), tell=lambda: _change(codec, "created", None, stored))


def deleted(codec: DocumentCodec, gone: Raw) -> Written:
    """A document that was deleted."""
    return Written(record=StoredRecord(codec, gone), tell=lambda: _change(codec, "deleted", gone, None))


def changed(codec: DocumentCodec, before: Raw, after: Raw) -> Changed:
    """A document that was updated."""
    record = StoredRecord(codec, after)
    return Changed(
        record=record,
        tell=lambda: _change(codec, "updated", before, after, record),
        compare=lambda: diff(codec, before, after, instance=lambda: record.instance),
    )


def changed_at(located: Located, edited: Edited, left_at: Located) -> Changed:
    """A document, or one embedded in it, that was updated.

    :param left_at: where it is after the write.
    """
    codec = located.documents.codec
    if not located.inner:
        return changed(codec, edited.before, edited.after)
    before, after = located.ending(edited.before), left_at.ending(edited.after)
    record, holder = StoredRecord(after.codec, after.raw), StoredRecord(codec, edited.after)
    return Changed(
        record=record,
        tell=lambda: _change(codec, "updated", edited.before, edited.after, holder),
        holder=holder,
        compare=lambda: diff(after.codec, before.raw, after.raw, instance=lambda: record.instance),
    )


def inside(located: Located, edited: Edited, record: StoredRecord, kind: ChangeKind = "updated") -> Written:
    """A document that was edited inside: ``record`` is what was attached, removed, linked or unlinked."""
    codec = located.documents.codec
    return Written(
        record=record,
        tell=lambda: _change(codec, kind, edited.before, edited.after),
        holder=StoredRecord(codec, edited.after),
    )


def _change(
    codec: DocumentCodec, kind: ChangeKind, before: Raw | None, after: Raw | None, record: StoredRecord | None = None
) -> Change:
    """The change of a root document from ``before`` (None: it was not there) to ``after`` (None: it is gone).

    :param record: of ``after``.
    """
    instance = None if record is None else lambda: record.instance
    assert codec.pk is not None
    key = (after or before or {}).get("_id")
    return Change(
        codec.model, codec.pk.diff_form(key), kind, lambda: diff(codec, before, after, by_item=True, instance=instance)
    )
