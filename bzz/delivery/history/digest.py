"""A digest of what a change did, by which its entry and the note of who wrote it find each other."""

from __future__ import annotations

import json
from hashlib import blake2b

from bzz.change import Change, storable
from bzz.codec import dumps, plain
from bzz.providers.history import EntryKind

__all__ = ["digest_of", "document_name", "kind_of"]


def digest_of(collection: str, change: Change) -> str:
    """Return the same for the change that a writer tells, and the one that the database tells.

    :param collection: where the document is stored.
    :param change: its diff is known.
    """
    told = [collection, document_name(change.id), kind_of(change), storable(change.diff or {})]
    return blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()


def document_name(key: object) -> str:
    """Return the text that names a document in its collection, by its primary key: its JSON, so that 1 is not "1"."""
    return dumps(plain(key)).decode()


def kind_of(change: Change) -> EntryKind:
    """Return what was done to the document: one to which another is linked is updated."""
    return "updated" if change.kind == "linked" or change.kind == "unlinked" else change.kind
