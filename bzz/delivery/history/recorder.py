"""Makes entries of the changes of a model, as the database tells them: whoever made them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bzz.change import Change, Diff, storable
from bzz.codec import dumps
from bzz.delivery.history.digest import digest_of, document_name, kind_of
from bzz.events.model_events import Created, Deleted, Updated
from bzz.events.targets import Subject, Target
from bzz.providers.changes import LiveProvider
from bzz.providers.history import HistoryEntry
from bzz.shape.types import TAG

__all__ = ["Recorder", "WholeChanges", "recorder_of", "recorders"]

MOST_BYTES = 4 * 1024 * 1024
"""How much JSON a diff may be to be kept: an entry is one document, and MongoDB stores 16 MiB in one."""


@dataclass(frozen=True, eq=False)
class Recorder:
    """Makes entries of the changes of one model.

    :param provider: of the model, with no options of any routes.
    """

    model: type
    provider: LiveProvider

    @property
    def name(self) -> str:
        """Of the durable listener."""
        return f"history-{self.provider.collection}"

    async def record(self, event: Any) -> None:
        """Store the entry of a change."""
        change, collection = event.change, self.provider.collection
        entry = HistoryEntry(
            change=event.id,
            collection=collection,
            document=document_name(change.id),
            position=change.position,
            at=change.at,
            kind=kind_of(change),
            diff=_kept({**self._types(change), **storable(change.diff)}),
        )
        await self.provider.changes().history.add(entry, digest_of(collection, change))

    def _types(self, change: Change) -> Diff:
        """Return what became of the class of a document, which the diff of its fields does not tell."""
        types = {each.model: name for name, each in self.provider.shape.types.items()}
        if change.kind != "updated" or len(types) < 2 or type(change.before) is type(change.after):
            return {}
        return {TAG: {"from": types.get(type(change.before)), "to": types.get(type(change.after))}}


recorders: dict[str, Recorder] = {}
"""Those of this process, by the collections of their documents."""


def recorder_of(model: type) -> Recorder | None:
    """Return what records the changes of a model, of models below it, or of one above it."""
    for each in recorders.values():
        if issubclass(model, each.model) or issubclass(each.model, model):
            return each
    return None


def _kept(diff: Diff) -> Diff | None:
    return diff if len(dumps(diff)) <= MOST_BYTES else None


@dataclass(frozen=True)
class WholeChanges(Target):
    """What is told of a change as a whole, not field by field, of a model and those below it."""

    model: type

    def matches(self, subject: Subject) -> bool:
        is_whole = subject.kind in (Created, Updated, Deleted)
        return is_whole and subject.model is not None and issubclass(subject.model, self.model)

    def matches_some_field(self, model: type) -> bool:
        return False

    def __str__(self) -> str:
        return f"{self.model.__name__}.*"
