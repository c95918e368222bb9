"""Progress and positions of durable listeners, as they are stored."""

from __future__ import annotations

from bzz.change import Position
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.progress import Cursor, Progress

__all__ = ["read_position", "read_progress", "stored_position", "stored_progress"]


def stored_position(position: Position) -> Raw:
    """Return a position as a document; MongoDB sorts such documents as Python sorts positions."""
    return dict(position._asdict())


def read_position(stored: Raw) -> Position:
    """Return what :func:`stored_position` made a document of."""
    return Position(stored["seconds"], stored["increment"], stored["number"])


def stored_progress(progress: Progress) -> Raw:
    """Return progress as a document. Names of collections may hold dots, so they are no keys in it."""
    stored: Raw = {
        "position": stored_position(progress.position),
        "counts": [[name, count] for name, count in progress.counts.items()],
    }
    if progress.cursor is not None:
        stored["cursor"] = {"collection": progress.cursor.collection, "key": progress.cursor.key}
    return stored


def read_progress(stored: Raw) -> Progress:
    """Return what :func:`stored_progress` made a document of."""
    cursor = stored.get("cursor")
    return Progress(
        read_position(stored["position"]),
        dict(stored["counts"]),
        None if cursor is None else Cursor(cursor["collection"], cursor["key"]),
    )
