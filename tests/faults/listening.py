"""A process with a durable listener, as a program: ``python -m tests.faults.listening '{"uri": ...}'``.

The listener is slow at random and fails at random. Whatever it does is a line of a file, which outlives the process:
:mod:`tests.faults.told` reads it.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
import logging
import os
import random
import re
import sys
from contextvars import ContextVar
from typing import Any, ClassVar

import mongoengine as me

import bzz
from bzz.delivery import lanes, lease, owner
from bzz.providers.mongoengine.changes.deliveries import MongoDeliveries
from tests.faults import SEED, seeded_delivery

__all__ = ["CONCURRENCY", "FAILS", "LEASE_SECONDS", "Turn"]

LEASE_SECONDS = 2.5
FAILS = 0.2
"""How probable it is that an attempt fails."""

CONCURRENCY = 8
SLOW_SECONDS = 0.05
"""After so long a call has a letter here."""


class Turn(me.Document):
    """A document whose every change has a number."""

    step = me.IntField()
    meta: ClassVar[dict[str, Any]] = {"collection": "turn"}


class Notes:
    """The file that the listener writes to.

    A call is noted before its lease is looked at, and when it has ended. What counts is the order in which calls begin:
    a process that is frozen in the middle of one ends it later.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._numbers = itertools.count(1)
        self._call: ContextVar[int] = ContextVar("call")

    def line(self, *words: object) -> None:
        """Append a line, in one piece."""
        os.write(self._file, (" ".join(map(str, (os.getpid(), *words))) + "\n").encode())

    def begin(self) -> None:
        """Note that a call begins, if it may."""
        number = next(self._numbers)
        self._call.set(number)
        self.line("begin", number)

    def end(self, what: str, event: Any) -> None:
        """Note how a call has ended."""
        change = event.change
        step = (change.before if change.kind == "deleted" else change.after).step + (change.kind == "deleted")
        self.line(what, self._call.get(), change.id, step, event.attempt)


class Restarts(logging.Handler):
    """Notes that the listener goes on from what was stored although its process lives."""

    def __init__(self, notes: Notes) -> None:
        super().__init__()
        self._notes = notes

    def emit(self, record: logging.LogRecord) -> None:
        if "goes on from what was stored" in record.msg or "may own some of its partitions" in record.msg:
            self._notes.line("restart")
        if "done last may be done again" in record.msg:
            self._notes.line("restart")


def note_refusals(notes: Notes) -> None:
    """Note each write that was refused since its claim did not hold any more, also where nobody waits for it now."""

    def noting(name: str, refused: Any) -> Any:
        real = getattr(MongoDeliveries, name)

        async def write(*given: Any) -> Any:
            answer = await real(*given)
            if refused(answer):
                notes.line("refused", name)
            return answer

        return functools.wraps(real)(lambda *given: asyncio.shield(asyncio.ensure_future(write(*given))))

    MongoDeliveries.save = noting("save", bool)  # type: ignore[method-assign]
    for name in ("put", "replace"):
        setattr(MongoDeliveries, name, noting(name, lambda answer: not answer))
    MongoDeliveries.remove = noting("remove", lambda answer: answer is None)  # type: ignore[method-assign]


def listen(notes: Notes, fails: float) -> None:
    """Declare the listener."""
    choice = random.Random(f"{SEED} {os.getpid()}")
    check = lease.Lease.check

    def noted_check(own: lease.Lease) -> None:
        notes.begin()
        check(own)

    lease.Lease.check = noted_check  # type: ignore[assignment,method-assign]

    async def turned(event: Any) -> None:
        if choice.random() < 0.3:
            await asyncio.sleep(choice.random() * (0.2 if choice.random() < 0.1 else 0.02))
        if choice.random() < fails:
            notes.end("failed", event)
            raise ValueError("by chance")
        notes.end("done", event)

    target = re.compile(r"Turn\.(created|updated|deleted)")
    options: Any = {"schedule": (0.05, 0.1), "max_attempts": 1000, "concurrency": CONCURRENCY}
    bzz.durable(target, name="turns", **options)(turned)


async def deliver(uri: str, database: str, ledger: str, fault: str | None = None, fails: float = FAILS) -> None:
    """Run the listener without end.

    :param ledger: the file that is written to.
    :param fault: the name of one in :mod:`tests.faults.seeded_delivery`.
    """
    me.connect(db=database, host=uri, uuidRepresentation="standard")
    if fault is not None:
        getattr(seeded_delivery, fault)()
    notes = Notes(ledger)
    logging.getLogger("bzz.delivery").addHandler(Restarts(notes))
    note_refusals(notes)
    listen(notes, fails)
    async with bzz.deliver():
        notes.line("start")
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    for module in (lease, owner):
        module.LEASE_SECONDS = LEASE_SECONDS  # type: ignore[attr-defined]
    lease.MARGIN_SECONDS, owner.BEAT_SECONDS, lanes.SLOW_SECONDS = 0.3, 0.5, SLOW_SECONDS  # type: ignore[attr-defined]
    asyncio.run(deliver(**json.loads(sys.argv[1])))
