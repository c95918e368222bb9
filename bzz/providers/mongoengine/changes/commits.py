"""The events of a change stream as commits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import bson
from bson import Timestamp
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

from bzz.change import Position
from bzz.providers.changes import Wanted
from bzz.providers.commit import Commit, CommitKind, Tick
from bzz.providers.mongoengine.changes.stream_event import UNREADABLE, StreamEvent

__all__ = ["CommitReader", "StoredCommit", "existing_document"]

logger = logging.getLogger("bzz.database")

_KINDS: dict[str, CommitKind] = {
    "insert": "created",
    "update": "updated",
    "replace": "updated",
    "delete": "deleted",
    "drop": "dropped",
    "rename": "renamed",
}

_SIDES = ("fullDocumentBeforeChange", "fullDocument")

Image = RawBSONDocument | None

_EXACT: CodecOptions[Any] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)


@dataclass(frozen=True, eq=False)
class StoredCommit(Commit):
    """A commit with both sides as the server sent them.

    :param encoded: returns them, before and after; called when they are wanted.
    """

    encoded: Callable[[], tuple[Image, Image]] = lambda: (None, None)

    @cached_property
    def images(self) -> tuple[Image, Image]:
        """Before and after, in BSON."""
        return self.encoded()

    @cached_property
    def sides(self) -> tuple[Image, Image]:
        """Before and after, as they are stored.

        MongoDB works out what an update leaves, and where a pipeline moves a field, it tells that field twice (seen
        with 6.0.5): first as it was, and then as it is.
        """
        before, after = self.images
        return before, None if after is None else _each_key_once(after)


class CommitReader:
    """Makes commits of events, and counts those of one collection that share a cluster time.

    :param collections: that are followed.
    :param codec_options: by which the application reads its documents.
    :param wanted: as for :meth:`bzz.providers.changes.Changes.stream`.
    """

    def __init__(
        self,
        collections: Collection[str],
        codec_options: CodecOptions[Any],
        wanted: Wanted = None,
    ) -> None:
        self._wanted = wanted
        self._collections = frozenset(collections)
        self._options = codec_options
        self._lenient = codec_options.with_options(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
        self._time: Timestamp | None = None
        self._counts: Counter[str] = Counter()

    def commits(self, event: StreamEvent) -> Iterator[StoredCommit | Tick]:
        """Return what an event says: one commit, two where it renames one collection to another that is followed.

        Of one that is not wanted it is the position.
        """
        fields = event.fields
        kind = _KINDS.get(fields["operationType"])
        if kind is None:
            return
        names = [fields["ns"]["coll"], *([fields["to"]["coll"]] if kind == "renamed" else ())]
        for name in names:
            if name in self._collections:
                position, key = self._position(fields["clusterTime"], name), self._key(fields.get("documentKey"))
                if key is None or self._wanted is None or self._wanted(name, key):
                    yield self._commit(event, kind, name, key, position)
                else:
                    yield Tick(position)

    def _commit(
        self, event: StreamEvent, kind: CommitKind, collection: str, key: Any, position: Position
    ) -> StoredCommit:
        fields = event.fields
        before, after = (self._document(fields.get(side), collection) for side in _SIDES)
        needed = {"created": (after,), "updated": (before, after), "deleted": (before,)}.get(kind, ())
        return StoredCommit(
            collection=collection,
            key=key,
            kind=kind,
            before=before,
            after=after,
            is_whole=None not in needed,
            position=position,
            at=_aware(fields["wallTime"]),
            size=len(event.raw),
            encoded=lambda: (event.encoded(_SIDES[0]), event.encoded(_SIDES[1])),
        )

    def _position(self, time: Timestamp, collection: str) -> Position:
        if time != self._time:
            self._time = time
            self._counts.clear()
        self._counts[collection] += 1
        return Position(time.time, time.inc, self._counts[collection])

    def _key(self, found: Any) -> Any:
        if isinstance(found, StreamEvent):
            found = bson.decode(found.raw, codec_options=self._lenient)
        return None if found is None else found["_id"]

    def _document(self, found: Any, collection: str) -> Any:
        try:
            return bson.decode(found.raw, codec_options=self._options) if isinstance(found, StreamEvent) else found
        except UNREADABLE as error:
            logger.warning("A document of %s cannot be read: %s", collection, error)
            return None


def existing_document(
    raw: RawBSONDocument, collection: str, position: Position, options: CodecOptions[Any]
) -> StoredCommit:
    """Return a document that is there as a commit, as if it had been created at ``position``.

    :param options: by which the application reads its documents.
    """
    try:
        document = bson.decode(raw.raw, codec_options=options)
    except UNREADABLE as error:
        logger.warning("A document of %s cannot be read: %s", collection, error)
        document = None
    key = bson.decode(raw.raw, options.with_options(datetime_conversion=DatetimeConversion.DATETIME_AUTO))["_id"]
    at = datetime.fromtimestamp(position.seconds, UTC)
    return StoredCommit(
        collection, key, "created", None, document, document is not None, position._replace(number=0), at,
        len(raw.raw), lambda: (None, raw),
    )  # fmt: skip


def _each_key_once(document: RawBSONDocument) -> RawBSONDocument:
    found = bson.encode(bson.decode(document.raw, codec_options=_EXACT), codec_options=_EXACT)
    return document if len(found) == len(document.raw) else RawBSONDocument(found)


def _aware(wall: datetime) -> datetime:
    return wall if wall.tzinfo is not None else wall.replace(tzinfo=UTC)
