"""What stands at the end of a path inside of one document that is at hand, filtered and sorted as lists are."""

from __future__ import annotations

from typing import Any

from pymongo.errors import DocumentTooLarge

from bzz.errors import PayloadTooLarge
from bzz.providers.base import ListQuery, Path, Record
from bzz.providers.mongoengine.array_rows import POSITION, PREFIX, record, stages_to
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.commands import Commands
from bzz.providers.mongoengine.documents import Documents
from bzz.providers.mongoengine.failures import reading
from bzz.providers.mongoengine.listing import filter_query, order
from bzz.providers.mongoengine.location import Location, Spot
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import StoredRecord

__all__ = ["rows"]


async def rows(commands: Commands, documents: Documents, path: Path, query: ListQuery, document: Raw) -> list[Record]:
    """Return the embedded documents at the end of a path.

    Filters and order are asked of MongoDB, as for a list that is stored, so that both agree on every value.

    :raises bzz.errors.NotFound: if something on the way is not there.
    """
    location = Location(documents, {}, document, path.steps[1:-1] if path.last.is_list else path.steps[1:])
    spot = location.spot
    if not path.last.is_list:
        return [StoredRecord(spot.codec, spot.raw)]
    assert path.last.field is not None
    field = spot.codec.fields[path.last.field.name]
    items = spot.raw.get(field.stored)
    found = [(rank, item) for rank, item in enumerate(items if isinstance(items, list) else ()) if _is_document(item)]
    assert field.item is not None
    if not query.filters and not query.sort:
        return [StoredRecord(field.item.target(item), item, rank) for rank, item in found]
    return await _selected(commands, spot, field, query, document) if found else []


def _is_document(item: Any) -> bool:
    return isinstance(item, dict)


async def _selected(commands: Commands, spot: Spot, field: FieldCodec, query: ListQuery, document: Raw) -> list[Record]:
    assert field.item is not None
    codec: DocumentCodec = field.item.target()
    conditions = filter_query(codec, query.filters, PREFIX)
    keys = order(codec, query.sort, (), POSITION, PREFIX)
    pipeline: list[Raw] = [
        {"$documents": [{"$literal": document}]},
        *stages_to(spot.below(field.stored)),
        *({"$match": each} for each in conditions),
        {"$sort": dict(keys)},
    ]
    try:
        with reading():
            return [record(codec, row) for row in await commands.all_of(pipeline)]
    except DocumentTooLarge:
        raise PayloadTooLarge("A document is too large to be judged.") from None
