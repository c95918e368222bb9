"""What happened between the position that a follower names and the one where it joined the hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from weakref import WeakKeyDictionary

from bzz.live.counting import Counting
from bzz.live.hub import Hub
from bzz.providers.changes import Changes, Commit, HistoryLost, Position

__all__ = ["missed"]

CATCH_UPS = 4
"""How many may have a stream of their own at a time, until they have caught up. Each costs every write."""

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def missed(
    changes: Changes, hub: Hub, collections: frozenset[str], after: Position, joined: Position
) -> AsyncGenerator[tuple[Position, Commit]]:
    """Yield the changes after a position, up to where somebody has joined, each with its position.

    They come from what the hub remembers, or else from a stream of the follower's own.

    :raises bzz.providers.changes.HistoryLost: where they are not known any more.
    """
    if after >= joined:
        if after > joined and after[:2] > (await changes.now())[:2]:
            raise HistoryLost("the database has gone back")
        return
    counting = Counting()
    start = after._replace(number=0)
    known = hub.since(start, collections)
    found = _each(known) if known is not None else _own_stream(changes, collections, start, joined)
    async with aclosing(found) as commits:
        async for commit in commits:
            counting.count(commit)
            position = counting.reached(commit.position, collections)
            if position > joined:
                return
            if position > after:
                yield position, commit


async def _each(commits: Sequence[Commit]) -> AsyncGenerator[Commit]:
    for commit in commits:
        yield commit


async def _own_stream(
    changes: Changes, collections: frozenset[str], after: Position, until: Position
) -> AsyncGenerator[Commit]:
    counting = Counting()
    async with (
        _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(CATCH_UPS)),
        aclosing(changes.stream(collections, after)) as stream,
    ):
        async for each in stream:
            if isinstance(each, Commit):
                yield each
                counting.count(each)
                if counting.reached(each.position, collections) >= until:
                    return
            elif until.number == 0 and each.position >= until:
                return
