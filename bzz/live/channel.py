"""What one list or instance shows of each change: the frames of all who see the same of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bzz import signals
from bzz.live.differences import difference
from bzz.live.frames import ResetReason, event
from bzz.model.query import project
from bzz.providers.base import ListQuery, Path, Record
from bzz.providers.changes import Commit, LiveProvider, Matches, Scope

__all__ = ["Channel", "Ended", "View"]

logger = logging.getLogger("bzz.live")

SHOWING_SECONDS = 10.0
"""How long receivers and ``to_dict()`` of the application may take for one change; others wait for it meanwhile."""

Row = dict[str, Any]


class Ended(Exception):
    """Nothing true can be told any more.

    :param reason: what clients are told.
    """

    def __init__(self, reason: ResetReason) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, eq=False)
class View:
    """What is looked at: one list or instance, and how it is shown.

    :param name: of the model, as it stands in URLs.
    :param fields: what ``fields=`` asks for; None for all.
    :param text: the query as a text.
    :param context: for the hooks of the model, and ``handler`` of its receivers.
    """

    provider: LiveProvider
    name: str
    path: Path
    query: ListQuery
    fields: tuple[str, ...] | None
    text: str
    context: Any

    @property
    def subject(self) -> list[str]:
        """What names it, the same in every process: the path, and what is asked of it."""
        return [self.name, *self.path.arguments, self.text]

    @property
    def ends_inside(self) -> bool:
        """Whether it is about documents embedded in another."""
        return len(self.path.steps) > 1

    @property
    def is_personal(self) -> bool:
        """Whether what is shown depends on who looks: on receivers, and on the hooks of documents that are named."""
        shape = self.path.last.shape
        return self._signal.has_receivers_for(shape.model) or self.provider.has_public_ids(shape)

    @property
    def _signal(self) -> signals.Signal:
        return signals.post_get_list if self.path.last.is_list else signals.post_get_instance

    async def show(self, records: Sequence[Record]) -> list[Row | None]:
        """Return what GET would show of each record; None for what receivers take out of the list."""
        items = await self._heard(records)
        present = [item for item in items if item is not None]
        shown = await self.provider.represent(present) if present else []
        if present and self.provider.has_public_ids(self.path.last.shape):
            await self.provider.show_public_ids(present, shown, self.context)
        rows = iter(shown if self.fields is None else [project(each, self.fields) for each in shown])
        return [None if item is None else next(rows) for item in items]

    async def _heard(self, records: Sequence[Record]) -> list[Any]:
        """What receivers left of each record, asked one by one, for they may change what they are given."""
        model = self.path.last.shape.model
        if not self._signal.has_receivers_for(model):
            return list(records)
        left: list[Any] = []
        for record in records:
            if not self.path.last.is_list:
                await self._signal.notify(model, instance=record.instance, handler=self.context)
                left.append(record)
                continue
            items = [record.instance]
            await self._signal.notify(model, items=items, handler=self.context)
            kept = items[0] if items else None
            left.append(record if kept is record.instance else kept)
        return left


class Channel:
    """The frames of one view within one scope. Each change is shown once, however many follow.

    :param subject: names it in positions, the same in every process.
    :param key: two channels with one key show the same.
    """

    def __init__(self, view: View, scope: Scope, subject: str, key: str) -> None:
        self.view = view
        self.scope = scope
        self.subject = subject
        self.key = key
        self._last: tuple[Commit | None, list[bytes] | Ended] = (None, [])

    def concerns(self, commit: Commit) -> bool:
        """Whether a change may be one of this channel's."""
        if commit.collection != self.scope.collection:
            return False
        return commit.key is None or self.scope.only is None or bool(commit.key == self.scope.only)

    async def frames(self, commit: Commit, found: Matches | ResetReason) -> list[bytes]:
        """Return the frames that tell of a change, without ids; none where it shows in nothing.

        :raises Ended: where nothing true can be told any more.
        """
        known, frames = self._last
        if commit is not known:
            frames = await self._made(commit, found)
            self._last = (commit, frames)
        if isinstance(frames, Ended):
            raise Ended(frames.reason)
        return frames

    async def snapshot(self, documents: Sequence[Any]) -> bytes:
        """Return a frame of rows, without an id."""
        rows: dict[str, Row] = {}
        for each in documents:
            rows.update(await self._rows(each))
        return event("snapshot", {"model": self.view.name, "ids": list(rows), "rows": list(rows.values())})

    async def _made(self, commit: Commit, found: Matches | ResetReason) -> list[bytes] | Ended:
        try:
            if isinstance(found, str):
                return Ended(found)
            if commit.kind in ("dropped", "renamed"):
                return Ended("dropped")
            async with asyncio.timeout(SHOWING_SECONDS):
                return await self._tell(commit, found)
        except Ended as ended:
            return ended
        except Exception:
            logger.exception("a change of %s cannot be shown", self.view.name)
            return Ended("incomplete")

    async def _tell(self, commit: Commit, found: Matches) -> list[bytes]:
        if not commit.is_whole:
            return await self._tell_incomplete(commit)
        before = await self._rows(commit.before if found.before else None)
        after = await self._rows(commit.after if found.after else None)
        frames = []
        for key, row in after.items():
            if key not in before:
                is_new = key not in await self._keys(commit.before)
                frames.append(
                    self._frame("created", commit, key, row, difference(None, row))
                    if is_new
                    else self._frame("enter", commit, key, row, None)
                )
            elif diff := difference(before[key], row):
                frames.append(self._frame("updated", commit, key, row, diff))
        gone = [key for key in before if key not in after]
        left = await self._keys(commit.after) if gone else ()
        for key in gone:
            if key in left:
                frames.append(self._frame("leave", commit, key))
            else:
                frames.append(self._frame("deleted", commit, key, None, difference(before[key], None)))
        return frames

    async def _tell_incomplete(self, commit: Commit) -> list[bytes]:
        """Tell of a change of which not both sides are known, where that can be done without guessing."""
        if not self.scope.is_all or self.view.ends_inside or self.view.is_personal:
            raise Ended("incomplete")
        if commit.kind == "deleted":
            return [self._frame("deleted", commit, str(commit.key))]
        if commit.after is None:
            raise Ended("incomplete")
        rows = await self._rows(commit.after)
        return [self._frame("updated", commit, key, row) for key, row in rows.items()]

    async def _rows(self, document: Any) -> dict[str, Row]:
        """What is shown of one side of a change, by its id; nothing where the side is not there or not in the scope."""
        if document is None:
            return {}
        view = self.view
        records = await view.provider.rows(view.path, view.query, document)
        shown = await view.show(records)
        return {_key(record): row for record, row in zip(records, shown, strict=True) if row is not None}

    async def _keys(self, document: Any) -> set[str]:
        """The ids of all that stands at the end of the path, whoever may see it."""
        if document is None:
            return set()
        return {_key(each) for each in await self.view.provider.rows(self.view.path, ListQuery(), document)}

    def _frame(
        self, kind: str, commit: Commit, key: str, row: Row | None = None, diff: Mapping[str, Any] | None = None
    ) -> bytes:
        data: dict[str, Any] = {"model": self.view.name, "id": key, "at": commit.at}
        if kind != "leave":  # which tells nothing of what cannot be seen any more
            data.update(row=row, diff=diff)
        return event(kind, data)


def _key(record: Record) -> str:
    key = record.id
    return "" if key is None else key
