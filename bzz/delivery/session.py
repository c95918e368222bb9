"""Follows the changes of some partitions, until they are another process's or this one stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from bzz.change import Position
from bzz.delivery.caller import Caller
from bzz.delivery.lanes import Lanes
from bzz.delivery.listener import DurableListener
from bzz.delivery.mailbox import ClaimLost, Mailbox
from bzz.delivery.partitions import document_key, partition_of
from bzz.delivery.retrying import until_stored
from bzz.delivery.source import Source
from bzz.delivery.tracker import Ticket, Tracker
from bzz.errors import Unavailable
from bzz.providers.commit import Commit
from bzz.providers.deliveries import Claim, Letter
from bzz.providers.progress import FROM_THE_BEGINNING, Cursor

__all__ = ["WINDOW", "Session"]

logger = logging.getLogger("bzz.delivery")

WINDOW = 100
"""How many changes are handed over before progress is stored: so many may come again after a crash."""

SAVE_SECONDS = 0.5
IDLE_SAVE_SECONDS = 5.0
"""How long progress may stay unsaved where something was handled, and where nothing was."""

TELLING_SECONDS = 60.0
"""How long documents that were there before are told in one go, before the stream may go on."""

SNAPSHOT_SECONDS = 60.0
"""How long the stream may take to come to where they are read. MongoDB keeps what was for five minutes."""


@dataclass(eq=False)
class _Partition:
    claim: Claim
    tracker: Tracker


class Session:
    """The work of one listener for some partitions.

    :param claims: of the partitions, with the progress from which to go on.
    """

    def __init__(self, listener: DurableListener, source: Source, caller: Caller, claims: Sequence[Claim]) -> None:
        self._source = source
        self._partitions = {each.partition: _Partition(each, Tracker(each.progress)) for each in claims}
        self._mailbox = Mailbox(listener, source.deliveries, {each.partition: each for each in claims})
        self._lanes = Lanes(caller, self._mailbox, self._start, self._done, self._settled)
        self._reached = Position(0, 0)
        self._told: Cursor | None = None
        self._unsaved = 0
        self._passed = 0
        self._wants_save = asyncio.Event()
        self._saved = asyncio.Event()
        self._quiet = asyncio.Event()
        self._saved_at = 0.0
        self._saving = asyncio.Lock()
        self._group: asyncio.TaskGroup | None = None
        self._following: list[asyncio.Task[Any]] = []
        self._dropped: set[str] = set()

    @property
    def partitions(self) -> frozenset[int]:
        """The numbers of the partitions."""
        return frozenset(self._partitions)

    async def run(self) -> None:
        """Work without end.

        :raises ExceptionGroup: of :class:`~bzz.providers.changes.HistoryLost`; of
            :class:`~bzz.delivery.mailbox.ClaimLost` or :class:`~bzz.delivery.lease.Expired`, where this process owns
            the partitions no more; or of whatever went wrong.
        """
        async with asyncio.TaskGroup() as self._group:
            await self._mailbox.open()
            self._following = [self._start(self._follow()), self._start(self._lanes.work_off())]
            self._start(self._save_regularly())

    async def stop(self, seconds: float) -> None:
        """Take no further change, let the calls end that are being made, and store what they achieve.

        :param seconds: how long calls may take.
        :raises TimeoutError: if some take longer: what they do may be done again.
        """
        for each in self._following:
            each.cancel()
        late = await self._lanes.stop(seconds)
        if self._told is not None and not late:
            self._pass(self._told)
        await self._save()
        if late:
            raise TimeoutError(f"calls that did not end in {seconds:g} s: {late}")

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        assert self._group is not None
        try:
            return self._group.create_task(work)
        except RuntimeError:  # the session is ending, and so is whoever asks
            work.close()
            raise asyncio.CancelledError() from None

    # -- the stream

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        trackers = [each.tracker for each in self._partitions.values()]
        is_telling = any(each.progress.cursor is not None for each in trackers)
        goal, set_at = await self._now() if is_telling else None, loop.time()
        for each in trackers:
            if goal is not None and each.progress.position == FROM_THE_BEGINNING.position:
                each.tick(goal)
        start = min(each.progress.position for each in trackers)
        stream = self._source.changes.stream(self._source.collections, start, self._is_own)
        async with aclosing(stream):
            async for item in stream:
                at = item.position._replace(number=0)
                if goal is not None and at >= goal and at > self._reached:  # all before it was passed on
                    is_recent = loop.time() - set_at < SNAPSHOT_SECONDS
                    is_left = not is_recent or await self._tell_existing(at)
                    goal, set_at = await self._now() if is_left else None, loop.time()
                if isinstance(item, Commit):
                    await self._take(item)
                self._reached = item.position

    async def _now(self) -> Position:
        return await until_stored(self._source.changes.now)

    def _is_own(self, collection: str, key: Any) -> bool:
        return partition_of(document_key(collection, key)) in self._partitions

    async def _take(self, commit: Commit) -> None:
        if commit.key is None:
            logger.warning("%s was %s: nobody is told of its documents one by one", commit.collection, commit.kind)
            self._dropped.add(commit.collection)
            return
        if commit.collection in self._dropped:  # it is there again, without images; not before, so as not to make it
            self._dropped.remove(commit.collection)
            await until_stored(lambda: self._source.changes.prepare([commit.collection]))
        key = document_key(commit.collection, commit.key)
        number = partition_of(key)
        progress = self._partitions[number].tracker.progress
        if not progress.has(commit) and self._is_followed(progress.cursor, commit):
            await self._hand_over(number, key, commit)

    def _is_followed(self, cursor: Cursor | None, commit: Commit) -> bool:
        """Whether the document was told, if those that were there before are being told.

        Of one that was deleted this is not known: it may have been told before a crash, and is not there to be read.
        """
        if cursor is None or commit.kind == "deleted" or commit.collection < cursor.collection:
            return True
        is_here = commit.collection == cursor.collection and cursor.key is not None
        return is_here and not self._source.changes.is_behind(commit.key, cursor.key)

    async def _hand_over(self, number: int, key: str, commit: Commit) -> None:
        while self._unsaved >= WINDOW:
            self._wants_save.set()
            self._saved.clear()
            await self._saved.wait()
        self._unsaved += 1
        self._lanes.hand_over(number, key, self._partitions[number].tracker.begin(commit))

    # -- documents that were there before

    async def _tell_existing(self, at: Position) -> bool:
        """Tell documents as they were at a position that the stream has come to, until it is the stream's turn again.

        :returns: whether some are left.
        """
        loop = asyncio.get_running_loop()
        end, self._reached = loop.time() + TELLING_SECONDS, at
        while (place := await self._next_place()) is not None:
            try:
                batches = await self._source.changes.existing(place.collection, at, place.key)
            except Unavailable:
                return True
            await self._tell(place.collection, batches, end)
            if loop.time() > end:
                return True
        return False

    async def _next_place(self) -> Cursor | None:
        """Return behind which document to go on: of the first collection that is not told yet."""
        told = [each.tracker.progress.cursor for each in self._partitions.values()]
        cursors = [each for each in told if each is not None]
        if not cursors:
            return None
        first = cursors[0]
        for each in cursors:
            first = first if self._is_before(first, each) else each
        collection = next((each for each in self._source.collections if each >= first.collection), None)
        if collection is None:
            await self._move(None)
            return None
        return Cursor(collection, first.key if collection == first.collection else None)

    async def _tell(self, collection: str, batches: AsyncGenerator[Sequence[Commit]], end: float) -> None:
        """Tell documents of a collection, each as created, until all are told or it is the stream's turn."""
        async with aclosing(batches):
            async for batch in batches:
                for commit in batch:
                    await self._tell_one(commit)
                await self._move(Cursor(collection, batch[-1].key))
                if asyncio.get_running_loop().time() > end:
                    return
        following = next((each for each in self._source.collections if each > collection), None)
        await self._move(None if following is None else Cursor(following, None))

    async def _tell_one(self, commit: Commit) -> None:
        key = document_key(commit.collection, commit.key)
        partition = self._partitions.get(partition_of(key))
        if partition is not None and not self._is_followed(partition.tracker.progress.cursor, commit):
            await self._hand_over(partition.claim.partition, key, commit)
        self._told = Cursor(commit.collection, commit.key)

    async def _move(self, cursor: Cursor | None) -> None:
        """Take note that documents up to a cursor were told, when they are handled; None for all of them."""
        for each in self._partitions.values():
            while not each.tracker.is_idle:
                self._quiet.clear()
                each.tracker.advance()
                if not each.tracker.is_idle:
                    await self._quiet.wait()
        self._pass(cursor)

    def _pass(self, cursor: Cursor | None) -> None:
        """Note that documents up to a cursor are handled, or have letters; None for all of them."""
        self._told = None
        for each in self._partitions.values():
            each.tracker.advance()
            old = each.tracker.progress.cursor
            if each.tracker.is_idle and old is not None and (cursor is None or self._is_before(old, cursor)):
                each.tracker.set_cursor(cursor)

    def _is_before(self, one: Cursor, other: Cursor) -> bool:
        if one.collection != other.collection or None in (one.key, other.key):
            return one.collection < other.collection or (one.collection == other.collection and one.key is None)
        return self._source.changes.is_behind(other.key, one.key)

    # -- progress

    def _done(self, tickets: Sequence[Ticket]) -> None:
        for each in tickets:
            each.is_done = True
        self._passed += len(tickets)
        self._quiet.set()
        if self._passed >= WINDOW // 2:
            self._wants_save.set()

    async def _settled(self, letter: Letter) -> None:
        tracker = self._partitions[letter.partition].tracker
        while not tracker.stored.has(letter.commit):
            self._saved.clear()
            self._wants_save.set()
            await self._saved.wait()

    async def _save_regularly(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SAVE_SECONDS):
                    await self._wants_save.wait()
            await self._save()

    async def _save(self) -> None:
        """Store how far the partitions have come.

        :raises bzz.delivery.mailbox.ClaimLost: where another process owns one of them.
        """
        async with self._saving:
            now, is_wanted = asyncio.get_running_loop().time(), self._wants_save.is_set()
            if not (self._passed or is_wanted) and now - self._saved_at < IDLE_SAVE_SECONDS:
                return
            self._wants_save.clear()
            self._saved_at, self._passed = now, 0
            changed = []
            for each in self._partitions.values():
                each.tracker.advance()
                each.tracker.tick(self._reached)
                if each.tracker.is_changed:
                    changed.append((each, each.tracker.progress, each.tracker.passed))
            if changed:
                pairs = [(each.claim, progress) for each, progress, _ in changed]
                for claim in await until_stored(lambda: self._source.deliveries.save(pairs)):
                    raise ClaimLost(claim.partition)
            for each, progress, passed in changed:
                each.tracker.saved(progress, passed)
                self._unsaved -= passed
            self._saved.set()
