"""A relay from its start to its stop.

A local event is delivered to the listeners first, then numbered, packed and queued; its sender does not wait for the
server. What is received is checked at once and delivered in a task of its own, so that a slow listener neither delays
answers nor fills the server's buffers.
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
from bzz.relay.connection import Connection, Outgoing
from bzz.relay.envelope import MAX_BYTES, Envelope, Unreadable
from bzz.relay.events import Forwarded, write_event
from bzz.relay.inbox import Body, Inbox
from bzz.relay.peers import Gap, Peer, Peers
from bzz.relay.presence import Presence
from bzz.relay.questions import Questions
from bzz.relay.queue import BoundedQueue, Policy
from bzz.relay.statistics import Counts, Stats
from bzz.relay.tasks import cancel_all, start_detached
from bzz.relay.transport import Transport

__all__ = ["Session", "Settings"]

logger = logging.getLogger("bzz.relay")

OPEN_SECONDS = 5.0
"""How long a start waits for the server; then it returns, and the relay keeps trying."""

PEERS_SECONDS = 1.0
"""How long a start waits until all other processes have answered."""

STOP_SECONDS = 2.0
"""How long a stop waits for the queue to be sent, and for questions that are being answered."""

MAX_EVENT_BYTES = MAX_BYTES - 1024
"""The maximum length of an event: that of a message, without the envelope."""


@dataclass(frozen=True)
class Settings:
    """The arguments of a relay; see :class:`bzz.RedisRelay`."""

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
    """One running relay."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.process = uuid.uuid4().hex
        self.peers = Peers()
        self.counts = Counts(settings.name)
        self._number = 0
        self._loop = asyncio.get_running_loop()
        self._tasks: list[asyncio.Task[None]] = []
        self._queue: BoundedQueue[Outgoing] = BoundedQueue(settings.queue_size, settings.policy)
        self.questions = Questions(
            self, settings.name, self.process, settings.channel, Asking(self.peers), settings.answering
        )
        self._presence = Presence(settings.channel, self.peers, self.message, self._status, self.questions.ended)
        self.connection = Connection(
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
            "hello": self._on_hello,
            "beat": self._presence.on_beat,
            "bye": self._presence.on_bye,
            "question": self.questions.on_question,
            "answer": self.questions.on_answer,
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
            on_echo=self._presence.on_echo,
        )

    # -- start and stop

    async def start(self, targets: Iterable[Forwarded]) -> None:
        """Connect, and forward events that match ``targets``. The server need not be reachable."""
        self.is_running = True
        self.connection.expect(self._settings.channel, self._inbox.receive)
        self.connection.expect(self.own_channel(self.process), self._inbox.receive)
        self.connection.start()
        beat = self._presence.beat_forever(self.connection, self.counts.log_dropped)
        for work in (self._inbox.deliver_forever(), beat):
            self._tasks.append(start_detached(work, f"relay {self._settings.name}"))
        self.forward(targets)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.connection.opened(), OPEN_SECONDS)
            await asyncio.wait_for(self._presence.wait_for_peers(), PEERS_SECONDS)

    async def stop(self) -> None:
        """Send the queue and a goodbye, and close the connection."""
        bus.off(self.publish)
        await self._settings.answering.stop(STOP_SECONDS)
        if self.connection.healthy:
            bye = partial(self.message, "bye", number=self._number)
            goodbye = self.post(self._settings.channel, bye)
            await asyncio.wait({goodbye}, timeout=STOP_SECONDS)
        self.is_running = False
        self._inbox.stopping = True
        await cancel_all(*self._tasks)
        await self.connection.stop()
        if len(self._queue):
            logger.warning("relay %s ended with %d messages that were not sent", self._settings.name, len(self._queue))

    def forward(self, targets: Iterable[Forwarded]) -> None:
        """Publish events that match, from now on."""
        for target in targets:
            bus.after(target, self.publish)

    @property
    def stats(self) -> Stats:
        """The statistics so far."""
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
        """Number an event and queue it. One that cannot be sent has a number too, so that others notice the gap."""
        self._number += 1
        if text is None or len(text) > MAX_EVENT_BYTES:
            self.counts.drop("unencodable" if text is None else "too_large")
            return
        write = partial(self.message, "event", number=self._number, event=orjson.Fragment(text))
        self._put(Outgoing(self._settings.channel, write, len(text), self._number))

    def post(self, channel: str, write: Callable[[], bytes | None], size: int = 256) -> asyncio.Future[int]:
        """Queue a message without a number; return a future of how many receive it, cancelled if it is dropped."""
        sent: asyncio.Future[int] = self._loop.create_future()
        self._put(Outgoing(channel, write, size, None, sent))
        return sent

    def _put(self, item: Outgoing) -> None:
        for dropped in self._queue.put(item):
            self.counts.drop("queue_full")
            if dropped.sent is not None:
                dropped.sent.cancel()

    def message(self, kind: str, **more: Any) -> bytes | None:
        """Return the bytes of a message of this relay; count it as dropped and return None if it is too large."""
        body = {"kind": kind, "name": self._settings.name, "started": self._presence.started, **more}
        try:
            return self._settings.envelope.seal(self.process, body)
        except Unreadable as error:
            self.counts.drop(str(error))
            return None

    def own_channel(self, process: str) -> str:
        """Return the channel to which only this process is subscribed."""
        return f"{self._settings.channel}:{process}"

    def _count_sent(self, items: list[Outgoing]) -> None:
        self.counts.sent += sum(item.number is not None for item in items)

    # -- presence

    async def _prepare(self) -> None:
        await self._presence.enter(self.connection, self._settings.transport)

    def _status(self) -> tuple[int, list[str]]:
        queued = next((item.number for item in self._queue if item.number is not None), self._number + 1)
        return queued - 1, self._settings.answering.patterns

    def announce(self) -> None:
        """Tell all other processes now which questions are answered here."""
        self.connection.send_first(partial(self._presence.message, "beat"))

    def _on_hello(self, peer: Peer, body: Body) -> Gap | None:
        self.connection.send_first(partial(self._presence.message, "beat", self.own_channel(peer.process)))
        return self._presence.on_beat(peer, body)
