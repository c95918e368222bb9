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
from bzz.providers.changes import Wanted
from bzz.providers.commit import Commit, CommitKind, Tick

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

    def commits(self, event: RawBSONDocument) -> Iterator[StoredCommit | Tick]:
        """Return what an event says: one commit, two where it renames one collection to another that is followed.

        Of one that is not wanted it is the position.
        """
        kind = _KINDS.get(event["operationType"])
        if kind is None:
            return
        names = [event["ns"]["coll"], *([event["to"]["coll"]] if kind == "renamed" else ())]
        for name in names:
            if name in self._collections:
                position, key = self._position(event["clusterTime"], name), self._key(event)
                if key is None or self._wanted is None or self._wanted(name, key):
                    yield self._commit(event, kind, name, key, position)
                else:
                    yield Tick(position)

    def _commit(
        self, event: RawBSONDocument, kind: CommitKind, collection: str, key: Any, position: Position
    ) -> StoredCommit:
        images: tuple[Image, Image] = (event.get("fullDocumentBeforeChange"), event.get("fullDocument"))
        before, after = (self._decoded(image, collection) for image in images)
        needed = {"created": (after,), "updated": (before, after), "deleted": (before,)}.get(kind, ())
        return StoredCommit(
            collection=collection,
            key=key,
            kind=kind,
            before=before,
            after=after,
            is_whole=None not in needed,
            position=position,
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


def existing_document(
    raw: RawBSONDocument, collection: str, position: Position, options: CodecOptions[Any]
) -> StoredCommit:
    """Return a document that is there as a commit, as if it had been created at ``position``.

    :param options: by which the application reads its documents.
    """
    try:
        document = bson.decode(raw.raw, codec_options=options)
    except (BSONError, OverflowError, ValueError) as error:
        logger.warning("A document of %s cannot be read: %s", collection, error)
        document = None
    key = bson.decode(raw.raw, options.with_options(datetime_conversion=DatetimeConversion.DATETIME_AUTO))["_id"]
    at = datetime.fromtimestamp(position.seconds, UTC)
    return StoredCommit(
        collection, key, "created", None, document, document is not None, position._replace(number=0), at,
        len(raw.raw), (None, raw),
    )  # fmt: skip


def _each_key_once(document: RawBSONDocument) -> RawBSONDocument:
    found = bson.encode(bson.decode(document.raw, codec_options=_EXACT), codec_options=_EXACT)
    return document if len(found) == len(document.raw) else RawBSONDocument(found)


def _time(event: RawBSONDocument) -> datetime:
    wall: datetime = event["wallTime"]
    return wall if wall.tzinfo is not None else wall.replace(tzinfo=UTC)
