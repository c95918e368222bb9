"""Writes at the end of a path inside a document: what is attached, linked, unlinked and removed there.

Each is one edit of the document that holds the end (:mod:`bzz.providers.mongoengine.edits`), made by compare and set.
Values have been judged before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from bzz.providers.base import Path, Step, Written
from bzz.providers.compare_and_set import Conditions
from bzz.providers.mongoengine import edits
from bzz.providers.mongoengine.codecs.references import reference_key
from bzz.providers.mongoengine.conditional_writes import edit
from bzz.providers.mongoengine.located import Located, linked_keys
from bzz.providers.mongoengine.path_reader import PathReader
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import DocumentRecord
from bzz.providers.records import Edited, changed_inside, linked

__all__ = ["attach", "link", "remove", "unlink"]


async def attach(reader: PathReader, path: Path, item: Raw, context: Any) -> Written:
    """Add an embedded document to the list, or put it into the single property, at the end of a path."""
    located = await reader.locate(path.steps[:-1], context)
    item = (await located.documents.collection()).as_stored(item)
    alter = edits.push(item) if path.last.is_list else edits.attach(item)
    edited = await edit(located, edits.at(located, path.last, alter))
    subdocument = located.ending(edited.after.raw)
    field = subdocument.field(path.last)
    value = subdocument.raw[field.stored]
    if not isinstance(value, list):
        return changed_inside(edited, DocumentRecord(field.target(value), value))
    assert field.item is not None
    position = len(value) - 1 - (value[::-1].index(item) if item in value else 0)  # of twins, the last is new
    record = DocumentRecord(field.item.target(value[position]), value[position], position)
    return changed_inside(edited, record)


async def remove(reader: PathReader, path: Path, conditions: Conditions, context: Any) -> Written:
    """Remove the embedded document at the end of a path."""
    located = await reader.locate(path.steps, context)
    edited = await edit(located, edits.remove(located, conditions))
    return changed_inside(edited, located.ending(edited.before.raw).record)


async def link(reader: PathReader, path: Path, keys: Sequence[Any], context: Any) -> list[Written]:
    """Link existing documents, all or none, to the list or single property at the end of a path."""
    step = path.last
    assert step.shape.pk is not None
    documents = reader.of(step.shape)
    # Read before the write: nothing may fail between a write and the news of it.
    targets = await asyncio.gather(*(documents.find(step.shape.pk, key, context) for key in keys))
    located = await reader.locate(path.steps[:-1], context)
    field = located.subdocument.field(step)
    stored = [(field.item or field).to_bson(key) for key in keys]
    alter = (
        edits.add_links(stored)
        if step.is_list
        else edits.attach(stored[0], await reader.dangling(located, step, context))
    )
    edited = await edit(located, edits.at(located, step, alter))
    new = _new_links(located, edited, step, keys, stored)
    records = [DocumentRecord(documents.codec, raw) for key, (raw, _) in zip(keys, targets, strict=True) if key in new]
    return linked(edited, records)


async def unlink(reader: PathReader, path: Path, conditions: Conditions, context: Any) -> Written:
    """Take away the reference at the end of a path."""
    step = path.last
    located = await reader.locate(path.steps[:-1], context)
    target = await reader.linked(located, step, context)
    located.require(conditions, target.record)
    single = step.field is not None and not step.field.is_list
    alter = edits.unset() if single else edits.pull_link(target.raw["_id"])
    edited = await edit(located, edits.at(located, step, alter))
    return changed_inside(edited, target.record, "unlinked")


def _new_links(
    located: Located, edited: Edited[DocumentRecord], step: Step, keys: Sequence[Any], stored: Sequence[Any]
) -> Sequence[Any]:
    subdocument = located.ending(edited.before.raw)
    field = subdocument.field(step)
    known = linked_keys(subdocument.raw.get(field.stored))
    return [key for key, reference in zip(keys, stored, strict=True) if reference_key(reference) not in known]
