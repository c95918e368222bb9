"""What one scope of a view shows of each change: the frames of all who see the same of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from bzz.live.frames import ResetReason, event
from bzz.live.latest import Latest
from bzz.live.view import Row, View, rendering_of
from bzz.providers.changes import Commit, Matches, Scope

__all__ = ["Channel", "Ended"]

logger = logging.getLogger("bzz.live")

_NEITHER = Matches(before=False, after=False)


class Ended(Exception):
    """Nothing true can be told any more.

    :param reason: what clients are told.
    """

    def __init__(self, reason: ResetReason) -> None:
        self.reason = reason
        super().__init__(reason)


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
        self._rendering = rendering_of(view)
        self._latest: Latest[list[bytes] | Ended] = Latest()

    def concerns(self, commit: Commit) -> bool:
        """Whether a change may be one of this channel's."""
        if commit.collection != self.scope.collection:
            return False
        return commit.key is None or self.scope.only is None or bool(commit.key == self.scope.only)

    async def frames(self, commit: Commit, found: Matches | ResetReason) -> list[bytes]:
        """Return the frames that tell of a change, without ids; none where it shows in nothing.

        :raises Ended: where nothing true can be told any more.
        """
        if found == _NEITHER and commit.is_whole and commit.key is not None:
            return []  # as it is for most of many filters
        frames = self._latest.get(commit)
        if frames is None:
            frames = self._latest.put(commit, await self._made(commit, found))
        if isinstance(frames, Ended):
            raise Ended(frames.reason)
        return frames

    async def snapshot(self, documents: Sequence[Any]) -> bytes:
        """Return a frame of rows, without an id."""
        rows: dict[str, Row] = {}
        for each in documents:
            rows.update(await self._rendering.rows(each))
        return event("snapshot", {"model": self.view.name, "ids": list(rows), "rows": list(rows.values())})

    async def _made(self, commit: Commit, found: Matches | ResetReason) -> list[bytes] | Ended:
        try:
            if isinstance(found, str):
                return Ended(found)
            if commit.kind in ("dropped", "renamed"):
                return Ended("dropped")
            return await self._tell(commit, found)
        except Ended as ended:
            return ended
        except Exception:
            logger.exception("a change of %s cannot be shown", self.view.name)
            return Ended("incomplete")

    async def _tell(self, commit: Commit, found: Matches) -> list[bytes]:
        if not commit.is_whole:
            return await self._tell_incomplete(commit)
        shown = self._rendering
        before, after = await shown.sides(commit, found.before, found.after)
        frames = []
        for key, row in after.items():
            if key not in before:
                kind = "enter" if key in await shown.keys(commit.before) else "created"
                frames.append(shown.frame(kind, commit, key, None, row))
            else:
                frames += shown.updated(commit, key, before[key], row)
        gone = [key for key in before if key not in after]
        left = await shown.keys(commit.after) if gone else ()
        for key in gone:
            kind = "leave" if key in left else "deleted"
            frames.append(shown.frame(kind, commit, key, before[key], None))
        return frames

    async def _tell_incomplete(self, commit: Commit) -> list[bytes]:
        """Tell of a change of which not both sides are known, where that can be done without guessing."""
        if not self.scope.is_all or self.view.ends_inside or self.view.is_personal:
            raise Ended("incomplete")
        if commit.kind == "deleted":
            key = self.view.provider.id_of(commit.key)
            if key is None:
                raise Ended("incomplete")
            return [self._rendering.frame("deleted", commit, key)]
        if commit.after is None:
            raise Ended("incomplete")
        rows = await self._rendering.rows(commit.after)
        return [self._rendering.frame("updated", commit, key, None, row) for key, row in rows.items()]
