"""What a publisher of state-signals knows of its subscribers.

Answers carry no id of the signal, only its event. So a publisher has one question under way per event, and keeps a
ledger of the answers that are still owed for questions whose time was up: the first to come are taken for those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bzz.relay.state_signals.protocol import Response, name_of

__all__ = ["MISSES", "OWED_SECONDS", "Ledger", "Question", "SignalResult"]

MISSES = 3
"""A responder that misses so many questions in a row is no longer waited for, until it answers one in time."""

MAX_SUBSCRIBERS = 10_000
"""How many a publisher takes: anybody who may publish on the server can claim to be any number of them."""

OWED_SECONDS = 60.0
"""How long after its time was up an answer may still come: later it is taken for one to a newer question."""


@dataclass(frozen=True)
class SignalResult:
    """What came of a signal.

    :param code: 0 where everybody succeeded or nobody is subscribed, 1 where somebody failed, 2 where somebody is
        missing.
    :param messages: what responders said, by their ids.
    :param failed: the ids of those who failed.
    :param missing: the ids of those who did not answer in time, and the expected names of whom nobody answered.
    :param skipped: the ids of those who were not waited for, since they left the last questions unanswered.
    """

    code: int = 0
    messages: Mapping[str, str] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


@dataclass
class Question:
    """One signal whose answers are coming in."""

    waiting: set[str]
    expected: set[str]
    skipped: tuple[str, ...] = ()
    messages: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether nobody is missing."""
        return not self.waiting and not self.expected

    def take(self, response: Response) -> None:
        """Note an answer."""
        responder = response.responder_id
        self.waiting.discard(responder)
        self.expected -= {responder, name_of(responder)}
        if not response.is_success:
            self.failed.append(responder)
        if response.message is not None:
            self.messages[responder] = response.message

    def result(self) -> SignalResult:
        """Return what is known now; somebody missing weighs more than somebody who failed."""
        unheard = self.expected - {name_of(each) for each in self.waiting} - self.waiting
        missing = (*sorted(self.waiting), *sorted(unheard))
        code = 2 if missing else 1 if self.failed else 0
        return SignalResult(code, self.messages, tuple(self.failed), missing, self.skipped)


class Ledger:
    """Who is subscribed to a publisher, what they are asked, and which answers they still owe."""

    def __init__(self) -> None:
        self.misses: dict[str, int] = {}
        self._owed: dict[tuple[str, str], list[float]] = {}
        self._asked: dict[str, Question] = {}

    @property
    def subscribers(self) -> list[str]:
        """The ids of those who are subscribed."""
        return list(self.misses)

    def subscribe(self, responder: str) -> None:
        """Add a subscriber, as long as there are not too many; one that subscribes again begins anew."""
        if responder not in self.misses and len(self.misses) >= MAX_SUBSCRIBERS:
            return
        self.misses[responder] = 0
        self._owed = {key: times for key, times in self._owed.items() if key[0] != responder}

    def forget(self) -> None:
        """Forget all subscribers."""
        self.misses.clear()
        self._owed.clear()

    def ask(self, event: str, expect: Iterable[str] = ()) -> Question:
        """Begin a question; answers to ``event`` count for it until :meth:`close`."""
        expected = set(expect)
        late = [each for each, missed in self.misses.items() if missed >= MISSES]
        skipped = tuple(each for each in late if not expected & {each, name_of(each)})
        question = Question(self.misses.keys() - set(skipped), expected, skipped)
        self._asked[event] = question
        return question

    def close(self, event: str, now: float) -> SignalResult:
        """End a question; whoever is missing owes an answer from now on."""
        question = self._asked.pop(event)
        for responder in question.waiting:
            self.misses[responder] = self.misses.get(responder, 0) + 1
            self._owed.setdefault((responder, event), []).append(now + OWED_SECONDS)
        return question.result()

    def answer(self, response: Response, now: float) -> None:
        """Note an answer: to an older question where one is still owed, else to the one under way."""
        responder = response.responder_id
        if responder not in self.misses:
            return
        if self._pay(responder, response.event, now):
            return
        self.misses[responder] = 0
        question = self._asked.get(response.event)
        if question is not None and responder in question.waiting:
            question.take(response)

    def _pay(self, responder: str, event: str, now: float) -> bool:
        """Return whether an answer is owed, which is paid now."""
        owed = [until for until in self._owed.pop((responder, event), []) if until > now]
        if len(owed) > 1:
            self._owed[responder, event] = owed[1:]
        return bool(owed)
