"""Received messages: checked, queued, and delivered in order. No message can stop the delivery."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bzz.calling import call
from bzz.errors import EventCycle
from bzz.events.bus import bus
from bzz.events.event import Remote
from bzz.relay.envelope import Envelope, Unreadable
from bzz.relay.events import read_event
from bzz.relay.peers import Gap, Peer, Peers
from bzz.relay.queue import BoundedQueue
from bzz.relay.statistics import Counts

__all__ = ["MAX_NAME", "Body", "Inbox", "number_of"]

logger = logging.getLogger("bzz.relay")

MAX_NAME = 64
"""The maximum length of a relay's name, in characters."""

TURN = 64
"""How many messages are delivered in a row before other tasks of the loop run."""

_NUMBERS = 1 << 53

Body = Mapping[str, Any]
OnGap = Callable[[Gap], Any]


@dataclass(frozen=True, eq=False)
class Incoming:
    """A checked message that waits for delivery."""

    process: str
    body: Body
    size: int


class Inbox:
    """The received messages of one relay.

    :param process: the id of this process. ``on_echo`` is called for its own messages, which are then dropped.
    :param is_younger: called with the start time of a process; returns whether it started after this one.
    :param kinds: the handlers of messages that are not events, by their kind. They return the gap that they notice.
    :param on_gap: called for lost events, before the next one is delivered.
    """

    def __init__(
        self,
        process: str,
        envelope: Envelope,
        queue: BoundedQueue[Incoming],
        counts: Counts,
        peers: Peers,
        *,
        is_younger: Callable[[Any], bool],
        kinds: Mapping[str, Callable[[Peer, Body], Gap | None]],
        on_gap: list[OnGap],
        on_echo: Callable[[], None],
    ) -> None:
        self._own = b"bzz/1 " + process.encode() + b" "
        self._envelope = envelope
        self._queue = queue
        self._counts = counts
        self._peers = peers
        self._is_younger = is_younger
        self._kinds = kinds
        self._on_gap = on_gap
        self._on_echo = on_echo
        self.stopping = False

    def receive(self, data: bytes) -> None:
        """Take one message. This never raises."""
        if data.startswith(self._own):
            self._on_echo()
            return
        try:
            process, body = self._envelope.open(data)
        except Unreadable as error:
            self._counts.drop(str(error))
            return
        message = Incoming(process, body, len(data))
        if body.get("kind") == "answer":  # a listener that waits for it may be what blocks the queue
            self._handle(message)
            return
        for _ in self._queue.put(message):
            self._counts.drop("inbox_full")

    def _handle(self, message: Incoming) -> Gap | None:
        """Handle a message that is not an event, and return the gap that it reveals."""
        kind = message.body.get("kind")
        handle = self._kinds.get(kind) if isinstance(kind, str) else None
        if handle is None:
            self._counts.drop("unknown_kind")
            return None
        try:
            return handle(self._peer(message), message.body)
        except ValueError:
            self._counts.drop("undecodable")
            return None

    def _peer(self, message: Incoming) -> Peer:
        name = message.body.get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
            raise ValueError("a message tells the name of its relay")
        is_younger = self._is_younger(message.body.get("started"))
        return self._peers.hear(message.process, name, is_younger, asyncio.get_running_loop().time())

    async def deliver_forever(self) -> None:
        """Deliver queued messages until this task is cancelled."""
        while True:
            await self._queue.filled.wait()
            for message in self._queue.take(TURN):
                await self._deliver(message)
            await asyncio.sleep(0)

    async def _deliver(self, message: Incoming) -> None:
        try:
            if message.body.get("kind") == "event":
                await self._deliver_event(message)
            else:
                await self._report_gap(self._handle(message))
        except asyncio.CancelledError:
            if self.stopping:
                raise
            self._counts.drop("failed")  # a listener let itself be cancelled
        except Exception:
            self._counts.drop("failed")
            logger.exception("a relayed message could not be delivered")

    async def _deliver_event(self, message: Incoming) -> None:
        try:
            peer, number = self._peer(message), number_of(message.body)
        except ValueError:
            self._counts.drop("undecodable")
            return
        if not peer.is_new(number):
            self._counts.drop("duplicate")
            return
        await self._report_gap(peer.received(number))
        try:
            event = read_event(message.body.get("event"), Remote(peer.name, peer.process, number))
        except ValueError:
            self._counts.drop("undecodable")
            return
        self._counts.received += 1
        try:
            await bus.emit(event)
        except EventCycle as error:
            logger.error("%s from %s set off a loop: %s", event.name, peer.name, error)

    async def _report_gap(self, gap: Gap | None) -> None:
        """Call the functions of ``on_gap``, and log what they raise."""
        if gap is None:
            return
        for function in self._on_gap:
            try:
                await call(function, gap)
            except Exception:
                logger.exception("on_gap failed: %r", function)


def number_of(body: Body) -> int:
    """Return the number in a message: that of an event, or of the last event.

    :raises ValueError: if it is missing or invalid.
    """
    number = body.get("number")
    if type(number) is not int or not 0 <= number < _NUMBERS:
        raise ValueError("a number is expected")
    return number
