"""A transport that is kept open. Messages wait until the subscription is confirmed, and are sent again after failures.

A batch whose sending failed is sent again as a whole, so a message may arrive twice, but never out of order. Receivers
know the second copy by its number (:mod:`bzz.relay.peers`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bzz.relay.queue import BoundedQueue
from bzz.relay.tasks import cancel_all, start_detached
from bzz.relay.transport import Transport, TransportError

__all__ = ["BATCH", "Connection", "Outgoing"]

logger = logging.getLogger("bzz.relay")

BATCH = 200
"""How many messages go to the server in one round trip."""

FIRST_PAUSE = 0.05
LAST_PAUSE = 1.0
"""How long to wait before connecting again, in seconds: the first time, and at most."""

MAX_URGENT = 1000
"""How many messages may wait that are sent first. Each greeting asks for one, and anyone may greet."""

TURN = 100
"""How many messages are received in a row before other tasks of the loop run, however full the socket is."""

Receiver = Callable[[bytes], None]


@dataclass(eq=False)
class Outgoing:
    """A message to be sent.

    :param channel: its channel.
    :param write: returns its bytes each time that it is sent, or None to drop it.
    :param size: about how many bytes it takes.
    :param number: the number of an event.
    :param sent: gets the count of subscribers that received it.
    """

    channel: str
    write: Callable[[], bytes | None]
    size: int
    number: int | None = None
    sent: asyncio.Future[int] | None = None


class Connection:
    """One open transport, its receivers by channel, and the queue of what is to be sent.

    :param on_open: called with the server's time after each subscription, before anything is received.
    :param prepare: awaited after that, before anything is sent.
    :param on_sent: called with the messages that were sent, in order.
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
        """Whether the subscription is confirmed, and the last sending succeeded."""
        return self._open.is_set() and not self._sending_fails

    @property
    def idle(self) -> bool:
        """Whether no message is queued."""
        return not (self._batch or self._urgent or len(self._queue))

    def start(self) -> None:
        """Connect, and stay connected, in tasks with an empty context."""
        for work in (self._stay_open, self._send_forever):
            self._tasks.append(start_detached(work(), f"relay {self._name}{work.__name__}"))

    async def stop(self) -> None:
        """End the tasks and close the transport."""
        await cancel_all(*self._tasks)
        await self.transport.close()
        for item in [*self._batch, *self._queue]:
            if item.sent is not None:
                item.sent.cancel()

    async def listen(self, channel: str, receiver: Receiver) -> None:
        """Call ``receiver`` with each message on ``channel``; return once the subscription is confirmed."""
        self.expect(channel, receiver)
        if channel not in self._confirmed and self._open.is_set():
            with contextlib.suppress(TransportError):  # the next connection subscribes to the channel too
                await self.transport.subscribe(channel)
                self._confirmed.add(channel)
        while channel not in self._confirmed:
            await self._reopened()

    async def _reopened(self) -> None:
        if self._open.is_set():  # by the connection that failed to subscribe
            self.reopen()
            self._open.clear()
        await self._open.wait()

    def expect(self, channel: str, receiver: Receiver) -> None:
        """Call ``receiver`` with each message on ``channel``, from the next connection on."""
        self._receivers[channel] = (*self._receivers.get(channel, ()), receiver)

    def ignore(self, channel: str, receiver: Receiver) -> None:
        """Do not call ``receiver`` any more; the subscription stays."""
        self._receivers[channel] = tuple(each for each in self._receivers.get(channel, ()) if each != receiver)

    async def opened(self) -> None:
        """Wait until the subscription is confirmed."""
        await self._open.wait()

    def send_first(self, make: Callable[[], Outgoing]) -> None:
        """Send a message before the queue. It is made when it is sent, and dropped if too many wait already."""
        if len(self._urgent) < MAX_URGENT:
            self._urgent.append(make)
        self._queue.filled.set()

    def reopen(self) -> None:
        """Close the connection and open another."""
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
            except Exception as error:  # not only TransportError: no other error must end this task
                if not was_told:
                    logger.warning("relay %s: the server is away, trying again: %s", self._name, error)
                was_told = True
            self._open.clear()
            await self.transport.close()
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, LAST_PAUSE)

    async def _read(self) -> None:
        """Receive until the connection breaks, or is closed by :meth:`reopen`."""
        self._reading = asyncio.create_task(self._receive_forever())
        opening = asyncio.create_task(self._announce())
        try:
            await asyncio.wait([self._reading])
        finally:
            await cancel_all(self._reading, opening)
        if self._reading.cancelled():
            raise TransportError("the connection was given up")
        error = self._reading.exception()
        raise error if isinstance(error, TransportError) else TransportError(f"reading failed: {error!r}") from error

    async def _announce(self) -> None:
        try:
            await self._prepare()
        except Exception:  # the server cannot be reached, or as above
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
        """Send the batch, trying again until it is sent, without messages that cannot be written."""
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
