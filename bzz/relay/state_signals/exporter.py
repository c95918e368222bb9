"""The publisher's side of state-signals."""

from __future__ import annotations

import asyncio
import logging
import platform
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bzz.errors import ConfigurationError
from bzz.relay.session import Session
from bzz.relay.state_signals.protocol import (
    INITIALIZATION,
    NO_TAG,
    RESPONSES,
    SHUTDOWN,
    SIGNALS,
    Signal,
    read_response,
    write_signal,
)
from bzz.relay.state_signals.subscribers import Pending, SignalResult, Subscribers

__all__ = ["Exporter"]

logger = logging.getLogger("bzz.relay")

PERIOD_SECONDS = 1.0
"""How often ``initialize_and_wait(periodic=True)`` sends ``initialization``."""


class Exporter:
    """Publishes the signals of one process, and waits for the answers of its subscribers.

    :param process_name: the name of the process.
    :param runner_host: the name of its host; by default this machine's.
    """

    def __init__(self, session: Session, process_name: str, runner_host: str | None = None) -> None:
        self.publisher_id = f"{process_name}-{uuid.uuid4()}"
        self._session = session
        self._process_name = process_name
        self._runner_host = runner_host or platform.node()
        self._subscribers = Subscribers()
        self._legal: tuple[str, ...] | None = None
        self._expect: tuple[str, ...] = ()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changed = asyncio.Event()

    @property
    def subscribers(self) -> list[str]:
        """The ids of the responders that are subscribed."""
        return self._subscribers.ids

    async def initialize(self, legal_events: Sequence[str], *, tag: str = NO_TAG, expect: Collection[str] = ()) -> None:
        """Begin: listen for responses, then send ``initialization``, whose responders are subscribed.

        :param legal_events: the events that may be published.
        :param tag: the tag of the signal.
        :param expect: names or ids of responders; each must answer every signal, whether it is subscribed or not.
        :raises bzz.errors.ConfigurationError: if ``legal_events`` is not a list of names.
        """
        if isinstance(legal_events, str) or not legal_events or not all(isinstance(each, str) for each in legal_events):
            raise ConfigurationError(f"legal_events: {legal_events!r} is no list of names")
        if isinstance(expect, str):
            raise ConfigurationError(f"expect takes a list of names, not the text {expect!r}")
        self._legal, self._expect = tuple(legal_events), tuple(expect)
        await self._session.connection.listen(RESPONSES, self._receive)
        self._publish(self._signal(INITIALIZATION, tag=tag))

    async def initialize_and_wait(
        self,
        count: int,
        legal_events: Sequence[str],
        *,
        tag: str = NO_TAG,
        expect: Collection[str] = (),
        timeout: float | None = 60.0,
        periodic: bool = False,
    ) -> bool:
        """Begin, and wait for subscribers.

        :param count: how many.
        :param timeout: how long to wait, in seconds; None for as long as it takes.
        :param periodic: whether to send ``initialization`` again each second, for responders that start later.
        :returns: whether so many subscribed in time.
        """
        await self.initialize(legal_events, tag=tag, expect=expect)
        greeting = asyncio.create_task(self._greet_again(tag)) if periodic else None
        try:
            await asyncio.wait_for(self._gathered(count), timeout)
        except TimeoutError:
            return False
        finally:
            if greeting is not None:
                greeting.cancel()
        return True

    async def _gathered(self, count: int) -> None:
        while len(self._subscribers.ids) < count:
            await self._change()

    async def _greet_again(self, tag: str) -> None:
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            self._publish(self._signal(INITIALIZATION, tag=tag))

    async def publish_signal(
        self,
        event: str,
        *,
        sample: int = -1,
        tag: str = NO_TAG,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = 20.0,
    ) -> SignalResult:
        """Publish a signal and wait for the answers. A signal waits until an earlier one of the same event is done.

        :param timeout: how long to wait for answers, in seconds; None for as long as it takes.
        :raises bzz.errors.ConfigurationError: for an event that ``initialize`` did not name.
        :raises TypeError: for metadata that have no JSON form.
        """
        self._check(event)
        data = write_signal(self._signal(event, sample, tag, metadata))
        async with self._turns[event]:
            pending = self._subscribers.ask(event, self._expect)
            self._session.post(SIGNALS, lambda: data, len(data))
            try:
                await asyncio.wait_for(self._answered(pending), timeout)
            except TimeoutError:
                logger.warning("%s: not everybody answered %s within %s s", self.publisher_id, event, timeout)
            finally:
                result = self._subscribers.close(event, asyncio.get_running_loop().time())
        return result

    def _check(self, event: str) -> None:
        if event in (INITIALIZATION, SHUTDOWN):
            raise ConfigurationError(f"{event!r} is sent by initialize() and shutdown() only")
        if self._legal is None:
            logger.warning("%s is not initialized: nobody is subscribed, any event may be sent", self.publisher_id)
        elif event not in self._legal:
            raise ConfigurationError(f"{event!r} is none of the legal events: {', '.join(self._legal)}")

    async def _answered(self, pending: Pending) -> None:
        while not pending.is_complete:
            await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def shutdown(self, *, tag: str = NO_TAG) -> None:
        """End: remove all subscribers and send ``shutdown``, without waiting for answers."""
        self._session.connection.ignore(RESPONSES, self._receive)
        self._subscribers.forget()
        self._legal, self._expect = None, ()
        self._publish(self._signal(SHUTDOWN, tag=tag))

    def _signal(
        self, event: str, sample: int = -1, tag: str = NO_TAG, metadata: Mapping[str, Any] | None = None
    ) -> Signal:
        return Signal(
            self.publisher_id, self._process_name, event, self._runner_host, sample, tag, dict(metadata or {})
        )

    def _publish(self, signal: Signal) -> None:
        data = write_signal(signal)
        self._session.post(SIGNALS, lambda: data, len(data))

    def _receive(self, data: bytes) -> None:
        try:
            response = read_response(data)
        except ValueError:
            self._session.counts.drop("state_signals")
            return
        if response.publisher_id != self.publisher_id:
            return
        if response.event == INITIALIZATION:
            self._subscribers.subscribe(response.responder_id)
        elif response.is_answer:
            self._subscribers.answer(response, asyncio.get_running_loop().time())
        self._changed.set()
