"""The changes of each document one after the other, and those of different documents at the same time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bzz.delivery.attempt import Failure
from bzz.delivery.caller import Caller, NotBegun
from bzz.delivery.mailbox import Mailbox
from bzz.delivery.tracker import Ticket
from bzz.providers.deliveries import Letter

__all__ = ["Lanes"]

SLOW_SECONDS = 1.0
"""How long a call may take before its change becomes a letter, so that nothing else of its partition waits for it."""


@dataclass(eq=False)
class _Lane:
    """One document with changes to handle; the first of them is being tried.

    :ivar aside: makes letters of them, where the first takes long.
    """

    partition: int
    key: str
    waiting: deque[Ticket] = field(default_factory=deque)
    aside: asyncio.Task[Letter] | None = None


class Lanes:
    """The documents whose changes are being handled.

    :param start: starts a task, whose failure ends the session.
    :param done: told the tickets that are done.
    :param settled: awaited before a letter is removed, until the progress that passes its change is stored. Else a
        crash would bring the change once more, behind those that came after it.
    """

    def __init__(
        self,
        caller: Caller,
        mailbox: Mailbox,
        start: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
        done: Callable[[Sequence[Ticket]], None],
        settled: Callable[[Letter], Awaitable[None]],
    ) -> None:
        self._caller = caller
        self._mailbox = mailbox
        self._start = start
        self._done = done
        self._settled = settled
        self._lanes: dict[str, _Lane] = {}
        self._letters: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = asyncio.Event()

    def hand_over(self, partition: int, key: str, ticket: Ticket) -> None:
        """Handle a change after those of the same document."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(partition, key)
            lane.waiting.append(ticket)
            self._run(self._work(lane))
        else:
            lane.waiting.append(ticket)

    async def stop(self, seconds: float) -> int:
        """Begin no further call, and wait for those that are being made; return how many have not ended.

        What waits becomes letters, for whoever works on the partition next.

        :param seconds: how long, at most.
        """
        self._stopping.set()
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._tasks and loop.time() < end:  # one may start another, which makes letters of what came meanwhile
            await asyncio.wait(self._tasks, timeout=end - loop.time())
        return len(self._tasks)

    def _run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._start(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- what comes from the stream

    async def _work(self, lane: _Lane) -> None:
        loop = asyncio.get_running_loop()
        while lane.waiting:
            tickets = list(lane.waiting)
            if self._mailbox.has(lane.partition, lane.key) and await self._mailbox.put_behind(
                lane.partition, lane.key, [each.commit for each in tickets]
            ):
                self._finish(lane, tickets)
                continue
            if self._stopping.is_set():  # else what others have done behind these would come again
                await self._put_first(lane, None)
                continue
            slow = loop.call_later(SLOW_SECONDS, self._set_aside, lane)
            try:
                failure = await self._caller.call(tickets[0].commit, 1, self._stopping)
            except NotBegun:
                if lane.aside is None:
                    continue
                self._letters.discard((await lane.aside).key)
                return
            finally:
                slow.cancel()
            if lane.aside is not None:
                await self._end(await lane.aside, failure)
                return
            if failure is None:
                self._finish(lane, tickets[:1])
            else:
                await self._put_first(lane, failure)
        del self._lanes[lane.key]

    async def _put_first(self, lane: _Lane, failure: Failure | None) -> Letter:
        """Make letters of all that waits in a lane; return the first."""
        tickets = list(lane.waiting)
        letter = await self._mailbox.put_first(lane.partition, lane.key, [each.commit for each in tickets], failure)
        self._finish(lane, tickets)
        return letter

    def _finish(self, lane: _Lane, tickets: Sequence[Ticket]) -> None:
        for _ in tickets:
            lane.waiting.popleft()
        self._done(tickets)

    def _set_aside(self, lane: _Lane) -> None:
        with suppress(asyncio.CancelledError):  # the session is ending
            lane.aside = self._run(self._put_aside(lane))

    async def _put_aside(self, lane: _Lane) -> Letter:
        self._letters.add(lane.key)
        letter = await self._put_first(lane, None)
        rest = self._lanes[lane.key] = _Lane(lane.partition, lane.key, lane.waiting)
        self._run(self._work(rest))
        return letter

    # -- letters

    async def work_off(self) -> None:
        """Try letters as they fall due, without end."""
        while True:
            self._mailbox.news.clear()
            if self._mailbox.is_empty:
                await self._mailbox.news.wait()
            elif not await self._try_due():
                await self._wait_until_due()

    async def _try_due(self) -> int:
        room = self._caller.concurrency - len(self._letters)
        letters = await self._mailbox.due(sorted(self._letters), room) if room > 0 else []
        for each in letters:
            self._letters.add(each.key)
            self._run(self._try(each))
        return len(letters)

    async def _wait_until_due(self) -> None:
        """Wait until a letter may be due: no longer than a moment, for people may have marked some."""
        left = await self._mailbox.seconds_until_due()
        busy = len(self._letters) >= self._caller.concurrency
        seconds = LOOK_SECONDS if left is None or busy else min(max(left, SHORTEST_SECONDS), LOOK_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                await self._mailbox.news.wait()
        except TimeoutError:
            pass

    async def _try(self, letter: Letter) -> None:
        failure = None
        try:
            if letter.state != "skipped":
                failure = await self._caller.call(letter.commit, letter.attempts + 1, self._stopping)
        except NotBegun:
            self._letters.discard(letter.key)
        else:
            await self._end(letter, failure)

    async def _end(self, letter: Letter, failure: Failure | None) -> None:
        """Remove a letter that was handled; keep one that failed."""
        if failure is not None:
            await self._mailbox.put_again(letter, failure)
        else:
            await self._settled(letter)
            await self._mailbox.remove(letter)
        self._letters.discard(letter.key)
        self._mailbox.news.set()


LOOK_SECONDS = 1.0
SHORTEST_SECONDS = 0.05
"""How long to wait until letters are looked for again, at the most and at the least."""
