"""One event of a change stream, as the driver makes it: taken apart once, in the way that costs least."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import bson
from bson.codec_options import CodecOptions, TypeRegistry
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

__all__ = ["UNREADABLE", "StreamEvent", "event_class"]

SMALL_BYTES = 4096
"""In an event that is larger, documents stay encoded until somebody wants them: the change may be another process's."""

UNREADABLE = (BSONError, OverflowError, ValueError)
"""What decoding raises, for example for a date that Python has not."""

_NO_TYPES = TypeRegistry()


class StreamEvent(RawBSONDocument):
    """One event. Its documents are encoded, or decoded already if that costs less.

    The driver asks each event for its resume token, which takes an ordinary
    :class:`~bson.raw_bson.RawBSONDocument` apart: 17 µs, and its documents have still to be decoded. A small event is
    decoded as a whole then: 8 µs. (The replies around the events are of this class as well; they have no ``_id``.)

    :cvar codec_options: by which the application reads its documents; None if these have types of their own, which may
        stand for those of the event itself.
    """

    codec_options: ClassVar[CodecOptions[Any] | None]
    _decoded: Any = None  # while documents are encoded

    def __getitem__(self, name: str) -> Any:
        if self._decoded is None and name == "_id" and len(self.raw) <= SMALL_BYTES:
            self._decoded = self._decode()
        return super().__getitem__(name) if self._decoded is None else self._decoded[name]

    @property
    def fields(self) -> Mapping[str, Any]:
        """What is in the event, with documents as they are by now."""
        return self if self._decoded is None else self._decoded

    def encoded(self, name: str) -> RawBSONDocument | None:
        """Return a document of the event as the server sent it; None if there is none."""
        try:
            found: RawBSONDocument | None = super().__getitem__(name)
        except KeyError:
            return None
        return found

    def _decode(self) -> Any:
        if self.codec_options is None:
            return None
        try:
            return bson.decode(self.raw, codec_options=self.codec_options)
        except UNREADABLE:
            return None


def event_class(codec_options: CodecOptions[Any]) -> type[StreamEvent]:
    """Return the class of the events of a stream, for the ``document_class`` of its codec options.

    :param codec_options: by which the application reads its documents.
    """
    has_own_types = codec_options.type_registry != _NO_TYPES
    members = {"codec_options": None if has_own_types else codec_options}
    return type("StreamEvent", (StreamEvent,), members)
