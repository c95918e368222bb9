"""Shares the partitions of one listener with the other processes that have it."""

from __future__ import annotations

import asyncio
import logging
import math
import time
import uuid
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any

from bzz.delivery.caller import Caller
from bzz.delivery.lease import BEAT_SECONDS, LEASE_SECONDS, Expired, Lease
from bzz.delivery.listener import DurableListener
from bzz.delivery.mailbox import ClaimLost
from bzz.delivery.own_writes import OwnWrites
from bzz.delivery.partitions import PARTITIONS
from bzz.delivery.retrying import until_stored
from bzz.delivery.session import Session
from bzz.delivery.source import Source
from bzz.errors import OutcomeUnknown, Unavailable
from bzz.providers.changes import HistoryLost
from bzz.providers.deliveries import Claim, Standing
from bzz.providers.progress import FROM_THE_BEGINNING, Progress

__all__ = ["Owner"]

logger = logging.getLogger("bzz.delivery")

LOST = "%s: other processes may own some of its partitions by now"

GIVING_SECONDS = 4.0
"""How long calls may take of a listener whose partitions are given to others, or that is switched off."""

RETRY_SECONDS = 1.0
"""How long to wait after something failed that nobody foresaw."""


class Owner:
    """Owns a fair share of the partitions of one listener, as long as this process can say that it is there."""

    def __init__(self, listener: DurableListener, source: Source, own_writes: OwnWrites) -> None:
        self._listener = listener
        self._source = source
        self._deliveries = source.deliveries
        self._holder = uuid.uuid4().hex
        self._lease = Lease()
        self._caller = Caller(listener, source, self._lease, own_writes, self._tell_failing, self._switch_off)
        self._sessions: dict[Session, asyncio.Task[None]] = {}
        self._notes: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._is_known = False
        self._is_halting = False

    @property
    def name(self) -> str:
        """The name of the listener."""
        return self._listener.name

    async def prepare(self) -> None:
        """Have the database keep what the listener is to be told.

        :raises bzz.errors.ConfigurationError: where it cannot.
        :raises bzz.errors.Unavailable: where it is away.
        """
        await self._source.changes.prepare(self._source.collections)

    async def enroll(self) -> None:
        """Make the listener known to the database: what is written from now on, it is told.

        :raises bzz.errors.Unavailable: where that is away; or :class:`~bzz.errors.OutcomeUnknown`.
        """
        await self._deliveries.enroll(self._listener.name, PARTITIONS, await self._start())
        self._is_known = True

    def start(self) -> None:
        """Begin to work. Whatever of :meth:`prepare` and :meth:`enroll` has failed is done again."""
        self._task = asyncio.create_task(self._run(), name=f"durable listener {self._listener.name}")

    async def stop(self, seconds: float) -> None:
        """Let the calls end that are being made, and leave the partitions to others.

        :param seconds: how long calls may take.
        """
        self._stopping.set()
        if self._task is not None:
            # A claim that is cut short may be made all the same, behind leave(), and nobody would work on it.
            _, late = await asyncio.wait([self._task], timeout=BEAT_SECONDS)
            for each in late:
                each.cancel()
                await asyncio.wait([each])
        closing = asyncio.gather(*(self._close(each, seconds) for each in list(self._sessions)))
        while not (await asyncio.wait([closing], timeout=BEAT_SECONDS))[0]:
            await self._stay()
        if self._notes:
            _, late = await asyncio.wait(self._notes, timeout=RETRY_SECONDS)
            for each in late:
                each.cancel()
        try:
            await self._deliveries.leave(self._listener.name, self._holder)
        except (Unavailable, OutcomeUnknown):  # the leases will end by themselves
            logger.warning("%s: the database is away, so others have to wait for the partitions", self._listener.name)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self._is_known:
                    await self.prepare()
                    await self.enroll()
                self._is_known = await self._beat()
                pause = BEAT_SECONDS if self._is_known else RETRY_SECONDS
            except (Unavailable, OutcomeUnknown) as error:
                logger.warning("%s: the database is away: %s", self._listener.name, error)
                pause = RETRY_SECONDS
            except Exception:
                logger.exception("%s: its partitions could not be shared", self._listener.name)
                self._is_known = False
                pause = RETRY_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

    async def _start(self) -> Progress:
        """Return where a new listener begins."""
        start, collections = self._listener.start, self._source.collections
        if start == "beginning":
            return FROM_THE_BEGINNING
        if start == "now":
            return Progress(await self._source.changes.now())
        # Each collection counts its changes by itself: of several, those of one cluster time may come once more.
        counts = {collections[0]: start.number} if len(collections) == 1 else {}
        return Progress(start._replace(number=0), counts)

    # -- sharing

    async def _beat(self) -> bool:
        """Say that this process is there, and take or give partitions; false where the listener has to enroll anew."""
        asked_at = time.monotonic()
        standing = await self._deliveries.attend(self._listener.name, self._holder, LEASE_SECONDS)
        if standing is None:
            logger.error("%s: nothing is stored of it any more, so it begins anew", self._listener.name)
            return False
        for session in list(self._sessions):
            is_lost = not session.partitions <= standing.owned
            if is_lost or standing.trouble is not None:
                await self._close(session, 0 if is_lost else GIVING_SECONDS)
            if is_lost:
                logger.warning(LOST, self._listener.name)
        self._lease.prolong(asked_at)  # only now: a session whose partitions are another's must not begin a call by it
        if not self._notes:  # else what the calls here have shown is being stored
            self._caller.failing_since = standing.failing_since
        if standing.trouble is not None or self._is_halting:
            return True
        self._caller.go_on()
        share = math.ceil(PARTITIONS / standing.members)
        if len(self._working) > share:
            await self._close(max(self._sessions, key=lambda each: len(each.partitions)), GIVING_SECONDS)
        await self._take(standing, share)
        return True

    async def _stay(self) -> None:
        """Prolong the lease while the last calls end."""
        asked_at = time.monotonic()
        try:
            standing = await self._deliveries.attend(self._listener.name, self._holder, LEASE_SECONDS)
        except (Unavailable, OutcomeUnknown) as error:
            logger.warning("%s: the database is away: %s", self._listener.name, error)
            return
        if standing is not None and self._working <= standing.owned:
            self._lease.prolong(asked_at)

    @property
    def _working(self) -> set[int]:
        """The partitions that there is a session for."""
        return {each for session in self._sessions for each in session.partitions}

    async def _take(self, standing: Standing, share: int) -> None:
        """Work on a share of the partitions: first on those that are owned already, then on those that are free.

        What is owned beyond the share is given to others. Partitions whose session has ended are claimed anew: so
        nothing that it was still writing is stored later.
        """
        room = max(0, share - len(self._working))
        idle = sorted(standing.owned - self._working)
        claims, free = await self._claim(idle), list(standing.free)
        while free and len(claims) < room:  # where another process is quicker, the next ones
            wanted, free = free[: room - len(claims)], free[room - len(claims) :]
            claims += await self._claim(wanted)
        self._open(claims[:room])
        if claims[room:]:  # all at once, so that who takes them next follows one stream for all
            await self._deliveries.release(claims[room:])

    async def _claim(self, partitions: Iterable[int]) -> list[Claim]:
        name, own = self._listener.name, self._holder
        found = await asyncio.gather(*(self._deliveries.claim(name, each, own, LEASE_SECONDS) for each in partitions))
        return [each for each in found if each is not None]

    # -- sessions

    def _open(self, claims: list[Claim]) -> None:
        if claims and not self._stopping.is_set():
            session = Session(self._listener, self._source, self._caller, claims)
            self._sessions[session] = asyncio.create_task(self._watch(session))

    async def _watch(self, session: Session) -> None:
        """Run a session, and say why it ended. Its partitions are claimed again at the next beat."""
        name = self._listener.name
        try:
            await session.run()
        except* HistoryLost as errors:
            reason = f"the database does not know any more what followed ({errors.exceptions[0]})"
            logger.error("%s: changes were lost: %s; resync it, or resume it to go on from now", name, reason)
            await until_stored(lambda: self._deliveries.halt(name, "lost", reason))
        except* (ClaimLost, Expired):
            logger.warning(LOST, name)
        except* Exception:
            logger.exception("%s: it goes on from what was stored", name)
            await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._sessions.pop(session, None)

    async def _close(self, session: Session, seconds: float) -> None:
        """End a session; its partitions stay owned."""
        task = self._sessions.get(session)
        if task is None:
            return
        if seconds:
            try:
                async with asyncio.timeout(seconds + RETRY_SECONDS):
                    await session.stop(seconds)
            except (ClaimLost, TimeoutError) as error:
                logger.warning("%s: what was done last may be done again: %s", self._listener.name, error)
        task.cancel()
        await asyncio.wait([task])

    # -- what calls tell

    def _tell_failing(self, is_failing: bool) -> None:
        self._note(until_stored(lambda: self._deliveries.note_failing(self._listener.name, is_failing)))

    def _switch_off(self, reason: str) -> None:
        logger.error("%s is switched off: %s", self._listener.name, reason)
        self._caller.hold()
        if not self._is_halting:
            self._is_halting = True
            self._note(self._halt(reason))

    async def _halt(self, reason: str) -> None:
        try:
            await until_stored(lambda: self._deliveries.halt(self._listener.name, "off", reason))
            for session in list(self._sessions):
                await self._close(session, RETRY_SECONDS)
        finally:
            self._is_halting = False

    def _note(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)
