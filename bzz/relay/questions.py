"""Questions between processes, in both directions: sent to others, and received and answered here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Protocol

import orjson

from bzz.events.bus import bus
from bzz.events.causes import mark
from bzz.events.event import AdHocEvent, Event, Remote
from bzz.relay.answering import Answering, Outcome
from bzz.relay.asking import Answer, Answers, Asking, Pending
from bzz.relay.envelope import MAX_BYTES
from bzz.relay.events import read_event, write_event
from bzz.relay.payload import pack
from bzz.relay.peers import Peer

__all__ = ["Questions", "Sender"]

MAX_TEXT = MAX_BYTES - 1024

Body = Mapping[str, Any]


class Sender(Protocol):
    """Sends messages; see :class:`bzz.relay.session.Session`."""

    def post(self, channel: str, write: Callable[[], bytes | None], size: int = ...) -> asyncio.Future[int]:
        """Queue a message."""

    def message(self, kind: str, **more: Any) -> bytes | None:
        """Return the bytes of a message."""

    def own_channel(self, process: str) -> str:
        """Return the channel of one process."""


class Questions:
    """The questions of one running relay.

    :param name: the relay's name.
    :param process: the id of this process.
    :param channel: the channel of all processes.
    """

    def __init__(
        self, sender: Sender, name: str, process: str, channel: str, asking: Asking, answering: Answering
    ) -> None:
        self._sender = sender
        self._name = name
        self._process = process
        self._channel = channel
        self._asking = asking
        self._answering = answering

    async def ask(self, name: str, payload: Mapping[str, Any], timeout: float, expect: Collection[str]) -> Answers:
        """Ask all processes, this one included, and wait for the answers."""
        event = AdHocEvent(name, payload)
        mark(event, None, bus.max_depth)
        text = orjson.dumps(write_event(event, ()))
        if len(text) > MAX_TEXT:
            raise ValueError(f"a question of {len(text)} bytes is too long: {MAX_TEXT} is the most")
        return await self._asking.ask(name, timeout, expect, partial(self._send, event, text))

    def _send(self, event: Event, text: bytes, question: str, pending: Pending) -> None:
        def write() -> bytes | None:
            """Return None once the asker has given up: no answer is wanted then."""
            return None if pending.given_up else self._sender.message("question", question=question, event=fragment)

        fragment = orjson.Fragment(text)
        function = self._answering.find(event.name)
        if function is not None:
            pending.waiting[self._process] = self._name
            self._answering.start(function, event, partial(self._take_own, pending))
        self._sender.post(self._channel, write, len(text))

    def _take_own(self, pending: Pending, outcome: Outcome) -> None:
        pending.take(Answer(self._name, self._process, outcome.value, outcome.message), outcome.ok)

    def on_question(self, peer: Peer, body: Body) -> None:
        """Answer a question of another process, if a function here answers it.

        :raises ValueError: if it is malformed.
        """
        question = body.get("question")
        if not isinstance(question, str) or len(question) != 32:
            raise ValueError("this is no question")
        event = read_event(body.get("event"), Remote(peer.name, peer.process, 0))
        function = self._answering.find(event.name)
        if function is not None and self._answering.is_new(question):
            self._answering.start(function, event, partial(self._reply, peer.process, question))

    def _reply(self, process: str, question: str, outcome: Outcome) -> None:
        value = _packed(outcome)
        if value is None:
            outcome = Outcome(False, message=f"the answer cannot be sent: {type(outcome.value).__name__}")
            value = b"null"
        more = {"question": question, "ok": outcome.ok, "value": orjson.Fragment(value), "message": outcome.message}
        self._sender.post(
            self._sender.own_channel(process), partial(self._sender.message, "answer", **more), len(value)
        )

    def on_answer(self, peer: Peer, body: Body) -> None:
        """Add the answer of another process.

        :raises ValueError: if it is malformed.
        """
        self._asking.answered(peer, body)

    def ended(self, process: str) -> None:
        """Stop waiting for a process that has ended."""
        self._asking.ended(process)


def _packed(outcome: Outcome) -> bytes | None:
    """Return the value of an outcome as JSON; None if it cannot be encoded or is too long."""
    try:
        text = orjson.dumps(pack(outcome.value))
    except (TypeError, ValueError):
        return None
    return text if len(text) <= MAX_TEXT else None
