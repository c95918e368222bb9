"""A relay from its start to its stop: its id, its numbers, who else is there, and what comes and goes.

An event is delivered to the listeners here first, then numbered, packed and queued; nobody waits for the server. What
arrives is checked at once and delivered in a task of its own, so that a slow listener neither holds up answers nor
lets the server's buffers fill.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from bzz.errors import ConfigurationError
from bzz.events.bus import bus
from bzz.events.event import Event
from bzz.events.loops import running_loop
from bzz.relay.answering import Answering
from bzz.relay.asking import Asking
from bzz.relay.connection import Link, Outgoing
from bzz.relay.envelope import MAX_BYTES, Envelope, Unreadable
from bzz.relay.events import Travelling, write_event
from bzz.relay.inbox import Body, Inbox
from bzz.relay.peers import Gap, Peer, Peers
from bzz.relay.presence import Presence
from bzz.relay.questions import Conversation
from bzz.relay.queue import BoundedQueue, Policy
from bzz.relay.statistics import Counts, Stats
from bzz.relay.tasks import end, start
from bzz.relay.transport import Transport

__all__ = ["Session", "Settings"]

logger = logging.getLogger("bzz.relay")

OPEN_SECONDS = 5.0
"""How long a start waits for the server before it goes on without it."""

ROLL_CALL_SECONDS = 1.0
"""How long a start waits for those who are there to say so."""

STOP_SECONDS = 2.0
"""How long a stop waits for what is queued to be sent, and for questions that are being worked on."""

MAX_EVENT_BYTES = MAX_BYTES - 1024
"""How long an event may be: a message of :data:`MAX_BYTES` without what goes around it."""


@dataclass(frozen=True)
class Settings:
    """What an application chose for its relay; see :class:`bzz.RedisRelay`."""

    name: str
    channel: str
    transport: Transport
    envelope: Envelope
    queue_size: int
    policy: Policy
    answering: Answering
    on_gap: list[Callable[[Gap], Any]] = field(default_factory=list)
    revealed: set[str] = field(default_factory=set)


class Session:
    """One relay that is running."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.process = uuid.uuid4().hex
        self.peers = Peers()
        self.counts = Counts(settings.name)
        self._number = 0
        self._loop = asyncio.get_running_loop()
        self._tasks: list[asyncio.Task[None]] = []
        self._queue: BoundedQueue[Outgoing] = BoundedQueue(settings.queue_size, settings.policy)
        self.conversation = Conversation(
            self, settings.name, self.process, settings.channel, Asking(self.peers), settings.answering
        )
        self._presence = Presence(settings.channel, self.peers, self.message, self._status, self.conversation.ended)
        self.link = Link(
            settings.name,
            settings.transport,
            self._queue,
            on_open=self._presence.subscribed,
            prepare=self._prepare,
            on_sent=self._count_sent,
        )
        self._inbox = self._make_inbox()
        self.is_running = False

    def _make_inbox(self) -> Inbox:
        kinds: dict[str, Callable[[Peer, Body], Gap | None]] = {
            "hello": self._hear_hello,
            "beat": self._presence.hear,
            "bye": self._presence.hear_bye,
            "question": self.conversation.hear_question,
            "answer": self.conversation.hear_answer,
        }
        return Inbox(
            self.process,
            self._settings.envelope,
            BoundedQueue(self._settings.queue_size, self._settings.policy),
            self.counts,
            self.peers,
            is_younger=self._presence.is_younger,
            kinds=kinds,
            on_gap=self._settings.on_gap,
            on_echo=self._presence.hear_echo,
        )

    # -- start and stop

    async def start(self, targets: Iterable[Travelling]) -> None:
        """Connect, and forward what matches; the server may be away."""
        self.is_running = True
        self.link.expect(self._settings.channel, self._inbox.receive)
        self.link.expect(self.own_channel(self.process), self._inbox.receive)
        self.link.start()
        beat = self._presence.beat_forever(self.link, self.counts.tell)
        for work in (self._inbox.deliver_forever(), beat):
            self._tasks.append(start(work, f"relay {self._settings.name}"))
        self.forward(targets)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.link.opened(), OPEN_SECONDS)
            await asyncio.wait_for(self._presence.call_the_roll(), ROLL_CALL_SECONDS)

    async def stop(self) -> None:
        """Send what is queued, say goodbye, and let go of everything."""
        bus.off(self.publish)
        await self._settings.answering.stop(STOP_SECONDS)
        if self.link.healthy:
            bye = partial(self.message, "bye", number=self._number)
            goodbye = self.post(self._settings.channel, bye)
            await asyncio.wait({goodbye}, timeout=STOP_SECONDS)
        self.is_running = False
        self._inbox.stopping = True
        await end(*self._tasks)
        await self.link.stop()
        if len(self._queue):
            logger.warning("relay %s ended with %d messages that were not sent", self._settings.name, len(self._queue))

    def forward(self, targets: Iterable[Travelling]) -> None:
        """Publish events that match, from now on."""
        for target in targets:
            bus.after(target, self.publish)

    @property
    def stats(self) -> Stats:
        """What was done so far."""
        counts = self.counts
        return Stats(counts.sent, counts.received, self.peers.lost(), dict(counts.dropped), len(self._queue))

    # -- sending

    def publish(self, event: Event) -> None:
        """Send a local event to the other processes; called by the bus, in any thread, after the listeners."""
        if event.remote is not None:
            return
        text: bytes | None = None
        try:
            body = write_event(event, self._settings.revealed)
            if body is None:
                return
            text = orjson.dumps(body)
        except (TypeError, ValueError, ConfigurationError) as error:
            logger.debug("%s cannot be sent: %s", event.name, error)
        if running_loop() is self._loop:
            self._enqueue(text)
        else:
            with contextlib.suppress(RuntimeError):  # the loop was closed
                self._loop.call_soon_threadsafe(self._enqueue, text)

    def _enqueue(self, text: bytes | None) -> None:
        """Number an event and queue it; one that cannot be sent has a number too, so that others know of it."""
        self._number += 1
        if text is None or len(text) > MAX_EVENT_BYTES:
            self.counts.drop("unencodable" if text is None else "too_large")
            return
        write = partial(self.message, "event", number=self._number, event=orjson.Fragment(text))
        self._put(Outgoing(self._settings.channel, write, len(text), self._number))

    def post(self, channel: str, write: Callable[[], bytes | None], size: int = 256) -> asyncio.Future[int]:
        """Queue a message without a number; the future tells how many it went to, and is cancelled if it is dropped."""
        sent: asyncio.Future[int] = self._loop.create_future()
        self._put(Outgoing(channel, write, size, None, sent))
        return sent

    def _put(self, item: Outgoing) -> None:
        for dropped in self._queue.put(item):
            self.counts.drop("queue_full")
            if dropped.sent is not None:
                dropped.sent.cancel()

    def message(self, kind: str, **more: Any) -> bytes | None:
        """Return the bytes of a message of this relay; None if it is too large, which is counted."""
        body = {"kind": kind, "name": self._settings.name, "started": self._presence.started, **more}
        try:
            return self._settings.envelope.seal(self.process, body)
        except Unreadable as error:
            self.counts.drop(str(error))
            return None

    def own_channel(self, process: str) -> str:
        """Return the channel on which one process alone listens."""
        return f"{self._settings.channel}:{process}"

    def _count_sent(self, items: list[Outgoing]) -> None:
        self.counts.sent += sum(item.number is not None for item in items)

    # -- who is there

    async def _prepare(self) -> None:
        await self._presence.enter(self.link, self._settings.transport)

    def _status(self) -> tuple[int, list[str]]:
        queued = next((item.number for item in self._queue if item.number is not None), self._number + 1)
        return queued - 1, self._settings.answering.patterns

    def announce(self) -> None:
        """Tell everybody what is answered here, now."""
        self.link.hurry(partial(self._presence.message, "beat"))

    def _hear_hello(self, peer: Peer, body: Body) -> Gap | None:
        self.link.hurry(partial(self._presence.message, "beat", self.own_channel(peer.process)))
        return self._presence.hear(peer, body)
