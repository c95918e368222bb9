"""The documents that every server serves: a thousand users, the same in every run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.database import Database

__all__ = [
    "CITIES",
    "COLLECTION",
    "COUNT",
    "PER_PAGE",
    "body",
    "clean",
    "fill",
    "grow",
    "seed_id",
    "spare_id",
    "stored",
]

COLLECTION = "users"
COUNT = 1000
PER_PAGE = 20
CITIES = ("Recife", "Olinda", "Rio de Janeiro", "Salvador", "Natal")

_SPARE = 0x10_00_00_00  # the first four bytes of ids that a run adds and takes away again
_BATCH = 10_000


def seed_id(number: int) -> ObjectId:
    """The id of the seed document ``number``: lower than any id that a server makes."""
    return ObjectId(number.to_bytes(12, "big"))


def spare_id(number: int) -> ObjectId:
    """The id of a document that is there to be deleted."""
    return ObjectId(_SPARE.to_bytes(4, "big") + number.to_bytes(8, "big"))


def body(number: int) -> dict[str, Any]:
    """A user as JSON holds it; ``joined`` is the one field that MongoDB holds otherwise."""
    return {
        "name": f"Maria José {number}",
        "email": f"maria{number}@example.org",
        "age": 18 + number % 60,
        "city": CITIES[number % len(CITIES)],
        "active": number % 3 > 0,
        "score": number / 7,
        "joined": _joined(number).isoformat() + "Z",
        "tags": ["reader", "writer", f"group-{number % 10}"],
        "address": {"street": f"Rua da Aurora {number}", "zip": f"50050-{number % 1000:03}", "country": "Brazil"},
    }


def _joined(number: int) -> datetime:
    return datetime(2020, 1, 1) + timedelta(hours=number)


def fill(database: Database[Any], count: int = COUNT) -> None:
    """Put the first ``count`` seed documents, and the index that the filtered list uses, into an empty database."""
    for batch in _batches(count):
        database[COLLECTION].insert_many([stored(seed_id(number), number) for number in batch])
    database[COLLECTION].create_index("city")


def grow(database: Database[Any], count: int) -> None:
    """Add ``count`` documents to be deleted."""
    for batch in _batches(count):
        database[COLLECTION].insert_many([stored(spare_id(number), number) for number in batch], ordered=False)


def clean(database: Database[Any]) -> None:
    """Take away everything that is not a seed document."""
    database[COLLECTION].delete_many({"_id": {"$gte": ObjectId(_SPARE.to_bytes(4, "big") + bytes(8))}})


def stored(key: ObjectId, number: int) -> dict[str, Any]:
    """A user as MongoDB holds it."""
    return {"_id": key, **body(number), "joined": _joined(number)}


def _batches(count: int) -> Iterator[range]:
    return (range(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH))
