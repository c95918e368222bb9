"""The hub on a real stream: each change once to each follower, whoever comes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from bzz.change import Position
from bzz.live.frames import ResetReason
from bzz.live.hub import Hub
from bzz.live.judging import Judgement
from bzz.providers.changes import Commit, Scope
from bzz.providers.mongoengine.changes.database_changes import changes_of
from tests.conftest import Driver
from tests.providers.following import PATIENCE


class Recorder:
    """A follower that keeps what it is told.

    :param heed: awaited after each change, within the time in which no other is told.
    """

    def __init__(self, *collections: str, heed: Callable[[int], Awaitable[None]] | None = None) -> None:
        self.collections = frozenset(collections)
        self.told: list[tuple[str, Any]] = []
        self._heed = heed

    def scopes(self, commit: Commit) -> Iterable[Scope]:
        return ()

    async def tell(self, commit: Commit, position: Position, judgement: Judgement) -> None:
        self.told.append((commit.collection, commit.key))
        if self._heed is not None:
            await self._heed(len(self.told))

    def tick(self, position: Position | None) -> None: ...

    def end(self, reason: ResetReason) -> None: ...


class ToldWhenInterrupted(Hub):
    """A hub that says when its stream is about to be opened anew for more collections."""

    def __init__(self, changes: Any) -> None:
        super().__init__(changes)
        self.interrupting = asyncio.Event()

    async def _cancel(self) -> None:
        self.interrupting.set()
        await super()._cancel()


async def test_a_transaction_is_told_once_though_the_stream_is_opened_anew_in_the_middle(driver: Driver) -> None:
    """Its changes have one cluster time, and those of each collection are numbered by themselves."""
    changes = changes_of(driver())
    hub = ToldWhenInterrupted(changes)
    joining: list[asyncio.Task[Position]] = []

    async def heed(number: int) -> None:
        if number == 2:
            joining.append(asyncio.create_task(hub.join(Recorder("punt"))))
            await hub.interrupting.wait()

    recorder = Recorder("dory", "skiff", heed=heed)
    await hub.join(recorder)
    written = [("dory", 1), ("dory", 2), ("skiff", 1), ("skiff", 2), ("dory", 3)]
    await _transact(driver, written)
    await driver()["skiff"].insert_one({"_id": "last"})
    async with asyncio.timeout(PATIENCE):
        while ("skiff", "last") not in recorder.told:
            await driver()["other"].find_one({})
    await asyncio.gather(*joining)
    await hub.close()
    assert recorder.told == [*written, ("skiff", "last")]


async def _transact(driver: Driver, inserts: list[tuple[str, Any]]) -> None:
    session: Any = driver().client.start_session()
    if hasattr(session, "__await__"):
        session = await session
    async with session:
        transaction = session.start_transaction()
        async with await transaction if hasattr(transaction, "__await__") else transaction:
            for name, key in inserts:
                await driver()[name].insert_one({"_id": key}, session=session)
