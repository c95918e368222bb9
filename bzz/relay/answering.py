"""The functions that answer questions."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from bzz.calling import call
from bzz.errors import ConfigurationError, Refuse
from bzz.events.causes import sending
from bzz.events.event import AdHocEvent, Event
from bzz.events.targets import Exact, Glob, Subject, Target, parse
from bzz.relay.tasks import cancel_all, start_detached

__all__ = ["CONCURRENT", "Answering", "Outcome"]

logger = logging.getLogger("bzz.relay")

CONCURRENT = 256
"""How many questions are answered at once; further ones get a failure as answer."""

MAX_MESSAGE = 500
"""The maximum length of the message of a failure, in characters."""

_REMEMBERED = 4096

Function = Callable[[Any], Any]


class Outcome(NamedTuple):
    """The result of a function that answers a question."""

    ok: bool
    value: Any = None
    message: str = ""


class Answering:
    """The functions of one relay, by the questions that they answer."""

    def __init__(self) -> None:
        self._functions: list[tuple[str, Target, Function]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: OrderedDict[str, None] = OrderedDict()

    @property
    def patterns(self) -> list[str]:
        """The names and globs of the questions that are answered."""
        return [pattern for pattern, _, _ in self._functions]

    def add(self, pattern: Any, function: Function) -> None:
        """Let a function answer questions; of several that match, the first one answers.

        :raises bzz.errors.ConfigurationError: if the pattern is neither a name nor a glob, or has a function already.
        """
        target = parse(pattern) if isinstance(pattern, str) else None
        if not isinstance(target, (Exact, Glob)):
            raise ConfigurationError(
                f"{pattern!r} is neither a name nor a glob: others must be able to read what is answered"
            )
        if pattern in self.patterns:
            raise ConfigurationError(f"{pattern!r} is answered already")
        self._functions.append((pattern, target, function))

    def find(self, name: str) -> Function | None:
        """Return the function that answers questions of this name, or None."""
        subject = Subject(name, AdHocEvent)
        return next((function for _, target, function in self._functions if target.matches(subject)), None)

    def is_new(self, question: str) -> bool:
        """Return whether the question is received for the first time. It may be sent again after a reconnection."""
        if question in self._seen:
            return False
        self._seen[question] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def start(self, function: Function, event: Event, report: Callable[[Outcome], None]) -> None:
        """Call ``function`` with a question in a task, and ``report`` with the outcome."""
        if len(self._tasks) >= CONCURRENT:
            report(Outcome(False, message=f"busy: {CONCURRENT} questions are being worked on"))
            return

        async def work() -> None:
            report(await _outcome(function, event))

        task = start_detached(work(), f"answer {event.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self, seconds: float) -> None:
        """Wait for the questions that are being answered, and cancel them after so many seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        await cancel_all(*self._tasks)


async def _outcome(function: Function, event: Event) -> Outcome:
    try:
        with sending(event):
            return Outcome(True, await call(function, event))
    except Refuse as refusal:
        return Outcome(False, message=refusal.reason[:MAX_MESSAGE])
    except Exception as error:
        logger.exception("answering %s failed", event.name)
        return Outcome(False, message=f"{type(error).__name__}: {error}"[:MAX_MESSAGE])
