"""Who is there: greetings, heartbeats and goodbyes, and what their numbers tell of events that never came.

A heartbeat repeats the number of the last event that went out before it, so that the loss of a last event shows too. It
comes back to its sender as well, which proves that the subscription is alive.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from bzz.relay.connection import Link, Outgoing
from bzz.relay.inbox import Body, number_of
from bzz.relay.peers import Gap, Peer, Peers
from bzz.relay.transport import Transport

__all__ = ["HEARTBEAT_SECONDS", "SILENT_BEATS", "Presence"]

logger = logging.getLogger("bzz.relay")

HEARTBEAT_SECONDS = 1.0
"""How often a process says that it is there."""

SILENT_BEATS = 5
"""After so many heartbeats unheard, another process is gone, or the own subscription is dead."""

RETURN_SECONDS = 3.0
"""How long nothing is sent after the server was away, so that the others can subscribe again."""

MAX_PATTERNS = 100
MAX_PATTERN = 200
"""How many patterns a process may say that it answers, and how long each may be, in characters."""

Write = Callable[..., "bytes | None"]


class Presence:
    """One process among the others.

    :param channel: the channel that everybody hears.
    :param write: gives the bytes of a message of a kind.
    :param status: gives the number of the last event that went out, and the patterns that are answered here.
    :param on_loss: told the id of a process that is gone.
    """

    def __init__(
        self,
        channel: str,
        peers: Peers,
        write: Write,
        status: Callable[[], tuple[int, list[str]]],
        on_loss: Callable[[str], None],
    ) -> None:
        self._channel = channel
        self._peers = peers
        self._write = write
        self._status = status
        self._on_loss = on_loss
        self._loop = asyncio.get_running_loop()
        self._greeted: asyncio.Future[int] = self._loop.create_future()
        self._somebody = asyncio.Event()
        self._unheard = 0
        self.started: float | None = None

    def is_younger(self, started: Any) -> bool:
        """Return whether a process that started at this time of the server's clock did so after this one."""
        return isinstance(started, float) and self.started is not None and started > self.started

    # -- what is said

    def message(self, kind: str, channel: str | None = None) -> Outgoing:
        """Return a ``hello``, a ``beat`` or a ``bye``; to everybody unless a channel is given."""
        number, patterns = self._status()
        return Outgoing(channel or self._channel, partial(self._write, kind, number=number, answers=patterns), 0)

    def _greeting(self) -> Outgoing:
        greeting = self.message("hello")
        if not self._greeted.done():
            greeting.sent = self._greeted
        return greeting

    def subscribed(self, clock: float) -> None:
        """Note when this process began to listen, by the server's clock."""
        if self.started is None:
            self.started = clock

    async def enter(self, link: Link, transport: Transport) -> None:
        """Greet the others, once they are back if the server was away."""
        now = self._loop.time()
        others = self._peers.present()
        for peer in others:
            peer.heard = now + RETURN_SECONDS
        while self._loop.time() < now + RETURN_SECONDS:
            if await transport.subscribers(self._channel) > len(others):
                break
            await asyncio.sleep(0.05)
        self._unheard = 0
        link.hurry(self._greeting)

    async def call_the_roll(self) -> None:
        """Wait until everybody whom the first greeting went to has answered it."""
        others = await asyncio.shield(self._greeted) - 1
        while len(self._peers.present()) < others:
            self._somebody.clear()
            await self._somebody.wait()

    async def beat_forever(self, link: Link, every_beat: Callable[[], None]) -> None:
        """Send heartbeats while the link stands, until this task is cancelled."""
        while True:
            due = self._loop.time() + HEARTBEAT_SECONDS
            await asyncio.sleep(HEARTBEAT_SECONDS)
            every_beat()
            if not link.healthy:
                continue
            if self._loop.time() < due + HEARTBEAT_SECONDS:  # else what others sent has had to wait as well
                self._look_round(link)
            link.hurry(partial(self.message, "beat"))

    def _look_round(self, link: Link) -> None:
        self._unheard += 1
        if self._unheard > SILENT_BEATS:
            logger.warning("a relay hears nothing, not even itself: connecting again")
            link.reopen()
            return
        for peer in self._peers.overdue(self._loop.time() - SILENT_BEATS * HEARTBEAT_SECONDS):
            self._lose(peer)

    # -- what is heard

    def hear_echo(self) -> None:
        """Note that something of one's own came back."""
        self._unheard = 0

    def hear(self, peer: Peer, body: Body) -> Gap | None:
        """Note what a process answers, and what of it never came.

        :raises ValueError: if the message does not tell.
        """
        peer.announce(_patterns(body))
        self._somebody.set()
        return peer.miss(number_of(body))

    def hear_bye(self, peer: Peer, body: Body) -> Gap | None:
        """Note that a process ends."""
        self._lose(peer)
        return peer.miss(number_of(body))

    def _lose(self, peer: Peer) -> None:
        peer.present = False
        self._on_loss(peer.process)


def _patterns(body: Body) -> list[str]:
    patterns = body.get("answers")
    if not isinstance(patterns, list) or len(patterns) > MAX_PATTERNS:
        raise ValueError("a list of patterns is expected")
    if not all(isinstance(each, str) and len(each) <= MAX_PATTERN for each in patterns):
        raise ValueError("patterns are short texts")
    return patterns
