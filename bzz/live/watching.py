"""``bzz.watch``: committed changes for the application's own code."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import urlencode

from bzz.change import Change
from bzz.live.frames import ResetReason
from bzz.live.hub import hub_of
from bzz.live.judging import Judgement, judge
from bzz.live.missed import missed
from bzz.model.hive import provider_for
from bzz.model.query import read_list_query
from bzz.providers.base import Path, Provider, Step
from bzz.providers.capabilities import require
from bzz.providers.changes import Commit, HistoryLost, Position, Scope

__all__ = ["watch"]

MAX_WAITING = 1000
"""How many changes may wait for a loop that is slow; further ones are read again from where it is."""


async def watch(
    model: type,
    *,
    where: Mapping[str, Any] | None = None,
    after: Position | None = None,
    orm: str | type[Provider] = "mongoengine",
) -> AsyncGenerator[Change]:
    """Yield each committed change of a model, whoever made it, in order and once.

    ::

        async for change in bzz.watch(User, where={"age__gte": 18}):
            print(change.kind, change.id, change.diff)

    :param model: the document class, of a live model or any other.
    :param where: filters as in a list's query string; a change counts where the document meets them before or after.
    :param after: :attr:`bzz.Change.position` of the last change that was seen; None for from now on.
    :param orm: as :meth:`bzz.ModelHive.routes_for` takes it.
    :raises bzz.errors.ConfigurationError: where the provider or the database cannot tell its changes.
    :raises bzz.errors.BadRequest: for a filter that cannot be read.
    :raises bzz.providers.changes.HistoryLost: where what followed ``after`` is not known any more.
    """
    provider = require(provider_for(orm, model), "bzz.watch", "watch")
    if after is not None:
        require(provider, "after=", "resume")
    query = read_list_query(provider.shape, urlencode(where or {}, doseq=True), per_page=1, max_per_page=1)
    root = Path((Step(None, provider.shape, None, provider.shape.name),))
    scope = await provider.scope(root, query, None)
    changes = provider.changes()
    hub = hub_of(changes)
    while True:
        follower = _Follower(scope)
        start = await hub.join(follower)
        try:
            if after is not None:
                async with aclosing(missed(changes, hub, follower.collections, after, start)) as older:
                    async for position, commit in older:
                        after = position
                        if _counts(commit, scope, await judge(changes, commit, [scope])):
                            yield provider.change(commit)
            after = start if after is None else max(after, start)
            async with aclosing(follower.commits()) as commits:
                async for position, commit, counts in commits:
                    if position > after:
                        after = position
                        if counts:
                            yield provider.change(commit)
        finally:
            hub.leave(follower)
        if follower.ended == "history-lost":
            raise HistoryLost("the database does not know any more what followed")
        if follower.ended == "shutdown":
            return


class _Follower:
    """Lets changes wait for one loop."""

    def __init__(self, scope: Scope) -> None:
        self.collections = frozenset([scope.collection])
        self.ended: ResetReason | None = None
        self._scope = scope
        self._waiting: deque[tuple[Position, Commit, bool]] = deque()
        self._news = asyncio.Event()

    async def commits(self) -> AsyncGenerator[tuple[Position, Commit, bool]]:
        """Yield each change, with its position and whether it lies in the scope, until no more come."""
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self.ended is not None:
                return
            self._news.clear()
            await self._news.wait()

    def scopes(self, commit: Commit) -> list[Scope]:
        """Called by the hub."""
        return [] if commit.key is None else [self._scope]

    async def tell(self, commit: Commit, position: Position, judgement: Judgement) -> None:
        """Called by the hub with each change."""
        if self.ended is not None:
            return
        if len(self._waiting) >= MAX_WAITING:
            self.end("slow")
            return
        self._waiting.append((position, commit, _counts(commit, self._scope, judgement)))
        self._news.set()

    def tick(self, position: Position | None) -> None:
        """Called by the hub now and then."""

    def end(self, reason: ResetReason) -> None:
        """Called by the hub."""
        self.ended = reason
        self._news.set()


def _counts(commit: Commit, scope: Scope, judgement: Judgement) -> bool:
    """Whether a change lies in the scope, before or after; one that cannot be judged is told too."""
    found = judgement.get(scope.key)
    return commit.key is None or not commit.is_whole or found is None or isinstance(found, str) or any(found)
