"""The ledger knows what must be stored, may be stored and must not be."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.faults.ledger import Known, Ledger

FIRST: dict[str, Any] = {"text": "a", "notes": []}
SECOND: dict[str, Any] = {"text": "b", "notes": ["x"]}


def answer(status: int, detail: str = "") -> httpx.Response:
    return httpx.Response(status, text=detail, request=httpx.Request("PUT", "http://x/"))


NOTHING_DONE = answer(503, "The database is away; nothing was done.")
NOBODY_KNOWS = answer(503, "The outcome is unknown.")
NO_ANSWER = httpx.ReadError("cut")
NOT_TAKEN = httpx.ConnectError("refused")


def wrong(ledger: Ledger, *states: dict[str, Any]) -> list[str]:
    documents = [
        {"token": "1", "text": each["text"], "notes": [{"text": note} for note in each["notes"]]} for each in states
    ]
    return ledger.wrong(lambda model: documents)


@pytest.mark.parametrize(
    ("told", "allowed", "forbidden"),
    [
        (answer(200), [[SECOND]], [[FIRST], [], [SECOND, SECOND]]),
        (NOTHING_DONE, [[FIRST]], [[SECOND], []]),
        (NOT_TAKEN, [[FIRST]], [[SECOND], []]),
        (NOBODY_KNOWS, [[FIRST], [SECOND]], [[], [FIRST, SECOND]]),
        (NO_ANSWER, [[FIRST], [SECOND]], [[], [FIRST, SECOND]]),
        (answer(500), [], [[FIRST], [SECOND]]),
        (answer(404), [], [[FIRST], [SECOND]]),
    ],
    ids=["done", "refused", "not taken", "unknown", "no answer", "500", "404"],
)
def test_what_a_write_was_answered_decides_what_may_be_stored(told: Any, allowed: Any, forbidden: Any) -> None:
    ledger = Ledger()
    known = Known("plain", "1", [FIRST])
    ledger.known.append(known)
    ledger.note(known, SECOND, told)
    assert [wrong(ledger, *states) for states in allowed] == [[]] * len(allowed)
    assert all(wrong(ledger, *states) for states in forbidden)


def test_what_nobody_wrote_is_reported() -> None:
    ledger = Ledger()
    ledger.known.append(Known("plain", "2"))
    assert wrong(ledger, FIRST) == ["plain 1 is there, and nobody wrote it"]
