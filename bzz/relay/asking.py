"""Asking a question: all processes that answer it are waited for, until the timeout."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bzz.relay.payload import unpack
from bzz.relay.peers import MISSES, Peer, Peers

__all__ = ["Answer", "Answers", "Asking", "Pending"]


@dataclass(frozen=True)
class Answer:
    """The answer of one process.

    :param name: the name of its relay.
    :param process: its random id.
    :param value: the return value of its function; None if it failed.
    :param message: why it failed; empty if it did not.
    """

    name: str
    process: str
    value: Any = None
    message: str = ""


@dataclass(frozen=True)
class Answers:
    """The answers to a question.

    :param ok: the answers of functions that succeeded, in the order of their arrival.
    :param failed: the answers of functions that failed; each has a ``message``.
    :param late: the names of processes that did not answer in time, or ended.
    :param skipped: the names of processes that were not waited for, since they did not answer the last questions.
    """

    ok: tuple[Answer, ...] = ()
    failed: tuple[Answer, ...] = ()
    late: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def all_ok(self) -> bool:
        """Whether all processes that were waited for succeeded; True if there were none."""
        return not self.failed and not self.late


@dataclass
class Pending:
    """A question that is waiting for answers.

    :param waiting: the names of the processes that have not answered, by their id.
    :param missing: the expected names of which no process has answered.
    """

    waiting: dict[str, str]
    missing: set[str]
    skipped: tuple[str, ...] = ()
    gone: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    ok: list[Answer] = field(default_factory=list)
    failed: list[Answer] = field(default_factory=list)
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: bool = False

    def take(self, answer: Answer, is_ok: bool) -> None:
        """Add an answer; a second one of the same process is ignored."""
        if answer.process in self.answered:
            return
        self.answered.add(answer.process)
        (self.ok if is_ok else self.failed).append(answer)
        self.waiting.pop(answer.process, None)
        self.missing.discard(answer.name)
        self.check()

    def lose(self, process: str) -> None:
        """Stop waiting for a process that ended."""
        name = self.waiting.pop(process, None)
        if name is not None:
            self.gone.append(name)
            self.check()

    def check(self) -> None:
        """Wake the asker if no answer is missing any more."""
        if not self.waiting and not self.missing:
            self.complete.set()

    def result(self) -> Answers:
        """Return the answers so far."""
        late = [*self.waiting.values(), *self.gone]
        late += sorted(self.missing.difference(late))
        return Answers(tuple(self.ok), tuple(self.failed), tuple(late), self.skipped)


class Asking:
    """The questions that this process is asking.

    :param peers: the other processes, and the questions that they answer.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._pending: dict[str, Pending] = {}

    async def ask(
        self, name: str, timeout: float, expect: Collection[str], send: Callable[[str, Pending], None]
    ) -> Answers:
        """Send a question and wait for the answers.

        :param send: called with the question's id and its state, sends it.
        """
        pending = self._prepare(name, expect)
        question = uuid.uuid4().hex
        self._pending[question] = pending
        try:
            send(question, pending)
            pending.check()
            await asyncio.wait_for(pending.complete.wait(), timeout)
        except TimeoutError:
            self._blame(pending)
        finally:
            del self._pending[question]
            pending.given_up = not pending.complete.is_set()
        return pending.result()

    def _prepare(self, name: str, expect: Collection[str]) -> Pending:
        there = [peer for peer in self._peers.present() if peer.answers(name)]
        awaited = [peer for peer in there if peer.misses < MISSES or peer.name in expect]
        skipped = tuple(peer.name for peer in there if peer not in awaited)
        return Pending({peer.process: peer.name for peer in awaited}, set(expect), skipped)

    def _blame(self, pending: Pending) -> None:
        for process in pending.waiting:
            peer = self._peers.get(process)
            if peer is not None:
                peer.misses += 1

    def answered(self, peer: Peer, body: Mapping[str, Any]) -> None:
        """Add the answer of another process.

        :raises ValueError: if it is malformed.
        """
        question, is_ok, message = body.get("question"), body.get("ok"), body.get("message", "")
        if not isinstance(question, str) or not isinstance(is_ok, bool) or not isinstance(message, str):
            raise ValueError("this is no answer")
        peer.misses = 0
        pending = self._pending.get(question)
        if pending is not None:
            pending.take(Answer(peer.name, peer.process, unpack(body.get("value")), message), is_ok)

    def ended(self, process: str) -> None:
        """Stop waiting for a process that has ended."""
        for pending in self._pending.values():
            pending.lose(process)
