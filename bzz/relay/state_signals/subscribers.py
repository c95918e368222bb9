"""The subscribers of a publisher of state-signals, and the answers that they still owe.

Answers have no id of the signal, only its event. So a publisher has one signal per event under way, and counts the
answers that are still owed after a timeout: the first ones to come are taken for those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bzz.relay.state_signals.protocol import Response, name_of

__all__ = ["MISSES", "OWED_SECONDS", "Pending", "SignalResult", "Subscribers"]

MISSES = 3
"""After so many unanswered signals in a row, a responder is not waited for until it answers one in time."""

MAX_SUBSCRIBERS = 10_000
"""How many subscribers a publisher accepts: anyone who may publish on the server can pretend to be many."""

OWED_SECONDS = 60.0
"""How long after the timeout an answer may still come; later it is taken as one to a newer signal."""


@dataclass(frozen=True)
class SignalResult:
    """The result of a signal.

    :param code: 0 if all subscribers succeeded (or there are none), 1 if one failed, 2 if an answer is missing.
    :param messages: the messages of responders, by their ids.
    :param failed: the ids of those that failed.
    :param missing: the ids of those that did not answer in time, and the expected names without an answer.
    :param skipped: the ids of those that were not waited for, since they did not answer the last signals.
    """

    code: int = 0
    messages: Mapping[str, str] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


@dataclass
class Pending:
    """A signal that is waiting for answers."""

    waiting: set[str]
    expected: set[str]
    skipped: tuple[str, ...] = ()
    messages: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether no answer is missing."""
        return not self.waiting and not self.expected

    def take(self, response: Response) -> None:
        """Add an answer."""
        responder = response.responder_id
        self.waiting.discard(responder)
        self.expected -= {responder, name_of(responder)}
        if not response.is_success:
            self.failed.append(responder)
        if response.message is not None:
            self.messages[responder] = response.message

    def result(self) -> SignalResult:
        """Return the result so far. A missing answer takes precedence over a failure."""
        unanswered = self.expected - {name_of(each) for each in self.waiting} - self.waiting
        missing = (*sorted(self.waiting), *sorted(unanswered))
        code = 2 if missing else 1 if self.failed else 0
        return SignalResult(code, self.messages, tuple(self.failed), missing, self.skipped)


class Subscribers:
    """The subscribers of a publisher, its signals under way, and the answers that are still owed."""

    def __init__(self) -> None:
        self.misses: dict[str, int] = {}
        self._owed: dict[tuple[str, str], list[float]] = {}
        self._asked: dict[str, Pending] = {}

    @property
    def ids(self) -> list[str]:
        """The ids of the subscribers."""
        return list(self.misses)

    def subscribe(self, responder: str) -> None:
        """Add a subscriber, unless there are too many. One that subscribes again owes nothing."""
        if responder not in self.misses and len(self.misses) >= MAX_SUBSCRIBERS:
            return
        self.misses[responder] = 0
        self._owed = {key: times for key, times in self._owed.items() if key[0] != responder}

    def forget(self) -> None:
        """Remove all subscribers."""
        self.misses.clear()
        self._owed.clear()

    def ask(self, event: str, expect: Iterable[str] = ()) -> Pending:
        """Begin a signal; answers to ``event`` are for it until :meth:`close`."""
        expected = set(expect)
        late = [each for each, missed in self.misses.items() if missed >= MISSES]
        skipped = tuple(each for each in late if not expected & {each, name_of(each)})
        pending = Pending(self.misses.keys() - set(skipped), expected, skipped)
        self._asked[event] = pending
        return pending

    def close(self, event: str, now: float) -> SignalResult:
        """End a signal; each subscriber without an answer owes one from now on."""
        pending = self._asked.pop(event)
        for responder in pending.waiting:
            self.misses[responder] = self.misses.get(responder, 0) + 1
            self._owed.setdefault((responder, event), []).append(now + OWED_SECONDS)
        return pending.result()

    def answer(self, response: Response, now: float) -> None:
        """Add an answer, to an older signal if one is still owed, else to the one under way."""
        responder = response.responder_id
        if responder not in self.misses:
            return
        if self._pay(responder, response.event, now):
            return
        self.misses[responder] = 0
        pending = self._asked.get(response.event)
        if pending is not None and responder in pending.waiting:
            pending.take(response)

    def _pay(self, responder: str, event: str, now: float) -> bool:
        """Count an answer as one that is owed, and return whether one was."""
        owed = [until for until in self._owed.pop((responder, event), []) if until > now]
        if len(owed) > 1:
            self._owed[responder, event] = owed[1:]
        return bool(owed)
