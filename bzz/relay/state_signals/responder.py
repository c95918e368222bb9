"""The responder's side of state-signals."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

from bzz.relay.queue import BoundedQueue
from bzz.relay.session import Session
from bzz.relay.state_signals.protocol import (
    NO_RAS,
    RESPONSES,
    SIGNALS,
    Response,
    Signal,
    read_signal,
    write_response,
)

__all__ = ["Responder"]

WAITING = 1000
"""How many signals wait for a slow responder; then the oldest is dropped and counted."""


class Queued:
    """A queued signal."""

    size = 0

    def __init__(self, signal: Signal) -> None:
        self.signal = signal


class Responder:
    """Receives signals and answers them.

    :param name: its name, by which exporters may expect it.
    """

    def __init__(self, session: Session, name: str) -> None:
        self.responder_id = f"{name}-{uuid.uuid4()}-resp"
        self._session = session
        self._publisher: str | None = None
        self._tag: str | None = None

    async def listen(self) -> AsyncIterator[Signal]:
        """Yield the signals that are received from now on and pass the locks."""
        queue: BoundedQueue[Queued] = BoundedQueue(WAITING, "drop_oldest")

        def receive(data: bytes) -> None:
            try:
                queued = Queued(read_signal(data))
            except ValueError:
                self._session.counts.drop("state_signals")
                return
            for _ in queue.put(queued):
                self._session.counts.drop("state_signals_full")

        await self._session.connection.listen(SIGNALS, receive)
        try:
            while True:
                await queue.filled.wait()
                for queued in queue.take(1):
                    if self._passes(queued.signal):
                        yield queued.signal
        finally:
            self._session.connection.ignore(SIGNALS, receive)

    def _passes(self, signal: Signal) -> bool:
        return self._publisher in (None, signal.publisher_id) and self._tag in (None, signal.tag)

    async def respond(self, publisher_id: str, event: str, ras: Any = NO_RAS, message: str | None = None) -> None:
        """Answer an event of a publisher.

        :param ras: 1 for success, any other value for failure. To ``initialization`` none is needed: the response
            subscribes this responder.
        :param message: a text for the publisher.
        """
        data = write_response(Response(self.responder_id, publisher_id, event, ras, message))
        self._session.post(RESPONSES, lambda: data, len(data))

    async def srespond(self, signal: Signal, ras: Any = NO_RAS, message: str | None = None) -> None:
        """Answer a signal; parameters as for :meth:`respond`."""
        await self.respond(signal.publisher_id, signal.event, ras, message)

    def lock_id(self, publisher_id: str) -> None:
        """Receive signals of this publisher only."""
        self._publisher = publisher_id

    def lock_tag(self, tag: str) -> None:
        """Receive signals with this tag only."""
        self._tag = tag

    def unlock(self) -> None:
        """Receive all signals again."""
        self._publisher = self._tag = None
