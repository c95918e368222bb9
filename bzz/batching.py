"""Concurrent questions to a database, sent in groups that share a round trip.

While one group is on its way, further questions collect and are sent next. A lone question is sent at once, nothing
waits on a timer, and no question joins a group that was sent before it was asked, so everyone reads their own writes. A
group that is late delays nobody: the next one is sent beside it. This module knows no database: the provider gives the
function that sends a group.
"""

from __future__ import annotations

import asyncio
import copy
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from bzz.errors import TOO_SLOW, OutcomeUnknown, Unavailable
from bzz.request import current_id, request_context

__all__ = ["LATE_SECONDS", "LOOK_SECONDS", "MAX_WAIT_SECONDS", "Batcher", "unwatch_groups", "watch_groups"]

Q = TypeVar("Q")
A = TypeVar("A")

MAX_WAITING = 10_000
MAX_GROUP = 1_000
MAX_GROUP_WEIGHT = 16 * 1024 * 1024

LATE_SECONDS = 0.5
"""How long questions wait for a group before the next is sent beside it: a hundred times the usual duration."""

LOOK_SECONDS = 0.25
"""How often waiting questions are checked for their age."""

MAX_WAIT_SECONDS = 2.75
"""After so long, waiting questions are refused, at most :data:`LOOK_SECONDS` later: three seconds in all."""

MAX_GROUPS = 8
"""How many groups may be on their way at once; all but one of them are late."""

LONE_GROUPS = 3
"""After so many groups of one question each, a further lone question is sent by its asker, which spares a task: 3 % of
a read at one connection. Not earlier: under load, lone groups and large ones alternate, and these would get smaller."""

_STOPPING = "The server is stopping; nothing was done."  # the loop is ending with requests in the queue


_group_watchers: list[Callable[[int, bool], None]] = []


def watch_groups(tell: Callable[[int, bool], None]) -> None:
    """Have ``tell`` called with the size of each group that is sent, and whether it writes."""
    _group_watchers.append(tell)


def unwatch_groups(tell: Callable[[int, bool], None]) -> None:
    """Stop calling ``tell``."""
    _group_watchers.remove(tell)


class Batcher(Generic[Q, A]):
    """Collects questions while a group of them is being answered. It belongs to one event loop.

    :param send: answers a group: for each question, in the same order, its answer or its error. If it raises, every
        asker in the group gets the exception.
    :param writes: whether a question may have changed something although its answer was lost.
    :param weigh: returns how much a question counts towards :data:`MAX_GROUP_WEIGHT`, for example in bytes; by default
        nothing.
    :param max_waiting: how many questions may wait; further ones are refused.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]],
        *,
        writes: bool = False,
        weigh: Callable[[Q], int] | None = None,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._send = send
        self._writes = writes
        self._lost = OutcomeUnknown if writes else Unavailable
        self._weigh = weigh
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[Q, asyncio.Future[A], float, str | None]] = deque()
        self._groups: dict[object, float] = {}  # those on their way, and when they were sent; the newest is the last
        self._tasks: set[asyncio.Task[None]] = set()  # kept, for the loop does not
        self._is_starting = False
        self._look_later: asyncio.TimerHandle | None = None
        self._lone_groups = 0  # the last ones in a row

    async def ask(self, question: Q) -> A:
        """Return the answer to one question, sent now or with the next group.

        If the asker is cancelled, its group goes on, unless it was alone in it.

        :raises bzz.errors.Unavailable: if too many wait already, or this one has waited for three seconds.
        """
        if len(self._waiting) >= self._max_waiting:
            raise Unavailable("Too many requests are waiting for the database; nothing was done.")
        loop = asyncio.get_running_loop()
        now = loop.time()
        is_busy = self._is_starting or (bool(self._groups) and self._is_held_up(now))
        if not is_busy and not self._waiting and self._lone_groups >= LONE_GROUPS:
            return await self._ask_alone(question, loop)
        future: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, future, now, current_id()))
        if not is_busy:
            self._start()
        elif self._look_later is None:
            self._look_later = loop.call_later(LOOK_SECONDS, self._look, loop)
        return await future

    def _is_busy(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Return whether the next group has to wait for one that is on its way, or about to be sent."""
        return self._is_starting or (bool(self._groups) and self._is_held_up(loop.time()))

    def _is_held_up(self, now: float) -> bool:
        newest = next(reversed(self._groups.values()))
        return now - newest < LATE_SECONDS or len(self._groups) >= MAX_GROUPS

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Check waiting questions while there are any: refuse old ones, and send the next group if one is late."""
        self._look_later = None
        self._give_up_late()
        if self._waiting:
            self._look_later = loop.call_later(LOOK_SECONDS, self._look, loop)
            if not self._is_busy(loop):
                self._start()

    async def _ask_alone(self, question: Q, loop: asyncio.AbstractEventLoop) -> A:
        group = object()
        self._groups[group] = loop.time()
        for tell in _group_watchers:
            tell(1, self._writes)
        try:
            (answer,) = await self._send([question])
        finally:
            del self._groups[group]
            if self._waiting:
                self._give_up_late()
                nobody_waits = all(future.done() for _, future, *_ in self._waiting)
                if not nobody_waits and not self._is_busy(loop):
                    self._start()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _start(self) -> None:
        self._is_starting = True
        task = asyncio.ensure_future(self._run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._is_starting = False
        try:
            while self._waiting and not self._is_busy(loop):
                questions, request_id = self._next_group()
                self._lone_groups = self._lone_groups + 1 if len(questions) == 1 else 0
                group = object()
                self._groups[group] = loop.time()
                try:
                    with request_context(None, request_id):
                        await self._send_group(questions)
                finally:
                    del self._groups[group]
                self._give_up_late()
        except BaseException:
            self._give_up(_STOPPING)
            raise

    def _next_group(self) -> tuple[list[tuple[Q, asyncio.Future[A]]], str | None]:
        """Return the questions to send, and the id of their request; None if they are of several."""
        question, future, _, request_id = self._waiting.popleft()
        group = [(question, future)]
        weight = self._weight_of(question)
        while self._waiting and len(group) < MAX_GROUP:
            weight += self._weight_of(self._waiting[0][0])
            if weight > MAX_GROUP_WEIGHT:
                break
            question, future, _, other_id = self._waiting.popleft()
            group.append((question, future))
            request_id = request_id if request_id == other_id else None
        return group, request_id

    def _weight_of(self, question: Q) -> int:
        return 0 if self._weigh is None else self._weigh(question)

    async def _send_group(self, group: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        for tell in _group_watchers:
            tell(len(group), self._writes)
        try:
            answers = await self._send([question for question, _ in group])
        except Exception as error:
            answers = [copy.copy(error) for _ in group]  # one each: a traceback grows wherever its error is raised
        except BaseException:
            _settle(group, [self._lost() for _ in group])
            raise
        _settle(group, answers)

    def _give_up_late(self) -> None:
        self._give_up(TOO_SLOW, asyncio.get_running_loop().time() - MAX_WAIT_SECONDS)

    def _give_up(self, detail: str, since: float = math.inf) -> None:
        """Refuse the questions that have waited since then: none of them was sent."""
        while self._waiting and self._waiting[0][2] <= since:
            _, future, *_ = self._waiting.popleft()
            if not future.done():
                future.set_exception(Unavailable(detail))


def _settle(group: Sequence[tuple[Q, asyncio.Future[A]]], answers: Sequence[A | Exception]) -> None:
    for (_, future), answer in zip(group, answers, strict=True):
        if future.done():  # its asker was cancelled
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
