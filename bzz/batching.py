"""Requests that wait share a round trip.

While one group is on its way, what other requests ask for collects, and goes next. A lone request goes at once,
nothing waits on a timer, and no request joins a group that was sent before it arrived, so everyone reads their own
writes. Nothing here knows a database: a group is sent by the function that the provider hands in.
"""

from __future__ import annotations

import asyncio
import copy
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from bzz.errors import TOO_SLOW, Unavailable

__all__ = ["Batcher"]

Q = TypeVar("Q")
A = TypeVar("A")

MAX_WAITING = 10_000
MAX_WAIT_SECONDS = 3.0
MAX_GROUP = 1_000
MAX_GROUP_WEIGHT = 16 * 1024 * 1024

LONE_GROUPS = 3
"""After so many groups of one question each, a further lone question is sent by its asker, which spares a task: 3 % of
a read at one connection. Not earlier: under load, lone groups and large ones alternate, and these would get smaller."""

_STOPPING = "The server is stopping; nothing was done."  # the loop is ending with requests in the queue


class Batcher(Generic[Q, A]):
    """Collects questions while a group of them is being answered. It belongs to one event loop.

    :param send: answers a group: for each question, in the same order, its answer or its error. An exception that it
        raises is every asker's.
    :param weigh: how much a question counts towards :data:`MAX_GROUP_WEIGHT` (in bytes, say); nothing unless given.
    :param max_waiting: how many may wait before further ones are refused.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]],
        *,
        weigh: Callable[[Q], int] | None = None,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._send = send
        self._weigh = weigh
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[Q, asyncio.Future[A], float]] = deque()
        self._task: asyncio.Task[None] | None = None  # kept, for the loop does not
        self._is_busy = False
        self._lone_groups = 0  # the last ones in a row

    async def ask(self, question: Q) -> A:
        """The answer to one question, sent now or with the next group.

        An asker that is cancelled takes nobody with it: its group goes on, unless it was alone in it.

        :raises bzz.errors.Unavailable: where too many wait already, or the group before took so long that this one
            would come too late.
        """
        if len(self._waiting) >= self._max_waiting:
            raise Unavailable("Too many requests are waiting for the database; nothing was done.")
        if not self._is_busy and self._lone_groups >= LONE_GROUPS:
            return await self._ask_alone(question)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, future, loop.time()))
        if not self._is_busy:
            self._start()
        return await future

    async def _ask_alone(self, question: Q) -> A:
        self._is_busy = True
        try:
            (answer,) = await self._send([question])
        finally:
            self._is_busy = False
            self._give_up_late()
            if not all(future.done() for _, future, _ in self._waiting):  # as they are where the loop is ending
                self._start()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _start(self) -> None:
        self._is_busy = True
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                group = self._next_group()
                self._lone_groups = self._lone_groups + 1 if len(group) == 1 else 0
                await self._send_group(group)
                self._give_up_late()
        finally:
            self._is_busy = False
            self._give_up(_STOPPING)

    def _next_group(self) -> list[tuple[Q, asyncio.Future[A]]]:
        group = [self._waiting.popleft()[:2]]
        weight = self._weight_of(group[0][0])
        while self._waiting and len(group) < MAX_GROUP:
            weight += self._weight_of(self._waiting[0][0])
            if weight > MAX_GROUP_WEIGHT:
                break
            group.append(self._waiting.popleft()[:2])
        return group

    def _weight_of(self, question: Q) -> int:
        return 0 if self._weigh is None else self._weigh(question)

    async def _send_group(self, group: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        try:
            answers = await self._send([question for question, _ in group])
        except Exception as error:
            answers = [copy.copy(error) for _ in group]  # one each: a traceback grows wherever its error is raised
        except BaseException:
            _settle(group, [Unavailable("The server is stopping; the outcome is unknown.")] * len(group))
            raise
        _settle(group, answers)

    def _give_up_late(self) -> None:
        self._give_up(TOO_SLOW, asyncio.get_running_loop().time() - MAX_WAIT_SECONDS)

    def _give_up(self, detail: str, since: float = math.inf) -> None:
        """Refuse those who have waited since then or longer: none of them was sent."""
        while self._waiting and self._waiting[0][2] <= since:
            _, future, _ = self._waiting.popleft()
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
