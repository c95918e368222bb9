"""Presence: greetings, heartbeats and goodbyes, by which lost events and ended processes are noticed.

A heartbeat has the number of the last event before it, so that the loss of the last event is noticed too. Its sender
receives it as well, which proves that the subscription works.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from bzz.relay.connection import Connection, Outgoing
from bzz.relay.inbox import Body, number_of
from bzz.relay.peers import Gap, Peer, Peers
from bzz.relay.transport import Transport

__all__ = ["HEARTBEAT_SECONDS", "SILENT_BEATS", "Presence"]

logger = logging.getLogger("bzz.relay")

HEARTBEAT_SECONDS = 1.0
"""How often a process sends a heartbeat."""

SILENT_BEATS = 5
"""After so many missing heartbeats another process has ended, or the own subscription is broken."""

RETURN_SECONDS = 3.0
"""How long nothing is sent after a reconnection, so that the other processes can subscribe again."""

MAX_PATTERNS = 100
MAX_PATTERN = 200
"""How many patterns of questions a process may announce, and how long each may be, in characters."""

Write = Callable[..., "bytes | None"]


class Presence:
    """The presence of this process and of the others.

    :param channel: the channel of all processes.
    :param write: returns the bytes of a message of a kind.
    :param status: returns the number of the last event that was sent, and the patterns that are answered here.
    :param on_loss: called with the id of a process that has ended.
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
        self._arrival = asyncio.Event()
        self._missed_beats = 0
        self.started: float | None = None

    def is_younger(self, started: Any) -> bool:
        """Return whether a process that started at this time, by the server's clock, started after this one."""
        return isinstance(started, float) and self.started is not None and started > self.started

    # -- sent

    def message(self, kind: str, channel: str | None = None) -> Outgoing:
        """Return a ``hello``, a ``beat`` or a ``bye``, by default to all processes."""
        number, patterns = self._status()
        return Outgoing(channel or self._channel, partial(self._write, kind, number=number, answers=patterns), 0)

    def _greeting(self) -> Outgoing:
        greeting = self.message("hello")
        if not self._greeted.done():
            greeting.sent = self._greeted
        return greeting

    def subscribed(self, clock: float) -> None:
        """Set when this process first subscribed, by the server's clock."""
        if self.started is None:
            self.started = clock

    async def enter(self, connection: Connection, transport: Transport) -> None:
        """Greet the others, after a reconnection once they are connected again."""
        now = self._loop.time()
        others = self._peers.present()
        for peer in others:
            peer.last_heard = now + RETURN_SECONDS
        while self._loop.time() < now + RETURN_SECONDS:
            if await transport.subscribers(self._channel) > len(others):
                break
            await asyncio.sleep(0.05)
        self._missed_beats = 0
        connection.send_first(self._greeting)

    async def wait_for_peers(self) -> None:
        """Wait until all processes that received the first greeting have answered it."""
        others = await asyncio.shield(self._greeted) - 1
        while len(self._peers.present()) < others:
            self._arrival.clear()
            await self._arrival.wait()

    async def beat_forever(self, connection: Connection, every_beat: Callable[[], None]) -> None:
        """Send heartbeats while the connection is open, until this task is cancelled."""
        while True:
            due = self._loop.time() + HEARTBEAT_SECONDS
            await asyncio.sleep(HEARTBEAT_SECONDS)
            every_beat()
            if not connection.healthy:
                continue
            if self._loop.time() < due + HEARTBEAT_SECONDS:  # else the loop was blocked, and so was the receiving
                self._check_peers(connection)
            connection.send_first(partial(self.message, "beat"))

    def _check_peers(self, connection: Connection) -> None:
        self._missed_beats += 1
        if self._missed_beats > SILENT_BEATS:
            logger.warning("a relay hears nothing, not even itself: connecting again")
            connection.reopen()
            return
        for peer in self._peers.overdue(self._loop.time() - SILENT_BEATS * HEARTBEAT_SECONDS):
            self._lose(peer)

    # -- received

    def on_echo(self) -> None:
        """Note that the subscription works: a message of this process came back."""
        self._missed_beats = 0

    def on_beat(self, peer: Peer, body: Body) -> Gap | None:
        """Note which questions a process answers, and return the gap in its events.

        :raises ValueError: if the message is malformed.
        """
        peer.announce(_patterns(body))
        self._arrival.set()
        return peer.sent_up_to(number_of(body))

    def on_bye(self, peer: Peer, body: Body) -> Gap | None:
        """Note that a process ends, and return the gap in its events."""
        self._lose(peer)
        return peer.sent_up_to(number_of(body))

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
