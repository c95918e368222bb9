"""What is looked at, and how it is shown: once for all who see the same of it, whatever their filters."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from bzz import signals
from bzz.change import Diff
from bzz.live.differences import difference, same
from bzz.live.frames import event
from bzz.live.latest import Latest
from bzz.model.query import project
from bzz.providers.base import ListQuery, Path, Record
from bzz.providers.changes import Commit, LiveProvider

__all__ = ["Rendering", "Row", "View", "rendering_of"]

Row = dict[str, Any]

SHOWING_SECONDS = 10.0
"""How long receivers and ``to_dict()`` of the application may take for one version; others wait for it meanwhile."""


@dataclass(frozen=True, eq=False, slots=True)
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
        shown = await self.provider.render(present) if present else []
        if present and self.provider.has_public_ids(self.path.last.shape):
            await self.provider.render_public_ids(present, shown, self.context)
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


class _Shown:
    """What was made of one change, for all who are shown the same."""

    __slots__ = ("frames", "rows", "unchanged")

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Row]] = {}
        self.frames: dict[tuple[str, str], bytes] = {}
        self.unchanged: set[str] = set()


class Rendering:
    """The rows and frames of one view, of the change that was asked for last.

    What a list shows of a document does not depend on its filters. So lists with other filters share one.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._latest: Latest[_Shown] = Latest()

    async def rows(self, document: Any) -> dict[str, Row]:
        """Return what is shown of a document, by the ids of what stands at the end of the path."""
        async with asyncio.timeout(SHOWING_SECONDS):
            return await self._rows(document)

    async def _rows(self, document: Any) -> dict[str, Row]:
        view = self._view
        records = await view.provider.rows(view.path, view.query, document)
        shown = await view.show(records)
        return {_key(record): row for record, row in zip(records, shown, strict=True) if row is not None}

    async def keys(self, document: Any) -> set[str]:
        """Return the ids of all that stands at the end of the path, whoever may see it."""
        if document is None:
            return set()
        return {_key(each) for each in await self._view.provider.rows(self._view.path, ListQuery(), document)}

    async def sides(self, commit: Commit, before: bool, after: bool) -> tuple[dict[str, Row], dict[str, Row]]:
        """Return what is shown of both sides of a change; of a side that is not asked for, nothing."""
        shown = self._shown(commit)
        async with asyncio.timeout(SHOWING_SECONDS * (before + after)):
            return (
                await self._side(shown, "before", commit.before) if before else {},
                await self._side(shown, "after", commit.after) if after else {},
            )

    def _shown(self, commit: Commit) -> _Shown:
        return self._latest.get(commit) or self._latest.put(commit, _Shown())

    async def _side(self, shown: _Shown, side: str, document: Any) -> dict[str, Row]:
        if document is None:
            return {}
        if side not in shown.rows:
            shown.rows[side] = await self._rows(document)
        return shown.rows[side]

    def updated(self, commit: Commit, key: str, before: Row, after: Row) -> list[bytes]:
        """Return the frame, without its id, of a row that is shown before and after; none where nothing differs."""
        shown = self._shown(commit)
        if key in shown.unchanged:
            return []
        if ("updated", key) not in shown.frames:
            diff = difference(before, after)
            if not diff and same(before, after):
                shown.unchanged.add(key)
                return []
            frame = _frame(self._view.name, "updated", commit, key, after, diff)
            shown.frames["updated", key] = frame
        return [shown.frames["updated", key]]

    def frame(self, kind: str, commit: Commit, key: str, before: Row | None = None, after: Row | None = None) -> bytes:
        """Return a frame, without its id, that tells of one row.

        :param before: None for ``created``, and where the client has not seen it.
        """
        frames = self._shown(commit).frames
        if (kind, key) not in frames:
            diff = difference(before, after) if kind in _DIFF else None
            frames[kind, key] = _frame(self._view.name, kind, commit, key, after, diff)
        return frames[kind, key]


_DIFF = ("created", "updated", "deleted")


def _frame(name: str, kind: str, commit: Commit, key: str, after: Row | None, diff: Diff | None) -> bytes:
    data: dict[str, Any] = {"model": name, "id": key, "at": commit.at}
    if kind != "leave":  # which tells nothing of what cannot be seen any more
        data["row"] = after
        data["diff"] = diff if commit.is_whole else None
    return event(kind, data)


_renderings: WeakValueDictionary[tuple[Any, ...], Rendering] = WeakValueDictionary()


def rendering_of(view: View) -> Rendering:
    """Return the rendering of a view: the same for all views that show the same."""
    filters = view.text if view.ends_inside else ""
    who = id(view.context) if view.is_personal else 0
    key = (id(view.provider), view.name, *view.path.arguments, filters, view.fields, who)
    found = _renderings.get(key)
    if found is None:
        found = _renderings[key] = Rendering(view)
    return found


def _key(record: Record) -> str:
    key = record.id
    return "" if key is None else key
