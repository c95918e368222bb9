"""One call of a listener with one change."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

from bzz.calling import call
from bzz.change import Change
from bzz.delivery.listener import DurableListener, RetryLater, SwitchOff
from bzz.events.base import Fact
from bzz.events.causes import sending
from bzz.events.event import stamp, unchecked
from bzz.events.model_events import Created, Deleted, FieldUpdated, Updated
from bzz.events.targets import Subject
from bzz.providers.commit import Commit

__all__ = ["Failure", "Unknown", "attempt", "change_id", "failed"]

MOST_TRACE, MOST_ERROR = 20_000, 2_000
"""How many characters are kept of a traceback (its end, which says what was raised), and of a message."""


class Unknown(Exception):
    """What a change did is not known, because the database did not keep both sides of it. No attempt can succeed."""


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed.

    :param wait: the seconds that the listener asked for; None if it did not.
    :param is_final: whether no further attempt can succeed.
    :param switch_off: why the listener wants to be called no more.
    """

    error: str
    trace: str
    wait: float | None = None
    is_final: bool = False
    switch_off: str | None = None


async def attempt(
    listener: DurableListener, change: Change, root: type, id: str, number: int, failing_since: datetime | None
) -> Failure | None:
    """Call a listener with the events of one change that it wants; return why that failed, None if it did not.

    :param root: the topmost model with whose documents the changed one is stored.
    :param id: of the change.
    :param number: counts the attempts, from 1.
    :param failing_since: since when the listener has handled nothing.
    """
    try:
        async with asyncio.timeout(listener.timeout) as limit:
            for event in _events(listener, change, root):
                stamp(event, id=id, occurred_at=change.at, origin=event.model)
                event.tell(change, number, failing_since)
                if listener.registration.accepts(event):
                    with sending(event):
                        await call(listener.registration.function, event)
        if asyncio.get_running_loop().time() > (limit.when() or inf):  # a plain function cannot be interrupted
            return Failure(f"it took longer than {listener.timeout:g} seconds", "")
    except RetryLater as error:
        return Failure(_text(error), _trace(error), wait=error.seconds)
    except SwitchOff as error:
        return Failure(_text(error), _trace(error), switch_off=_text(error))
    except Unknown as error:
        return Failure(str(error), "", is_final=True)
    except TimeoutError as error:
        if not limit.expired():
            return failed(error)
        return Failure(f"it took longer than {listener.timeout:g} seconds", _trace(error))
    except Exception as error:
        return failed(error)
    return None


def failed(error: Exception) -> Failure:
    """Return the failure that an exception is."""
    return Failure(f"{type(error).__name__}: {_text(error)}", _trace(error))


def _text(error: Exception) -> str:
    """Return what an exception says, as it can be stored."""
    try:
        return _storable(str(error))[:MOST_ERROR]
    except Exception:  # of the exception's own code
        return "(what it says cannot be read)"


def _storable(text: str) -> str:
    """Return a text without what UTF-8 has no form for, as names of files may hold it."""
    return text.encode("utf-8", "backslashreplace").decode()


def change_id(commit: Commit) -> str:
    """Return what is the same for a change at each attempt and in each process.

    ``users:1764230000.3.1`` is the first change of the collection ``users`` at a cluster time. A document that was
    there before is ``users:1764230000.3.0:`` and its key.

    >>> from datetime import datetime
    >>> from bzz.change import Position
    >>> change_id(Commit("users", 7, "created", None, {}, True, Position(1764230000, 3, 1), datetime(2026, 1, 1)))
    'users:1764230000.3.1'
    """
    position = "{}.{}.{}".format(*commit.position)
    key = "" if commit.position.number else f":{commit.key}"
    return f"{commit.collection}:{position}{key}"


def _events(listener: DurableListener, change: Change, root: type) -> Iterator[Fact[Any]]:
    """Yield the events of a change that match the target of a listener, as they are sent within a process.

    Within a process, an event has the name of the class on whose routes it came to be. Here there are none: it has the
    name of the document's own class, or of the nearest above it that matches.
    """
    if change.diff is None:
        raise Unknown("MongoDB did not keep what the document was before this change, or is after it")
    models = [each for each in change.model.__mro__ if issubclass(each, root)]

    def matching(kind: type[Any], name: str) -> type | None:
        matches = listener.registration.target.matches
        return next((each for each in models if matches(Subject(f"{each.__name__}.{name}", kind, each))), None)

    if change.kind == "updated":
        model = matching(Updated, Updated.verb)
        if model is not None:
            yield unchecked(Updated, instance=change.after, model=model, diff=change.diff)
        for field, pair in change.diff.items():
            model = matching(FieldUpdated, f"{Updated.verb}.{field}")
            if model is not None:
                values = {"model": model, "diff": change.diff, "field": field, "old": pair["from"], "new": pair["to"]}
                yield unchecked(FieldUpdated, instance=change.after, **values)
        return
    kind: type[Any] = Created if change.kind == "created" else Deleted
    model = matching(kind, kind.verb)
    if model is not None:
        yield unchecked(kind, model=model, instance=change.before if kind is Deleted else change.after)


def _trace(error: BaseException) -> str:
    return _storable("".join(traceback.format_exception(error)))[-MOST_TRACE:]
