"""All clients that see the same: told once, with the positions that hold for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bzz.live.channel import Channel, Ended
from bzz.live.frames import PING, ResetReason, identified
from bzz.live.judging import Judgement
from bzz.live.subscription import Subscription
from bzz.providers.changes import Commit, Matches, Position, Scope

__all__ = ["Audience", "joined", "told"]

_NOTHING = Matches(False, False)


async def told(channels: Iterable[Channel], commit: Commit, judgement: Judgement) -> list[bytes]:
    """Return the frames of a change in all channels, without ids.

    :raises bzz.live.channel.Ended: where nothing true can be told any more.
    """
    frames: list[bytes] = []
    for channel in channels:
        if channel.concerns(commit):
            frames += await channel.frames(commit, judgement.get(channel.scope.key, _NOTHING))
    return frames


class Audience:
    """The clients of one set of channels: one follower of the hub.

    :param seal: makes a text of a position.
    """

    def __init__(self, channels: Sequence[Channel], seal: Callable[[Position], str]) -> None:
        self.channels = channels
        self.collections = frozenset(channel.scope.collection for channel in channels)
        self.subscriptions: dict[Subscription, None] = {}
        self.is_ended = False
        self._seal = seal

    def scopes(self, commit: Commit) -> list[Scope]:
        """Called by the hub."""
        if commit.key is None:
            return []
        return [channel.scope for channel in self.channels if channel.concerns(commit)]

    async def tell(self, commit: Commit, position: Position, judgement: Judgement) -> None:
        """Called by the hub with each change."""
        if self.is_ended:
            return
        try:
            frames = await told(self.channels, commit, judgement)
        except Ended as ended:
            self.end(ended.reason)
            return
        if frames:
            whole = joined(frames, self._seal(position))
            for each in self.subscriptions:
                each.put(position, whole)

    def tick(self, position: Position | None) -> None:
        """Called by the hub now and then: let idle clients know that all is well, and how far they are."""
        frame = identified(PING, None if position is None else self._seal(position))
        for each in self.subscriptions:
            if each.is_idle:
                each.put(position, frame)

    def end(self, reason: ResetReason) -> None:
        """Called by the hub, or where nothing true can be told any more."""
        self.is_ended = True
        for each in self.subscriptions:
            each.end(reason)


def joined(frames: Sequence[bytes], position: str) -> bytes:
    """Return the frames of one change. Only the last has an id: who breaks off before it gets all of them again."""
    *first, last = frames
    return b"".join([*(identified(each) for each in first), identified(last, position)])
