"""The history of one document, as a request may see it.

Whoever may see a document sees its history, and of that the fields that it is shown now: what receivers of
``post_get_instance`` change or take away is left out, since what they would make of older values cannot be known. For
the same reason nothing is shown of a model whose ``to_dict()`` decides. A document that had the same id, and was
deleted, has a history of its own, which nobody sees.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bzz.change import Diff
from bzz.codec import plain
from bzz.delivery.history.digest import document_name
from bzz.delivery.history.visible import shown, way_to
from bzz.errors import BadRequest
from bzz.model.handler import ModelHandler
from bzz.providers.base import Record
from bzz.providers.changes import LiveProvider
from bzz.providers.history import HistoryEntry
from bzz.providers.rules import UNRESTRICTED
from bzz.shape.types import TAG

__all__ = ["HistoryPage", "entry_of", "read_history"]

AT_A_TIME = 100
"""How many entries are read at the least: who may not see all of them gets those that come behind."""


@dataclass(frozen=True)
class HistoryPage:
    """Entries of a history as JSON, the newest first.

    :param next: the cursor of the page behind it; None on the last one.
    """

    entries: Sequence[Mapping[str, Any]]
    next: str | None


async def read_history(handler: ModelHandler, document: Any, limit: int, after: str | None = None) -> HistoryPage:
    """Return what a request may see of the history of the document that it points at.

    :param document: what GET shows of it to this request, as JSON.
    :param after: the change behind which the page begins; None for the newest.
    :raises bzz.errors.NotFound: where the document is not there any more.
    :raises bzz.errors.BadRequest: for a change that the document does not have.
    """
    provider = _provider(handler)
    record = await provider.get(handler.path, handler)
    has_own_json = record.body is None
    withheld = set() if has_own_json else await _withheld(handler, record, document)

    def opened(entry: HistoryEntry) -> Diff | None:
        return None if has_own_json else _open(handler, entry.diff, withheld)

    before = None
    if after is not None:
        begin = await entry_of(handler, record, after)
        if begin is None or not _is_told(handler, begin, opened(begin)):
            raise BadRequest("The parameter 'after' cannot be read. Take it from the header Link.")
        before = begin.position
    name, told = document_name(record.instance.pk), list[tuple[HistoryEntry, Diff | None]]()
    history = provider.changes().history
    deletion = await history.deletion(provider.collection, name)
    while len(told) <= limit:
        found = await history.entries(provider.collection, name, max(limit + 1, AT_A_TIME), before, deletion)
        pairs = [(each, opened(each)) for each in found]
        told += [(each, diff) for each, diff in pairs if _is_told(handler, each, diff)]
        if len(found) < max(limit + 1, AT_A_TIME):
            break
        before = found[-1].position
    page = told[:limit]
    if provider.has_public_ids(provider.shape):
        await _show_public_ids(handler, [diff for _, diff in page if diff])
    entries = [
        {"change": each.change, "kind": each.kind, "at": each.at, "who": each.who, "diff": diff} for each, diff in page
    ]
    return HistoryPage(entries, page[-1][0].change if len(told) > limit else None)


def _is_told(handler: ModelHandler, entry: HistoryEntry, diff: Diff | None) -> bool:
    """Return whether a request may know of an entry: not if it may see nothing of an update."""
    if entry.kind != "updated" or entry.diff == {}:
        return True
    if entry.diff is None:  # it was too large to be kept, so nobody knows of which fields it was
        return handler.resource.restrictions == UNRESTRICTED
    return diff != {}


async def entry_of(handler: ModelHandler, record: Record, change: str) -> HistoryEntry | None:
    """Return one entry of the history of a document; None where it has no such entry."""
    provider, name = _provider(handler), document_name(record.instance.pk)
    history = provider.changes().history
    found = await history.entry(change)
    if found is None or (found.collection, found.document) != (provider.collection, name):
        return None
    deletion = await history.deletion(provider.collection, name)
    return found if deletion is None or found.position > deletion else None


def _provider(handler: ModelHandler) -> LiveProvider:
    provider = handler.provider
    assert isinstance(provider, LiveProvider)  # or it would have no history
    return provider


async def _withheld(handler: ModelHandler, record: Record, document: Any) -> set[str]:
    """Return the names that this request is not shown as they are stored."""
    [stored] = await handler.provider.render([record])
    if handler.provider.has_public_ids(handler.provider.shape):
        await handler.provider.render_public_ids([record], [stored], handler)
    if not isinstance(document, dict):
        return set(stored)
    return {name for name, value in plain(stored).items() if name not in document or document[name] != value}


def _open(handler: ModelHandler, diff: Diff | None, withheld: Collection[str]) -> Diff | None:
    if diff is None:
        return None
    found = shown(handler.provider.shape, diff)
    return {name: pair for name, pair in found.items() if name.partition(".")[0] not in withheld}


# -- public ids


async def _show_public_ids(handler: ModelHandler, diffs: Sequence[Diff]) -> None:
    """Name referenced documents as GET names them. For that each side of a name is put into a document."""
    shape = handler.provider.shape
    places = list(_places(handler, diffs))
    documents = [document for _, _, document, _ in places]
    await handler.provider.render_public_ids([shape] * len(documents), documents, handler)
    for pair, side, document, parts in places:
        for part in parts:
            document = document[part]
        pair[side] = document


def _places(handler: ModelHandler, diffs: Sequence[Diff]) -> Iterator[tuple[dict[str, Any], str, Any, Sequence[Any]]]:
    for diff in diffs:
        for name, pair in diff.items():
            if name == TAG:
                continue
            way = way_to(handler.provider.shape, name)
            assert way is not None  # as it is shown
            for side, value in pair.items():
                yield pair, side, _around(way.parts, value), way.parts


def _around(parts: Sequence[str | int], value: Any) -> Any:
    """Return a document that holds a value at a place, and nothing else.

    >>> _around(("notes", 1, "by"), 7)
    {'notes': [None, {'by': 7}]}
    """
    for part in reversed(parts):
        value = [*[None] * part, value] if isinstance(part, int) else {part: value}
    return value
