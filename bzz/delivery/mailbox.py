"""The letters of a session's partitions: what could not be handled at once, and what came behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

from bzz.change import Position
from bzz.delivery.attempt import Failure, change_id
from bzz.delivery.backoff import pause_after
from bzz.delivery.listener import DurableListener
from bzz.delivery.retrying import until_stored
from bzz.providers.commit import Commit
from bzz.providers.deliveries import Claim, Deliveries, Letter, LetterState

__all__ = ["ClaimLost", "Mailbox"]

logger = logging.getLogger("bzz.delivery")


class ClaimLost(Exception):
    """Another process owns a partition by now: nothing more may be done for it here."""

    def __init__(self, partition: int) -> None:
        super().__init__(f"partition {partition} has another owner")
        self.partition = partition


class Mailbox:
    """Writes letters, and knows which documents have some. Each document's letters are moved one at a time.

    :param claims: by partition.
    """

    def __init__(self, listener: DurableListener, deliveries: Deliveries, claims: Mapping[int, Claim]) -> None:
        self._listener = listener
        self._deliveries = deliveries
        self._claims = claims
        self._last: dict[int, dict[str, Position]] = {}
        """Of each partition, the documents that have letters, and the position of the last one."""
        self._moving: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.news = asyncio.Event()
        """Set where a letter may be due that was not before."""

    async def open(self) -> None:
        """Learn which documents have letters."""
        for partition, claim in self._claims.items():
            self._last[partition] = await until_stored(lambda claim=claim: self._deliveries.keys(claim))  # type: ignore[misc]

    @property
    def is_empty(self) -> bool:
        """Whether there are no letters at all."""
        return not any(self._last.values())

    def has(self, partition: int, key: str) -> bool:
        """Return whether a document has letters."""
        return key in self._last[partition]

    async def put_behind(self, partition: int, key: str, commits: Sequence[Commit]) -> bool:
        """Put changes behind the letters of a document; false where it has none any more, and nothing was done.

        :raises ClaimLost: where another process owns the partition.
        """
        async with self._alone(key):
            last = self._last[partition].get(key)
            if last is None:
                return False
            # What comes again from before the last letter was handled, or has a letter: after a crash, progress may lie
            # behind the letters.
            new = [each for each in commits if each.position > last]
            if new:
                await self._put(partition, [self._letter(partition, key, each, "queued") for each in new])
                self._last[partition][key] = new[-1].position
            return True

    async def put_first(self, partition: int, key: str, commits: Sequence[Commit], failure: Failure | None) -> Letter:
        """Make letters of a document's changes, which has none yet; return the first.

        :param failure: of the first one, which was tried once; None where it is being tried, or was not yet.
        :raises ClaimLost: where another process owns the partition.
        """
        async with self._alone(key):
            first = self._letter(partition, key, commits[0], "waiting")
            first = self._failed(first, failure) if failure is not None else first
            await self._put(partition, [first, *(self._letter(partition, key, each, "queued") for each in commits[1:])])
            self._last[partition][key] = commits[-1].position
            self.news.set()
            return first

    async def put_again(self, letter: Letter, failure: Failure) -> None:
        """Note that a letter was tried once more, and failed.

        :raises ClaimLost: where another process owns the partition.
        """
        async with self._alone(letter.key):
            failed, claim = self._failed(letter, failure), self._claims[letter.partition]
            if not await until_stored(lambda: self._deliveries.replace(claim, failed)):
                raise ClaimLost(letter.partition)
            self.news.set()

    async def remove(self, letter: Letter) -> None:
        """Remove a letter, and let the next one of its document wait.

        :raises ClaimLost: where another process owns the partition.
        """
        async with self._alone(letter.key):
            claim = self._claims[letter.partition]
            has_next = await until_stored(lambda: self._deliveries.remove(claim, letter))
            if has_next is None:
                raise ClaimLost(letter.partition)
            if not has_next:
                self._last[letter.partition].pop(letter.key, None)
        self.news.set()

    async def due(self, busy: Sequence[str], limit: int) -> list[Letter]:
        """Return letters that are due, but for documents that are ``busy``."""
        claims = list(self._claims.values())
        return await until_stored(lambda: self._deliveries.due(claims, busy, limit)) if claims else []

    async def seconds_until_due(self) -> float | None:
        """Return how long it takes until a letter is due; None where none will be."""
        claims = list(self._claims.values())
        due = await until_stored(lambda: self._deliveries.next_due(claims)) if claims else None
        return None if due is None else max(0.0, (due - datetime.now(UTC)).total_seconds())

    def _alone(self, key: str) -> asyncio.Lock:
        """Return the lock of a document, which is kept while anybody has it or waits for it."""
        return self._moving.setdefault(key, asyncio.Lock())

    async def _put(self, partition: int, letters: Sequence[Letter]) -> None:
        claim = self._claims[partition]
        if not await until_stored(lambda: self._deliveries.put(claim, letters)):
            raise ClaimLost(partition)

    def _letter(self, partition: int, key: str, commit: Commit, state: LetterState) -> Letter:
        id, now = f"{self._listener.name}/{change_id(commit)}", datetime.now(UTC)
        return Letter(id, self._listener.name, partition, key, commit, state, 0, now)

    def _failed(self, letter: Letter, failure: Failure) -> Letter:
        attempts = letter.attempts + 1
        is_dead = failure.is_final or (attempts >= self._listener.max_attempts and failure.switch_off is None)
        wait = pause_after(attempts, self._listener.schedule, failure.wait)
        text = "%s: %s failed (attempt %d): %s; %s"
        then = "it is dead" if is_dead else f"again in {wait:.1f} s"
        logger.warning(text, self._listener.name, change_id(letter.commit), attempts, failure.error, then)
        return Letter(
            letter.id, letter.listener, letter.partition, letter.key, letter.commit,
            "dead" if is_dead else "waiting", attempts, datetime.now(UTC) + timedelta(seconds=wait),
            failure.error, failure.trace,
        )  # fmt: skip
