"""Several documents that are inserted at once: each is made and checked alone, and they share the round trips."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from pymongo.errors import OperationFailure

from bzz.batching import Batcher
from bzz.errors import RequestError
from bzz.providers.base import RowsRefused, Written
from bzz.providers.mongoengine.codecs import forms
from bzz.providers.mongoengine.codecs.classes import named_class
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.refusals import check_references_of
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import DocumentRecord
from bzz.providers.mongoengine.rejections import rejected
from bzz.providers.records import created
from bzz.providers.value_checks import FindMissing
from bzz.shape import Shape
from bzz.shape.documents import TAG

__all__ = ["Lookups", "Row", "insert", "rows"]


class Row(NamedTuple):
    """A document to insert.

    :param codec: of its very class.
    :param check: raises a :class:`bzz.errors.RequestError` if it refers to what is not there; None if it cannot refer.
    """

    codec: DocumentCodec
    values: Mapping[str, Any]
    check: Callable[[], Awaitable[None]] | None


def rows(
    codec: DocumentCodec, values: Sequence[Mapping[str, Any]], find_missing: FindMissing
) -> list[Row | RequestError]:
    """Return what is to be inserted, each of the class that it names.

    :param find_missing: is asked for what all of them refer to together.
    """
    lookups = Lookups(find_missing)
    return [_row(codec, each, lookups.missing) for each in values]


def _row(codec: DocumentCodec, values: Mapping[str, Any], find_missing: FindMissing) -> Row | RequestError:
    try:
        own = named_class(codec, values) if TAG in values else codec
    except RequestError as error:
        return error
    check = partial(check_references_of, own, values, find_missing) if own.refers else None
    return Row(own, values, check)


class Lookups:
    """Asks together for the documents that all rows refer to.

    :param find_missing: given a shape and primary keys, gives those that name no document.
    """

    def __init__(self, find_missing: FindMissing) -> None:
        self._find_missing = find_missing
        self._batchers: dict[Shape, Batcher[Any, bool]] = {}

    async def missing(self, shape: Shape, keys: Sequence[Any]) -> list[Any]:
        """Return those of primary keys that name no document."""
        batcher = self._batchers.setdefault(shape, Batcher(partial(self._ask, shape)))
        answers = await asyncio.gather(*(batcher.ask(key) for key in keys))
        return [key for key, is_missing in zip(keys, answers, strict=True) if is_missing]

    async def _ask(self, shape: Shape, keys: Sequence[Any]) -> list[bool | Exception]:
        missing = set(await self._find_missing(shape, list(dict.fromkeys(keys))))
        return [key in missing for key in keys]


async def insert(
    documents: DocumentStore, rows: Sequence[Row | RequestError], context: Any, *, all_or_none: bool
) -> list[Written | Exception]:
    """Insert documents of one collection; returns and raises as :meth:`bzz.providers.base.Provider.create_many`.

    :param rows: an error stands for one that is refused already.
    """
    collection = await documents.collection()
    outcomes: list[Any] = list(rows)
    await _ask(outcomes, {at: row.check() for at, row in enumerate(rows) if isinstance(row, Row) and row.check})
    outcomes = [_made(each) for each in outcomes]
    if documents.scoping.is_declared:
        made = {at: each for at, each in enumerate(outcomes) if not isinstance(each, RequestError)}
        await _ask(outcomes, {at: documents.scoping.require(collection, raw, context) for at, raw in made.items()})
    for position, made in enumerate(outcomes):
        if not isinstance(made, RequestError):
            try:
                outcomes[position] = collection.encode(made)
            except RequestError as error:
                outcomes[position] = error
    if all_or_none:
        await _insert_together(documents, outcomes)
    else:
        await _insert_each(documents, outcomes)
    return [
        each if isinstance(each, RequestError) else created(DocumentRecord(documents.codec, collection.decode(each)))
        for each in outcomes
    ]


async def _ask(outcomes: list[Any], asked: Mapping[int, Awaitable[None]]) -> None:
    """Await what may refuse a row, all at once; put errors in the place of those that are refused."""
    answers = await asyncio.gather(*asked.values(), return_exceptions=True)
    for position, answer in zip(asked, answers, strict=True):
        if isinstance(answer, RequestError):
            outcomes[position] = answer
        elif answer is not None:
            raise answer


def _made(row: Row | RequestError) -> Raw | RequestError:
    """Return what is to be stored, or why it is not."""
    try:
        return row if isinstance(row, RequestError) else forms.new(row.codec, row.values)
    except RequestError as error:
        return error


async def _insert_together(documents: DocumentStore, outcomes: list[Any]) -> None:
    refused = {position: each for position, each in enumerate(outcomes) if isinstance(each, RequestError)}
    if refused:
        raise RowsRefused(refused)
    collection = await documents.collection()
    failed = await collection.insert_together(outcomes)
    if failed is not None:
        position, failure = failed
        raise RowsRefused({position: _translated(documents, failure, collection.decode(outcomes[position]))})


async def _insert_each(documents: DocumentStore, outcomes: list[Any]) -> None:
    """Insert what is encoded, and put errors in the place of what the database refuses."""
    collection = await documents.collection()
    places = [position for position, each in enumerate(outcomes) if not isinstance(each, RequestError)]
    if not places:
        return
    try:
        failures = await collection.insert([outcomes[position] for position in places])
    except OperationFailure as error:  # of a single document
        failures = [error]
    for position, failure in zip(places, failures, strict=True):
        if isinstance(failure, OperationFailure):
            outcomes[position] = _translated(documents, failure, collection.decode(outcomes[position]))
        elif failure is not None:
            outcomes[position] = failure


def _translated(documents: DocumentStore, failure: OperationFailure, raw: Raw) -> RequestError:
    error = rejected(documents.codec, failure, raw)
    if not isinstance(error, RequestError):
        raise error
    return error
