"""Questions with answers: everybody who answers a question is waited for, until the time is up."""

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
    """What one process answered.

    :param name: the name of its relay.
    :param process: its random id.
    :param value: what its function returned; None if it failed.
    :param message: why it failed; empty where it did not.
    """

    name: str
    process: str
    value: Any = None
    message: str = ""


@dataclass(frozen=True)
class Answers:
    """What came of a question.

    :param ok: the answers of those who succeeded, the first to come first.
    :param failed: the answers of those who did not; each has its ``message``.
    :param late: the names of those who had not answered when the time was up, or who ended before.
    :param skipped: the names of those who were not waited for, since they left the last questions unanswered.
    """

    ok: tuple[Answer, ...] = ()
    failed: tuple[Answer, ...] = ()
    late: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def all_ok(self) -> bool:
        """Whether everybody who was waited for succeeded; True if there was nobody."""
        return not self.failed and not self.late


@dataclass
class Pending:
    """A question whose answers are coming in.

    :param waiting: the names of those who have not answered, by process.
    :param missing: the names that were expected, and of whom no process has answered.
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
        """Note an answer; a second one of the same process does not count."""
        if answer.process in self.answered:
            return
        self.answered.add(answer.process)
        (self.ok if is_ok else self.failed).append(answer)
        self.waiting.pop(answer.process, None)
        self.missing.discard(answer.name)
        self.check()

    def lose(self, process: str) -> None:
        """Note that a process ended."""
        name = self.waiting.pop(process, None)
        if name is not None:
            self.gone.append(name)
            self.check()

    def check(self) -> None:
        """Tell who waits, where nobody is missing any more."""
        if not self.waiting and not self.missing:
            self.complete.set()

    def result(self) -> Answers:
        """Return what is known now."""
        late = [*self.waiting.values(), *self.gone]
        late += sorted(self.missing.difference(late))
        return Answers(tuple(self.ok), tuple(self.failed), tuple(late), self.skipped)


class Asking:
    """The questions of one process that are under way.

    :param peers: who is there, and what they answer.
    """

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._pending: dict[str, Pending] = {}

    async def ask(
        self, name: str, timeout: float, expect: Collection[str], send: Callable[[str, Pending], None]
    ) -> Answers:
        """Send a question and wait.

        :param send: given the question's id and what is known of it, sends it.
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
        """Note an answer from elsewhere.

        :raises ValueError: if it is none.
        """
        question, is_ok, message = body.get("question"), body.get("ok"), body.get("message", "")
        if not isinstance(question, str) or not isinstance(is_ok, bool) or not isinstance(message, str):
            raise ValueError("this is no answer")
        peer.misses = 0
        pending = self._pending.get(question)
        if pending is not None:
            pending.take(Answer(peer.name, peer.process, unpack(body.get("value")), message), is_ok)

    def ended(self, process: str) -> None:
        """Note that a process is gone: nobody waits for it any longer."""
        for pending in self._pending.values():
            pending.lose(process)
