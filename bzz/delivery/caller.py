"""Calls a listener: so many calls at a time, and none without a lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from bzz.delivery.attempt import Failure, attempt, change_id, failed
from bzz.delivery.lease import Lease
from bzz.delivery.listener import DurableListener
from bzz.delivery.own_writes import OwnWrites
from bzz.delivery.source import Source
from bzz.events.causes import fresh
from bzz.providers.commit import Commit

__all__ = ["Caller", "NotBegun"]


class NotBegun(Exception):
    """It was not the turn of a call before a stop."""


class Caller:
    """Calls one listener, for all sessions of this process.

    :param lease: must be valid when a call begins.
    :param own_writes: says which changes the requests of this process have made.
    :param tell_failing: told when the listener begins to fail, and when it has handled a change after that.
    :param switch_off: told why the listener wants to be called no more.
    :ivar failing_since: since when it has handled nothing.
    """

    def __init__(
        self,
        listener: DurableListener,
        source: Source,
        lease: Lease,
        own_writes: OwnWrites,
        tell_failing: Callable[[bool], None],
        switch_off: Callable[[str], None],
    ) -> None:
        self.concurrency = listener.concurrency
        self.failing_since: datetime | None = None
        self._listener = listener
        self._source = source
        self._lease = lease
        self._own_writes = own_writes
        self._tell_failing = tell_failing
        self._switch_off = switch_off
        self._slots = asyncio.Semaphore(listener.concurrency)
        self._may_call = asyncio.Event()
        self._may_call.set()

    async def call(self, commit: Commit, number: int, stopping: asyncio.Event) -> Failure | None:
        """Call the listener with a change, when it is its turn; return why that failed.

        :param number: of the attempt, from 1.
        :param stopping: set where no further call may begin.
        :raises NotBegun: where that is set first.
        :raises bzz.delivery.lease.Expired: where the lease has ended: another process may own the partition.
        """
        while True:
            if not self._may_call.is_set():
                await _first_of(self._may_call, stopping)
            async with self._slots:
                if stopping.is_set():
                    raise NotBegun()
                if not self._may_call.is_set():  # it was switched off while this one waited
                    continue
                self._lease.check()
                with fresh():
                    failure = await self._attempt(commit, number)
                self._note(failure)
                return failure

    def hold(self) -> None:
        """Begin no further call."""
        self._may_call.clear()

    def go_on(self) -> None:
        """Begin calls again."""
        self._may_call.set()

    async def _attempt(self, commit: Commit, number: int) -> Failure | None:
        id = change_id(commit)
        try:
            change = self._source.change(commit)
            if await self._own_writes.made(change, id):
                change = replace(change, source="http")
        except Exception as error:  # of a document that its class cannot make sense of
            return failed(error)
        root = self._source.providers[commit.collection].shape.model
        return await attempt(self._listener, change, root, id, number, self.failing_since)

    def _note(self, failure: Failure | None) -> None:
        if failure is None and self.failing_since is not None:
            self.failing_since = None
            self._tell_failing(False)
        elif failure is not None and self.failing_since is None:
            self.failing_since = datetime.now(UTC)
            self._tell_failing(True)
        if failure is not None and failure.switch_off is not None:
            self._switch_off(failure.switch_off)


async def _first_of(*events: asyncio.Event) -> None:
    """Wait until one of several events is set."""
    waiting = [asyncio.ensure_future(each.wait()) for each in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
