"""What the fields of a model say against values, each by itself, before anybody knows whether all of them are there.

A document that is to be stored is checked as a whole (:meth:`Mapping.insert_form`, :func:`changes.merged`). Here a
client's values are checked as they came: what is missing, and what rests on it, is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Map
from typing import Any

from bzz.providers.base import Unchanged
from bzz.providers.mongoengine.column import Column
from bzz.providers.mongoengine.items import twins
from bzz.providers.mongoengine.mapping import Mapping
from bzz.providers.mongoengine.protected import TWIN, sent_key
from bzz.shape.containers import MapKind
from bzz.shape.documents import AnyEmbeddedKind, EmbeddedKind
from bzz.shape.free import AnyKind

__all__ = ["refusals"]

Refusal = tuple[str, str]


def refusals(mapping: Mapping, values: Map[str, Any]) -> dict[str, list[str]]:
    """The messages of every typed value that its field refuses, by dotted name."""
    errors: dict[str, list[str]] = {}
    for where, message in _of_document(mapping, values):
        errors.setdefault(where, []).append(message)
    return errors


def _of_document(mapping: Mapping, values: Map[str, Any]) -> Iterator[Refusal]:
    for name, value in values.items():
        column = mapping.columns.get(name)
        if column is not None:
            yield from _below(column.name, _of_value(column, value))


def _of_value(column: Column, value: Any) -> Iterator[Refusal]:
    """What is said against a value; names begin inside it, and are empty where it is meant itself."""
    kind = column.field.kind
    if value is None or isinstance(value, Unchanged) or value in ([], {}):  # emptiness is judged as something missing
        return
    if isinstance(kind, EmbeddedKind):
        yield from _of_document(column.mapping(), value)
    elif isinstance(kind, AnyEmbeddedKind):
        yield from _of_document(column.schema.named(value["@type"]), value)
    elif column.item is not None and (isinstance(value, dict) or _holds_parts(column, value)):
        yield from _of_items(column.item, value)
        yield from _of_list(column, column.item, value)
    elif not isinstance(value, dict) or not isinstance(kind, _PATCHED):
        yield from _of_whole(column, value)


def _holds_parts(column: Column, items: list[Any]) -> bool:
    """Whether there are items that cannot be checked as a whole: documents, and those that could not be read (None)."""
    return None in items or any(isinstance(each, (dict, list)) for each in items)


def _of_items(item: Column, value: Any) -> Iterator[Refusal]:
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _below(str(key), _of_value(item, each))


def _of_list(column: Column, item: Column, value: Any) -> Iterator[Refusal]:
    longest = getattr(column.source, "max_length", None)
    if isinstance(value, list) and longest is not None and len(value) > longest:
        yield "", "List is too long"  # as MongoEngine says it
    if isinstance(value, list) and item.holds_documents:
        for position in twins([sent_key(item, each) for each in value]):
            yield str(position), TWIN


def _of_whole(column: Column, value: Any) -> Iterator[Refusal]:
    errors: dict[str, list[str]] = {}
    column.check(value, errors)
    for where, messages in errors.items():
        for message in messages:
            yield where.removeprefix(column.name).removeprefix("."), message


def _below(name: str, refused: Iterator[Refusal]) -> Iterator[Refusal]:
    for where, message in refused:
        yield f"{name}.{where}" if where else name, message


_PATCHED = (MapKind, AnyKind)
"""Kinds whose objects may be a merge patch, which is checked when it is merged."""
