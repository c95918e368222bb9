"""What clients sent and were told, and so what the database must hold, may hold and must not hold."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

__all__ = ["DONE", "REFUSED", "UNKNOWN", "Known", "Ledger", "verdict"]

DONE, REFUSED, UNKNOWN = "done", "refused", "unknown"

State = Mapping[str, Any] | None
"""What there is of one document; None where there is none."""


def verdict(answer: httpx.Response | httpx.TransportError) -> str:
    """What a client that wrote now knows."""
    if isinstance(answer, (httpx.ConnectError, httpx.ConnectTimeout)):
        return REFUSED
    if isinstance(answer, httpx.TransportError):
        return UNKNOWN
    if answer.is_success:
        return DONE
    if answer.status_code >= 500 and "nothing was done" not in answer.text:
        return UNKNOWN
    return REFUSED


@dataclass
class Known:
    """One document that only one client writes to, and the states that it may be in.

    It has more than one after a write of unknown outcome. Nothing more may be sent to it then, for that write may still
    be on its way.
    """

    model: str
    token: str
    states: list[State] = field(default_factory=lambda: [None])

    @property
    def is_certain(self) -> bool:
        return len(self.states) == 1

    @property
    def state(self) -> Any:
        """A copy of the one state."""
        (only,) = self.states
        return copy.deepcopy(only)


class Ledger:
    """Everything that some clients wrote.

    :ivar odd: answers that should not have been given, as sentences.
    :ivar counts: how many writes were done, refused and of unknown outcome.
    """

    def __init__(self) -> None:
        self.known: list[Known] = []
        self.odd: list[str] = []
        self.counts: Counter[str] = Counter()

    def note(self, known: Known, after: State, answer: httpx.Response | httpx.TransportError) -> str:
        """Note what a write that makes ``after`` of a document was answered."""
        told = verdict(answer)
        self.counts[told] += 1
        known.states = {DONE: [after], REFUSED: known.states, UNKNOWN: [*known.states, after]}[told]
        if isinstance(answer, httpx.Response) and not answer.is_success and answer.status_code != 503:
            self.odd.append(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}")
        return told

    def wrong(self, stored: Callable[[str], Iterable[Mapping[str, Any]]]) -> list[str]:
        """What is not as it must be, as sentences.

        :param stored: the documents of a model that there are.
        """
        found: dict[tuple[str, str], list[State]] = {}
        for model in {each.model for each in self.known}:
            for document in stored(model):
                found.setdefault((model, document["token"]), []).append(seen(document))
        wrong = [self._judge(each, found.pop((each.model, each.token), [None])) for each in self.known]
        strange = [f"{model} {token} is there, and nobody wrote it" for model, token in found]
        return [*self.odd, *strange, *(each for each in wrong if each)]

    @staticmethod
    def _judge(known: Known, found: list[State]) -> str | None:
        if len(found) == 1 and found[0] in known.states:
            return None
        return f"{known.model} {known.token} is {found}, and ought to be one of {known.states}"


def seen(document: Mapping[str, Any]) -> State:
    """What the clients know of a stored document."""
    return {"text": document.get("text"), "notes": [each["text"] for each in document.get("notes", ())]}
