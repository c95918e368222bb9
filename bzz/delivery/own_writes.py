"""Which stored changes this process has made itself, by its requests.

Nothing in a change stream says who wrote. So the writes of requests are remembered, and a change that does the same to
the same document is one of them: same primary key, same diff. A change may come before its request has heard from the
database; then that request is waited for.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakSet

from bzz.change import Change
from bzz.model.base import ResourceHandler
from bzz.providers.base import Written

__all__ = ["OwnWrites"]

REMEMBERED_SECONDS = 60.0
"""How long a write may take to come back."""

MOST_REMEMBERED = 10_000

WAIT_SECONDS = 2.0
"""How long a request may take from its write to the end, when its change has come already."""

LOOK_SECONDS = 0.01

Document = tuple[type, str]


@dataclass(frozen=True)
class _Write:
    written: Written
    at: float


class OwnWrites:
    """Remembers what requests write; is told by :func:`bzz.model.base.watch_writes`.

    :param roots: of each model that is listened to, the topmost one whose collection it shares.
    """

    def __init__(self, roots: Mapping[type, type]) -> None:
        self._roots = roots
        self._requests: WeakSet[ResourceHandler] = WeakSet()
        self._writes: OrderedDict[Document, deque[_Write]] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()

    def begin(self, handler: ResourceHandler) -> None:
        """Called when a request that may write was let in."""
        self._requests.add(handler)

    def written(self, handler: ResourceHandler, written: Written) -> None:
        """Called after each write."""
        document = self._document(written.change)
        if document is None:
            return
        now = time.monotonic()
        self._writes.setdefault(document, deque()).append(_Write(written, now))
        self._writes.move_to_end(document)
        self._forget(now)

    async def made(self, change: Change, id: str) -> bool:
        """Return whether a request of this process made a change.

        :param id: of the change; it is remembered, for it may be asked for again.
        """
        if id in self._known:
            return True
        requests = [each for each in self._requests if self._may_write(each, change)]
        deadline = time.monotonic() + WAIT_SECONDS
        while not self._take(change):
            if time.monotonic() > deadline or all(each.is_answered for each in requests):
                return False
            await asyncio.sleep(LOOK_SECONDS)
        self._known[id] = None
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return True

    def _document(self, change: Change) -> Document | None:
        root = self._roots.get(change.model)
        return None if root is None else (root, repr(change.id))

    def _may_write(self, handler: ResourceHandler, change: Change) -> bool:
        """Return whether a request that is not answered yet may have made a change."""
        if handler.is_answered:
            return False
        path = handler.path
        first = path.steps[0]
        if path.follows_reference:
            return True
        is_of_model = self._roots.get(first.shape.model) is self._roots.get(change.model)
        is_by_key = first.key is not None and first.shape.url_id is first.shape.pk
        return is_of_model and (not is_by_key or str(first.key) == str(change.id))

    def _take(self, change: Change) -> bool:
        """Forget the write that did what a change has done; return whether there is one."""
        document = self._document(change)
        writes = self._writes.get(document) if document is not None else None
        for each in writes or ():
            own = each.written.change
            if _kind(own) == _kind(change) and own.diff == change.diff:
                assert writes is not None
                writes.remove(each)
                if not writes:
                    del self._writes[document]  # type: ignore[arg-type]  # it is a key
                return True
        return False

    def _forget(self, now: float) -> None:
        while self._writes:
            document, writes = next(iter(self._writes.items()))
            while writes and (writes[0].at < now - REMEMBERED_SECONDS or len(self._writes) > MOST_REMEMBERED):
                writes.popleft()
            if writes:
                return
            del self._writes[document]


def _kind(change: Change) -> str:
    return "updated" if change.kind in ("linked", "unlinked") else change.kind
