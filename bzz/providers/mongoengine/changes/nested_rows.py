"""What stands at the end of a path inside of one document that is at hand, filtered and sorted as lists are."""

from __future__ import annotations

from typing import Any

from pymongo.errors import DocumentTooLarge

from bzz.errors import PayloadTooLarge
from bzz.providers.base import ListQuery, Path, Record
from bzz.providers.mongoengine.changes.commands import Commands
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.failures import reading
from bzz.providers.mongoengine.listing import item_record, item_rows
from bzz.providers.mongoengine.located import Located, Subdocument
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import DocumentRecord

__all__ = ["rows"]


async def rows(
    commands: Commands, documents: DocumentStore, path: Path, query: ListQuery, document: Raw
) -> list[Record]:
    """Return the embedded documents at the end of a path.

    Filters and order are asked of MongoDB, as for a list that is stored, so that both agree on every value.

    :raises bzz.errors.NotFound: if something on the way is not there.
    """
    located = Located(documents, {}, document, path.steps[1:-1] if path.last.is_list else path.steps[1:])
    subdocument = located.subdocument
    if not path.last.is_list:
        return [DocumentRecord(subdocument.codec, subdocument.raw)]
    assert path.last.field is not None
    field = subdocument.codec.fields[path.last.field.name]
    items = subdocument.raw.get(field.stored)
    found = [(rank, item) for rank, item in enumerate(items if isinstance(items, list) else ()) if _is_document(item)]
    assert field.item is not None
    if not query.filters and not query.sort:
        return [DocumentRecord(field.item.target(item), item, rank) for rank, item in found]
    return await _selected(commands, subdocument, field, query, document) if found else []


def _is_document(item: Any) -> bool:
    return isinstance(item, dict)


async def _selected(
    commands: Commands, subdocument: Subdocument, field: FieldCodec, query: ListQuery, document: Raw
) -> list[Record]:
    assert field.item is not None
    codec = field.item.target()
    stages = item_rows(codec, subdocument.below(field.stored), query)
    try:
        with reading():
            rows = await commands.all_of([{"$documents": [{"$literal": document}]}, *stages])
    except DocumentTooLarge:
        raise PayloadTooLarge("A document is too large to be judged.") from None
    return [item_record(codec, row) for row in rows]
