"""What one client of a feed is sent: the snapshot or what it missed, and then every change.

No gap and no change twice: the client joins the hub first, and what the hub tells waits while the snapshot is read, or
what was missed. Of what waited, all that the snapshot holds already is dropped.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from weakref import WeakKeyDictionary

from bzz.errors import ConfigurationError, Unavailable
from bzz.live.audience import Audience, joined, told
from bzz.live.channel import Channel, Ended
from bzz.live.frames import OPENING, READY, ResetReason, identified
from bzz.live.hub import Hub, hub_of
from bzz.live.judging import judge
from bzz.live.missed import missed
from bzz.live.positions import Sealer
from bzz.live.subscription import Subscription
from bzz.providers.changes import Changes, HistoryLost, Position

__all__ = ["Stream"]

logger = logging.getLogger("bzz.live")

RETRY_SECONDS = 30

_audiences: WeakKeyDictionary[Hub, dict[str, Audience]] = WeakKeyDictionary()


class Stream:
    """One client. There are many: each attribute and each frame of a coroutine that waits counts.

    :param channels: what it follows, all of one database.
    :param subject: names what it follows, in positions.
    """

    __slots__ = (
        "_audience",
        "_changes",
        "_channels",
        "_hub",
        "_joined",
        "_key",
        "_read_at",
        "_reason",
        "_sealer",
        "_subject",
        "_subscription",
        "take",
    )

    def __init__(self, changes: Changes, channels: Sequence[Channel], sealer: Sealer, subject: str) -> None:
        self._changes = changes
        self._hub = hub_of(changes)
        self._channels = channels
        self._sealer = sealer
        self._subject = subject
        # Another application in this process may seal with another key.
        self._key = "\n".join([str(id(sealer)), *sorted(channel.key for channel in channels)])
        self._subscription = Subscription()
        self.take = self._subscription.take
        self._audience: Audience | None = None
        self._reason: ResetReason | None = None
        self._joined = self._read_at = Position(0, 0)

    async def join(self) -> str:
        """Follow from now on; return the sealed position after which changes are told.

        :raises bzz.errors.Unavailable: where the database is away, or cannot tell its changes, which is logged.
        """
        audiences = _audiences.setdefault(self._hub, {})
        while self._audience is None:
            audience = audiences.get(self._key)
            if audience is None or audience.is_ended:
                audience = audiences[self._key] = Audience(self._channels, self._seal)
            try:
                self._joined = await self._hub.join(audience, partial(self._enter, audience))
            except ConfigurationError as error:
                logger.error("There is no feed: %s", error)
                raise Unavailable("There are no feeds here at the moment.", RETRY_SECONDS) from None
            finally:
                self._forget_if_empty(audience)
        return self._seal(self._joined)

    def _enter(self, audience: Audience) -> bool:
        if audience.is_ended:
            return False
        audience.subscriptions[self._subscription] = None
        self._audience = audience
        return True

    async def beginning(self, after: Position | None, snapshot: bool) -> AsyncGenerator[bytes]:
        """Yield what the client is sent first; all that follows is what :attr:`take` returns, until the last of it.

        :param after: where the client was; None to begin anew.
        :param snapshot: whether one that begins anew is sent what there is.
        """
        yield OPENING
        position = self._joined
        try:
            if after is None and snapshot:
                async with aclosing(self._snapshot()) as chunks:
                    async for chunk in chunks:
                        self._check()
                        yield chunk
                position = self._read_at
                if self._subscription.reason == "slow":  # which took long, and is no fault of the client's
                    await self._join_anew()
                # A new primary may show a state that is older than what was told by the one before.
                after = position if position < self._joined else None
                self._subscription.skip_until(position)
                self._check()
            if after is not None:
                async with aclosing(self._catch_up(after)) as chunks:
                    async for chunk in chunks:
                        self._check()
                        yield chunk
                position = max(after, self._joined)
                self._subscription.skip_until(position)
        except Ended as ended:
            self._subscription.fail(ended.reason)
        except HistoryLost:
            self._subscription.fail("history-lost")
        except Unavailable:
            self._subscription.fail("unavailable")
        else:
            if self._subscription.reason is None:
                yield identified(READY, self._seal(position))

    def _check(self) -> None:
        """Raise where the client is told nothing more; what waits for it, after a gap, is dropped then.

        Not where too much waited meanwhile: it catches up.
        """
        reason = self._reason or self._subscription.reason
        if reason is not None and reason != "slow":
            raise Ended(reason)

    async def _join_anew(self) -> None:
        """Follow from now on, for what waited was too much."""
        self._leave_audience()
        self._audience, self._subscription = None, Subscription()
        self.take = self._subscription.take
        await self.join()
        if self._reason is not None:
            self._subscription.end(self._reason)

    async def _snapshot(self) -> AsyncGenerator[bytes]:
        """Yield what there is, in all channels as it was at one position."""
        at = None
        for channel in self._channels:
            provider, query = channel.view.provider, channel.view.query
            found = await provider.snapshot(channel.scope, query, at)
            self._read_at = at = found.position
            async with aclosing(found.batches) as batches:
                async for batch in batches:
                    yield identified(await channel.snapshot(batch))

    async def _catch_up(self, after: Position) -> AsyncGenerator[bytes]:
        """Yield what happened after a position, and meanwhile, where that was more than may wait."""
        while True:
            async with aclosing(self._missed(after)) as chunks:
                async for chunk in chunks:
                    yield chunk
            if self._subscription.reason != "slow":
                return
            after = max(after, self._joined)
            await self._join_anew()

    async def _missed(self, after: Position) -> AsyncGenerator[bytes]:
        """Yield what happened after a position, up to where this client has joined."""
        collections = frozenset(channel.scope.collection for channel in self._channels)
        async with aclosing(missed(self._changes, self._hub, collections, after, self._joined)) as commits:
            async for position, commit in commits:
                scopes = [] if commit.key is None else [each.scope for each in self._channels if each.concerns(commit)]
                frames = await told(self._channels, commit, await judge(self._changes, commit, scopes))
                if frames:
                    yield joined(frames, self._seal(position))

    def end(self, reason: ResetReason) -> None:
        """Tell the client why, and nothing more."""
        self._reason = self._reason or reason
        self._subscription.end(reason)

    def leave(self) -> None:
        """Follow no more: the client has left, or was told everything."""
        self._subscription.end("shutdown")
        self._leave_audience()

    def _leave_audience(self) -> None:
        audience = self._audience
        if audience is not None:
            audience.subscriptions.pop(self._subscription, None)
            self._forget_if_empty(audience)

    def _forget_if_empty(self, audience: Audience) -> None:
        if not audience.subscriptions:
            audience.is_ended = True
            self._hub.leave(audience)
            known = _audiences.get(self._hub, {})
            if known.get(self._key) is audience:
                del known[self._key]

    def _seal(self, position: Position) -> str:
        return self._sealer.seal(position, self._subject)
