"""Letters as they are stored: readable in the shell, both sides of the change as they were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from bzz.providers.deliveries import Letter
from bzz.providers.mongoengine.changes.commits import StoredCommit
from bzz.providers.mongoengine.changes.progress_codec import read_position, stored_position
from bzz.providers.mongoengine.raw import Raw

__all__ = ["MOST_BYTES", "LetterCodec"]

MOST_BYTES = 15 * 1024 * 1024
"""How large both sides of a change may be together, to be stored in a letter; MongoDB stores 16 MiB in a document."""


class LetterCodec:
    """Makes documents of letters, and letters of documents.

    :param codec_options: by which the application reads its own documents.
    :ivar options: by which letters are written and read.
    """

    def __init__(self, codec_options: CodecOptions[Any]) -> None:
        self._application = codec_options
        self._lenient = codec_options.with_options(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
        self.options: CodecOptions[Any] = CodecOptions(
            document_class=RawBSONDocument,
            tz_aware=True,
            tzinfo=UTC,
            uuid_representation=codec_options.uuid_representation,
            datetime_conversion=DatetimeConversion.DATETIME_AUTO,
        )

    def stored(self, letter: Letter) -> Raw:
        """Return a letter as a document."""
        commit = letter.commit
        assert isinstance(commit, StoredCommit)
        fits = commit.size <= MOST_BYTES
        before, after = commit.images if fits else (None, None)
        return {
            "_id": letter.id,
            "listener": letter.listener,
            "partition": letter.partition,
            "key": letter.key,
            "state": letter.state,
            "attempts": letter.attempts,
            "due": letter.due,
            "error": letter.error,
            "trace": letter.trace,
            "collection": commit.collection,
            "document": commit.key,
            "change": commit.kind,
            "position": stored_position(commit.position),
            "at": commit.at,
            "is_whole": commit.is_whole and fits,
            "before": before,
            "after": after,
        }

    def letter(self, raw: RawBSONDocument) -> Letter:
        """Return what :meth:`stored` made a document of."""
        row: Mapping[str, Any] = raw
        images = (row["before"], row["after"])
        before, after = map(self._image, images)
        commit = StoredCommit(
            collection=row["collection"],
            key=bson.decode(bson.encode({"": row["document"]}, codec_options=self.options), self._lenient)[""],
            kind=row["change"],
            before=before,
            after=after,
            is_whole=row["is_whole"],
            position=read_position(row["position"]),
            at=row["at"],
            size=sum(len(each.raw) for each in images if each is not None),
            encoded=lambda: images,
        )
        return Letter(
            row["_id"], row["listener"], row["partition"], row["key"], commit,
            row["state"], row["attempts"], row["due"], row["error"], row["trace"],
        )  # fmt: skip

    def _image(self, image: RawBSONDocument | None) -> Any:
        """Return one side of a change; None where it cannot be read, as when it came from the stream."""
        try:
            return None if image is None else bson.decode(image.raw, codec_options=self._application)
        except (BSONError, OverflowError, ValueError):
            return None
