"""The hub: one stream of committed changes for each database, and everybody who follows it.

It knows nothing of frames and clients. A follower is told each change once, in order, with what the database says of
the follower's scopes; all distinct scopes are asked in one command.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import aclosing, suppress
from weakref import WeakKeyDictionary, WeakSet

from bzz.errors import ConfigurationError, Unavailable
from bzz.live.counting import Counting
from bzz.live.follower import Follower
from bzz.live.frames import ResetReason
from bzz.live.judging import Judgement, judge
from bzz.providers.changes import Changes, Commit, HistoryLost, LiveProvider, Position, Tick

__all__ = ["Hub", "expect", "hub_of", "hubs"]

logger = logging.getLogger("bzz.live")

RING_COMMITS = 4096
RING_BYTES = 32 * 1024 * 1024
"""How many of the last changes are kept for followers that come back, and how large they may be together."""

JUDGED_AHEAD = 8
"""How many changes are judged at a time, while those before them are still told."""

IDLE_SECONDS = 60.0
"""How long a stream stays open after its last follower has left. Open streams cost every write of the server."""

TICK_SECONDS = 15.0
"""How often followers hear from an idle stream."""

RETRY_SECONDS = 1.0


class Hub:
    """The changes of one database, told to followers on one event loop.

    :ivar position: all that was committed up to here has been told.
    """

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._collections: set[str] = set()
        self._dropped: set[str] = set()
        self._followers: dict[Follower, None] = {}
        self._ring: deque[Commit] = deque()
        self._ring_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._telling = asyncio.Lock()
        self._counting = Counting()
        self._stopping: asyncio.TimerHandle | None = None
        self.position = self._ring_start = Position(0, 0)

    @property
    def is_followed(self) -> bool:
        """Whether anybody is told."""
        return bool(self._followers)

    async def join(self, follower: Follower, enter: Callable[[], bool] = lambda: True) -> Position:
        """Tell a follower every change from now on; return the position after which it is told.

        :param enter: called at that very position; false where the follower has ended meanwhile, and is told nothing.
            One who follows already may join again, for this.
        :raises bzz.errors.ConfigurationError: where the database cannot tell its changes.
        :raises bzz.errors.Unavailable: where it is away.
        """
        while True:
            async with self._starting:
                await self._follow(follower.collections)
            async with self._telling:
                if self._task is None:  # it was stopped while this one waited
                    continue
                if self._stopping is not None:
                    self._stopping.cancel()
                    self._stopping = None
                if enter():
                    self._followers[follower] = None
                return self._counting.reached(self.position, follower.collections)

    def leave(self, follower: Follower) -> None:
        """Tell a follower nothing more."""
        self._followers.pop(follower, None)
        if not self._followers and self._stopping is None and self._task is not None:
            self._stopping = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._stop)

    def since(self, position: Position, collections: Collection[str]) -> list[Commit] | None:
        """Return what was told after ``position``; None where not all of that is known any more."""
        if self._task is None or position < self._ring_start:
            return None
        return [commit for commit in self._ring if commit.position > position and commit.collection in collections]

    async def close(self) -> None:
        """End all followers, and the stream."""
        task = self._task
        self._end_all("shutdown")
        self._stop()
        if task is not None:
            await asyncio.wait([task])

    # -- the stream

    async def _follow(self, collections: Collection[str]) -> None:
        """Have the stream run, and tell of these collections too."""
        new = set(collections) - self._collections
        if self._task is not None and not new:
            await self._prepare_again(collections)
            return
        new.update(_expected_in(self._changes))
        await self._changes.prepare(new or collections)
        if self._task is None:
            self.position = self._ring_start = await self._changes.now()
        else:  # from where it is; what the ring lacks of the new ones nobody can have asked for here
            await self._cancel()
            self._ring_start = self.position
            self._forget()
        self._collections |= new
        self._task = asyncio.create_task(self._run(), name="live hub")

    async def _prepare_again(self, collections: Collection[str]) -> None:
        """Prepare those that were dropped, and with them what the database keeps of their changes."""
        dropped = self._dropped.intersection(collections)
        if dropped:
            await self._changes.prepare(dropped)
            self._dropped -= dropped

    async def _run(self) -> None:
        ticking = asyncio.create_task(self._tick(), name="live ticks")
        try:
            while True:
                try:
                    await self._read()
                except HistoryLost as error:
                    logger.error("changes were lost: the database does not know any more what followed (%s)", error)
                    await self._begin_anew()
                except Exception:
                    logger.exception("the stream of changes failed; it is opened anew where it was")
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            ticking.cancel()

    async def _begin_anew(self) -> None:
        """Go on from now; nobody can be told what came before. Nobody joins meanwhile, at the old position."""
        async with self._telling:
            self._end_all("history-lost")
            self._counting = Counting()
            while True:
                try:
                    self.position = self._ring_start = await self._changes.now()
                except Unavailable:
                    await asyncio.sleep(RETRY_SECONDS)
                else:
                    break
            self._forget()

    async def _read(self) -> None:
        """Judge changes as they come, a few ahead, and tell them in order."""
        judged: asyncio.Queue[tuple[Commit | Tick, asyncio.Task[Judgement] | None] | None] = asyncio.Queue()
        space = asyncio.Semaphore(JUDGED_AHEAD)

        async def read() -> None:
            # The stream starts before the cluster time it had reached, so some changes come again. `told` counts, for
            # each collection, how many of them followers have had; those are skipped.
            told, start = self._counting.copy(), self.position._replace(number=0)
            async with aclosing(self._changes.stream(frozenset(self._collections), start)) as stream:
                async for each in stream:
                    if isinstance(each, Commit) and told.has(each):
                        continue
                    await space.acquire()
                    judging = self._judging(each) if isinstance(each, Commit) else None
                    judged.put_nowait((each, judging))

        reading = asyncio.create_task(read(), name="live stream")
        reading.add_done_callback(lambda _: judged.put_nowait(None))
        try:
            while (item := await judged.get()) is not None:
                space.release()
                each, judging = item
                judgement = {} if judging is None else await judging
                async with self._telling:
                    if isinstance(each, Commit):
                        await self._tell(each, judgement)
                    self.position = max(self.position, each.position)
            reading.result()
        finally:
            reading.cancel()
            await asyncio.wait([reading])
            while not judged.empty():
                left = judged.get_nowait()
                if left is not None and left[1] is not None:
                    left[1].cancel()

    async def _tell(self, commit: Commit, judgement: Judgement) -> None:
        """Tell all followers of a change, and remember it."""
        followers = [each for each in self._followers if commit.collection in each.collections]
        missing = {
            scope.key: scope for each in followers for scope in each.scopes(commit) if scope.key not in judgement
        }
        if missing:  # of followers that joined meanwhile
            judgement = {**judgement, **await judge(self._changes, commit, missing.values())}
        self._remember(commit)
        self._counting.count(commit)
        if commit.key is None:
            self._dropped.add(commit.collection)
        positions: dict[frozenset[str], Position] = {}
        for each in followers:
            if each in self._followers:
                position = positions.get(each.collections)
                if position is None:
                    position = positions[each.collections] = self._counting.reached(commit.position, each.collections)
                await each.tell(commit, position, judgement)

    def _judging(self, commit: Commit) -> asyncio.Task[Judgement] | None:
        """Have the database asked about a change; return None where nobody's scope makes it necessary."""
        followers = (each for each in self._followers if commit.collection in each.collections)
        found = (scope for each in followers for scope in each.scopes(commit) if not scope.is_all)
        scopes = {scope.key: scope for scope in found}
        return asyncio.create_task(judge(self._changes, commit, scopes.values())) if scopes else None

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            is_telling = self._telling.locked()  # some have been told then, and others not
            for each in list(self._followers):
                each.tick(None if is_telling else self._counting.reached(self.position, each.collections))

    # -- the ring

    def _remember(self, commit: Commit) -> None:
        self._ring.append(commit)
        self._ring_bytes += commit.size
        while len(self._ring) > RING_COMMITS or self._ring_bytes > RING_BYTES:
            gone = self._ring.popleft()
            self._ring_bytes -= gone.size
            self._ring_start = gone.position

    def _forget(self) -> None:
        self._ring.clear()
        self._ring_bytes = 0

    # -- the end

    def _end_all(self, reason: ResetReason) -> None:
        for each in list(self._followers):
            self._followers.pop(each, None)
            each.end(reason)

    async def _cancel(self) -> None:
        assert self._task is not None
        async with self._telling:  # or some would hear of a change twice, and others once
            self._task.cancel()
            await asyncio.wait([self._task])

    def _stop(self) -> None:
        if self._stopping is not None:
            self._stopping.cancel()
            self._stopping = None
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._forget()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Changes, Hub]] = WeakKeyDictionary()


def hub_of(changes: Changes) -> Hub:
    """Return the hub of a database on the running event loop."""
    hubs = _hubs.setdefault(asyncio.get_running_loop(), {})
    if changes not in hubs:
        hubs[changes] = Hub(changes)
    return hubs[changes]


_expected: WeakSet[LiveProvider] = WeakSet()


def expect(provider: LiveProvider) -> None:
    """Have the stream of the provider's database tell of its collection from the start, if anybody follows it."""
    _expected.add(provider)


def _expected_in(changes: Changes) -> Iterator[str]:
    for provider in _expected:
        with suppress(ConfigurationError):  # of a model that is not connected, perhaps of another application
            if provider.changes() is changes:
                yield provider.collection


def hubs() -> list[Hub]:
    """Return the hubs of the running event loop."""
    return list(_hubs.get(asyncio.get_running_loop(), {}).values())
