"""What tests of committed changes share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

from bzz.change import Position
from bzz.providers.changes import Changes, Commit, Tick

PATIENCE = 60.0
"""Seconds after which a test gives up on what should long have come."""


class Following:
    """A stream of committed changes that is open."""

    def __init__(self, stream: Any, start: Position) -> None:
        self._stream = stream
        self.start = start

    async def next(self) -> Commit:
        """The next commit."""
        async with asyncio.timeout(PATIENCE):
            async for each in self._stream:
                if isinstance(each, Commit):
                    return each
        raise AssertionError("the stream has ended")

    async def take(self, number: int) -> list[Commit]:
        return [await self.next() for _ in range(number)]

    async def until(self, condition: Callable[[Commit], bool]) -> list[Commit]:
        """All commits up to the first of which a condition holds."""
        found = [await self.next()]
        while not condition(found[-1]):
            found.append(await self.next())
        return found

    async def tick(self) -> Tick:
        """The next thing, which must be a tick."""
        async with asyncio.timeout(PATIENCE):
            found = await anext(self._stream)
        assert isinstance(found, Tick), found
        return found


@asynccontextmanager
async def following(changes: Changes, *collections: str, after: Position | None = None) -> AsyncIterator[Following]:
    """Follow collections; the stream is open, so that every change from here on is told."""
    async with aclosing(changes.stream(collections, after)) as stream:
        async with asyncio.timeout(PATIENCE):
            first = await anext(stream)
        assert isinstance(first, Tick)
        yield Following(stream, first.position)


def tell(commit: Commit) -> tuple[str, Any]:
    """Kind and key, to compare."""
    return commit.kind, commit.key
