"""The application, or the primary, is killed while clients post with keys again and again: each makes one document."""

from __future__ import annotations

import asyncio
import itertools
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from bzz.dev import MongoServer
from tests.faults import SEED, SOAK
from tests.faults.conftest import AT_LENGTH
from tests.faults.models import KEYED
from tests.faults.replicas import ReplicaSet
from tests.faults.running import PATIENCE, running
from tests.faults.test_primary_killed import killed
from tests.faults.writers import stored_in

KILLS = 10 * SOAK
CLIENTS = 16
BETWEEN = 100
"""How many keys are done between two kills."""

LEASE_SECONDS = 1.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 * SOAK)]


@dataclass
class Key:
    """One key, and what is known of it.

    :ivar document: the id that its first answer named; None before that.
    """

    model: str
    token: str
    document: str | None = None


class Posting:
    """Clients that post with keys, give up before they are answered, and post again.

    :ivar odd: answers that should not have been given, as sentences.
    :ivar counts: how many POSTs were answered by which status, or not at all, and how many answers were replays.
    """

    def __init__(self, client: httpx.AsyncClient, number: int) -> None:
        self.keys: list[Key] = []
        self.odd: list[str] = []
        self.counts: Counter[str] = Counter()
        self.done = 0
        self._client = client
        self._number = number
        self._stopping = False

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Have them post until the end of the block, and until each has an answer to its last key."""
        models = itertools.cycle(KEYED)
        tasks = [
            asyncio.ensure_future(self._work(next(models), random.Random(SEED + at))) for at in range(self._number)
        ]
        try:
            yield
        finally:
            self._stopping = True
            await asyncio.gather(*tasks)

    async def until_done(self, more: int) -> None:
        """Wait until so many more keys have answers."""
        wanted = self.done + more
        await self._until(lambda: self.done >= wanted)

    async def until_answered(self) -> None:
        """Wait until more POSTs were answered than can have been on their way, whatever the answers."""
        wanted = self.counts.total() + 3 * self._number
        await self._until(lambda: self.counts.total() >= wanted)

    async def _until(self, condition: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 2 * PATIENCE
        while not condition():
            assert loop.time() < deadline, f"it does not go on: {self.counts}, {self.odd[:3]}"
            await asyncio.sleep(0.01)

    def wrong(self, stored: Any) -> list[str]:
        """What is not as it must be, as sentences."""
        found: dict[tuple[str, str], list[str]] = {}
        for model in KEYED:
            for document in stored(model):
                found.setdefault((model, document["token"]), []).append(str(document["_id"]))
        told = []
        for each in self.keys:
            documents = found.pop((each.model, each.token), [])
            if documents != [each.document]:
                told.append(f"{each.token} is {documents}, and was told to be {each.document}")
        return [*self.odd, *told, *(f"{token} is there, and nobody posted it" for _, token in found)]

    async def _work(self, model: str, choice: random.Random) -> None:
        while not self._stopping:
            key = Key(model, uuid.uuid4().hex)
            self.keys.append(key)
            while key.document is None:
                at_once = 2 if choice.random() < 0.1 else 1
                await asyncio.gather(*(self._post(key, choice) for _ in range(at_once)))
            self.done += 1
            if choice.random() < 0.2:
                await self._post(key, choice)

    async def _post(self, key: Key, choice: random.Random) -> None:
        """Post once, and perhaps give up before the answer."""
        patience = choice.random() * 0.05 if choice.random() < 0.2 else PATIENCE
        try:
            answer = await self._client.post(
                f"/{key.model}/", json={"token": key.token}, headers={"Idempotency-Key": key.token}, timeout=patience
            )
        except httpx.TransportError:
            self.counts["none"] += 1
            await asyncio.sleep(0.01)
            return
        self.counts[str(answer.status_code)] += 1
        self.counts["replayed"] += "Idempotency-Replayed" in answer.headers
        if answer.status_code == 201:
            self._note(key, answer)
        elif answer.status_code == 503 or "Retry-After" in answer.headers:
            await asyncio.sleep(0.05)
        else:
            self.odd.append(f"POST {key.token}: {answer.status_code} {answer.text}")

    def _note(self, key: Key, answer: httpx.Response) -> None:
        told = answer.headers["X-Created-Id"]
        if answer.json() != {"id": told, "token": key.token} or key.document not in (None, told):
            self.odd.append(f"{key.token} was {key.document}, and is answered by {told}: {answer.text}")
        key.document = told


async def wrong_after_kills(uri: str, database: str, kills: int, provider: str = "mongoengine") -> list[str]:
    """Kill one of two serving processes again and again; returns what is not as it must be."""
    options = {"provider": provider, "processes": 2, "lease_seconds": LEASE_SECONDS}
    with running(uri, database, **options) as application:
        async with application.client() as client:
            posting = Posting(client, CLIENTS)
            async with posting.at_work():
                for _ in range(kills):
                    await posting.until_done(BETWEEN)
                    await application.kill_one()
                await posting.until_done(BETWEEN)
    print(f"{len(posting.keys)} keys, {kills} kills, answers: {dict(posting.counts)}")
    return posting.wrong(stored_in(uri, database))


async def test_each_key_makes_one_document_however_often_it_is_posted(mongo: MongoServer, database: str) -> None:
    wrong = await wrong_after_kills(mongo.uri, database, KILLS)
    assert wrong == [], "\n".join(wrong[:20])


@AT_LENGTH
async def test_the_harness_sees_documents_whose_ids_were_not_stored_before_them(
    mongo: MongoServer, database: str
) -> None:
    wrong = await wrong_after_kills(mongo.uri, database, 20, "ChoosesNoKeys")
    assert any("', '" in each for each in wrong), wrong


async def test_each_key_makes_one_document_though_primaries_are_killed(replicas: ReplicaSet, database: str) -> None:
    with running(replicas.uri, database, processes=2, lease_seconds=LEASE_SECONDS) as application:
        async with application.client() as client:
            posting = Posting(client, CLIENTS)
            async with posting.at_work():
                for _ in range(SOAK):
                    await posting.until_done(BETWEEN)
                    await killed(replicas, posting)
                    await application.kill_one()
                await posting.until_done(BETWEEN)
    print(f"{len(posting.keys)} keys, {SOAK} primaries killed, answers: {dict(posting.counts)}")
    wrong = posting.wrong(stored_in(replicas.uri, database))
    assert wrong == [], "\n".join(wrong[:20])
