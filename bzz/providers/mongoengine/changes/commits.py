"""The events of a change stream as commits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import bson
from bson import Timestamp
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from bzz.change import Position
from bzz.providers.changes import Commit, CommitKind

__all__ = ["CommitReader", "StoredCommit"]

logger = logging.getLogger("bzz.database")

_KINDS: dict[str, CommitKind] = {
    "insert": "created",
    "update": "updated",
    "replace": "updated",
    "delete": "deleted",
    "drop": "dropped",
    "rename": "renamed",
}

Image = RawBSONDocument | None

_EXACT: CodecOptions[Any] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)


@dataclass(frozen=True, eq=False)
class StoredCommit(Commit):
    """A commit with both sides as the server sent them.

    :param images: before and after, in BSON.
    """

    images: tuple[Image, Image] = (None, None)

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
    """

    def __init__(self, collections: Collection[str], codec_options: CodecOptions[Any]) -> None:
        self._collections = frozenset(collections)
        self._options = codec_options
        self._lenient = codec_options.with_options(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
        self._time: Timestamp | None = None
        self._counts: Counter[str] = Counter()

    def commits(self, event: RawBSONDocument) -> Iterator[StoredCommit]:
        """Return what an event says: one commit, two where it renames one collection to another that is followed."""
        kind = _KINDS.get(event["operationType"])
        if kind is None:
            return
        names = [event["ns"]["coll"], *([event["to"]["coll"]] if kind == "renamed" else ())]
        for name in names:
            if name in self._collections:
                yield self._commit(event, kind, name)

    def _commit(self, event: RawBSONDocument, kind: CommitKind, collection: str) -> StoredCommit:
        images: tuple[Image, Image] = (event.get("fullDocumentBeforeChange"), event.get("fullDocument"))
        before, after = (self._decoded(image, collection) for image in images)
        needed = {"created": (after,), "updated": (before, after), "deleted": (before,)}.get(kind, ())
        return StoredCommit(
            collection=collection,
            key=self._key(event),
            kind=kind,
            before=before,
            after=after,
            is_whole=None not in needed,
            position=self._position(event["clusterTime"], collection),
            at=_time(event),
            size=sum(len(image.raw) for image in images if image is not None),
            images=images,
        )

    def _position(self, time: Timestamp, collection: str) -> Position:
        if time != self._time:
            self._time = time
            self._counts.clear()
        self._counts[collection] += 1
        return Position(time.time, time.inc, self._counts[collection])

    def _key(self, event: RawBSONDocument) -> Any:
        key = event.get("documentKey")
        return None if key is None else bson.decode(key.raw, codec_options=self._lenient)["_id"]

    def _decoded(self, image: Image, collection: str) -> Any:
        try:
            return None if image is None else bson.decode(image.raw, codec_options=self._options)
        except (BSONError, OverflowError, ValueError) as error:  # such as a date that Python has not
            logger.warning("A document of %s cannot be read: %s", collection, error)
            return None


def _each_key_once(document: RawBSONDocument) -> RawBSONDocument:
    found = bson.encode(bson.decode(document.raw, codec_options=_EXACT), codec_options=_EXACT)
    return document if len(found) == len(document.raw) else RawBSONDocument(found)


def _time(event: RawBSONDocument) -> datetime:
    wall: datetime = event["wallTime"]
    return wall if wall.tzinfo is not None else wall.replace(tzinfo=UTC)
