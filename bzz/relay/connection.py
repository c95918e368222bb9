"""A transport that is kept open: what waits is sent once the subscription stands, and again where nobody knows.

A batch whose sending failed is sent again as a whole, so a message may arrive twice and never out of order; the numbers
of events tell the second copy (:mod:`bzz.relay.peers`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bzz.relay.queue import BoundedQueue
from bzz.relay.tasks import end, start
from bzz.relay.transport import Transport, TransportError

__all__ = ["BATCH", "Link", "Outgoing"]

logger = logging.getLogger("bzz.relay")

BATCH = 200
"""How many messages go to the server in one round trip."""

FIRST_PAUSE = 0.05
LAST_PAUSE = 1.0
"""How long to wait before connecting again, in seconds: at first, and at the most."""

MAX_URGENT = 1000
"""How many messages may wait to go first: each greeting asks for one, and anybody may greet."""

TURN = 100
"""After so many messages in a row the rest of the loop gets its turn: a full socket would never let go."""

Receiver = Callable[[bytes], None]


@dataclass(eq=False)
class Outgoing:
    """A message on its way out.

    :param channel: where it goes.
    :param write: gives its bytes each time that it is sent, or None if it cannot be.
    :param size: about how many bytes it takes.
    :param number: of an event, its number.
    :param sent: is told how many subscribers it went to.
    """

    channel: str
    write: Callable[[], bytes | None]
    size: int
    number: int | None = None
    sent: asyncio.Future[int] | None = None


class Link:
    """One open transport, its receivers by channel, and the queue of what is to be sent.

    :param on_open: told the server's time each time that the subscription stands, before anything is read.
    :param prepare: awaited after that, before anything is sent.
    :param on_sent: told what was sent, in order.
    """

    def __init__(
        self,
        name: str,
        transport: Transport,
        queue: BoundedQueue[Outgoing],
        on_open: Callable[[float], None],
        prepare: Callable[[], Awaitable[None]],
        on_sent: Callable[[list[Outgoing]], None],
    ) -> None:
        self._name = name
        self.transport = transport
        self._queue = queue
        self._on_open = on_open
        self._prepare = prepare
        self._on_sent = on_sent
        self._receivers: dict[str, tuple[Receiver, ...]] = {}
        self._urgent: list[Callable[[], Outgoing]] = []
        self._batch: list[Outgoing] = []
        self._open = asyncio.Event()
        self._confirmed: set[str] = set()
        self._sending_fails = False
        self._tasks: list[asyncio.Task[None]] = []
        self._reading: asyncio.Task[None] | None = None

    @property
    def healthy(self) -> bool:
        """Whether the subscription stands, and the last sending went well."""
        return self._open.is_set() and not self._sending_fails

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent."""
        return not (self._batch or self._urgent or len(self._queue))

    def start(self) -> None:
        """Connect, and keep connected, in tasks that know nothing of who started them."""
        for work in (self._stay_open, self._send_forever):
            self._tasks.append(start(work(), f"relay {self._name}{work.__name__}"))

    async def stop(self) -> None:
        """End the tasks and close the transport."""
        await end(*self._tasks)
        await self.transport.close()
        for item in [*self._batch, *self._queue]:
            if item.sent is not None:
                item.sent.cancel()

    async def listen(self, channel: str, receiver: Receiver) -> None:
        """Hand what comes on ``channel`` to ``receiver``; returns once the subscription is confirmed."""
        self.expect(channel, receiver)
        if channel not in self._confirmed and self._open.is_set():
            with contextlib.suppress(TransportError):  # it is broken: the next connection brings the channel with it
                await self.transport.subscribe(channel)
                self._confirmed.add(channel)
        while channel not in self._confirmed:
            await self._reopened()

    async def _reopened(self) -> None:
        if self._open.is_set():  # with the connection that did not take the channel
            self.reopen()
            self._open.clear()
        await self._open.wait()

    def expect(self, channel: str, receiver: Receiver) -> None:
        """Return the same before the link is started."""
        self._receivers[channel] = (*self._receivers.get(channel, ()), receiver)

    def ignore(self, channel: str, receiver: Receiver) -> None:
        """Hand nothing more to ``receiver``; the subscription stays."""
        self._receivers[channel] = tuple(each for each in self._receivers.get(channel, ()) if each != receiver)

    async def opened(self) -> None:
        """Wait until the subscription stands."""
        await self._open.wait()

    def hurry(self, make: Callable[[], Outgoing]) -> None:
        """Send a message before all that waits; it is made when its turn comes. Nothing is sent where too many wait."""
        if len(self._urgent) < MAX_URGENT:
            self._urgent.append(make)
        self._queue.filled.set()

    def reopen(self) -> None:
        """Give the connection up and make another."""
        if self._reading is not None:
            self._reading.cancel()

    # -- receiving

    async def _stay_open(self) -> None:
        pause, was_told = FIRST_PAUSE, False
        while True:
            try:
                channels = list(self._receivers)
                self._on_open(await self.transport.open(channels))
                self._confirmed = set(channels)
                if was_told:
                    logger.info("relay %s is connected again", self._name)
                pause, was_told = FIRST_PAUSE, False
                await self._read()
            except Exception as error:  # a transport raises TransportError; whatever else must not end this either
                if not was_told:
                    logger.warning("relay %s: the server is away, trying again: %s", self._name, error)
                was_told = True
            self._open.clear()
            await self.transport.close()
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, LAST_PAUSE)

    async def _read(self) -> None:
        """Read until the connection breaks, or is given up by :meth:`reopen`."""
        self._reading = asyncio.create_task(self._receive_forever())
        opening = asyncio.create_task(self._announce())
        try:
            await asyncio.wait([self._reading])
        finally:
            await end(self._reading, opening)
        if self._reading.cancelled():
            raise TransportError("the connection was given up")
        error = self._reading.exception()
        raise error if isinstance(error, TransportError) else TransportError(f"reading failed: {error!r}") from error

    async def _announce(self) -> None:
        try:
            await self._prepare()
        except Exception:  # the server is away once more, or as above
            self.reopen()
        else:
            self._open.set()

    async def _receive_forever(self) -> None:
        count = 0
        while True:
            channel, data = await self.transport.receive()
            for receiver in self._receivers.get(channel, ()):
                receiver(data)
            count += 1
            if count % TURN == 0:
                await asyncio.sleep(0)

    # -- sending

    async def _send_forever(self) -> None:
        while True:
            await self._queue.filled.wait()
            await self._open.wait()
            self._fill_batch()
            await self._send_batch()

    def _fill_batch(self) -> None:
        urgent, self._urgent = self._urgent, []
        self._batch = [make() for make in urgent]
        self._batch += self._queue.take(BATCH)

    async def _send_batch(self) -> None:
        """Send until it is sent; what cannot be written is left out."""
        pause = FIRST_PAUSE
        while self._batch:
            await self._open.wait()
            written = [(item, data) for item in self._batch if (data := item.write()) is not None]
            self._batch = [item for item, _ in written]
            try:
                counts = await self.transport.send([(item.channel, data) for item, data in written])
            except Exception as error:  # as above
                self._note_failure(error)
                await asyncio.sleep(pause * random.uniform(0.5, 1))
                pause = min(2 * pause, LAST_PAUSE)
                continue
            self._sending_fails = False
            self._finish(counts)

    def _note_failure(self, error: Exception) -> None:
        if not self._sending_fails:
            logger.warning("relay %s could not send, trying again: %s", self._name, error)
        self._sending_fails = True

    def _finish(self, counts: list[int]) -> None:
        items, self._batch = self._batch, []
        for item, count in zip(items, counts, strict=True):
            if item.sent is not None and not item.sent.done():
                item.sent.set_result(count)
        self._on_sent(items)
