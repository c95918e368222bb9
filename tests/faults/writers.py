"""Clients that write over real sockets, and keep a ledger of what they were told."""

from __future__ import annotations

import asyncio
import itertools
import random
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pymongo

from tests.faults.ledger import DONE, REFUSED, Known, Ledger
from tests.faults.models import MODELS
from tests.faults.running import PATIENCE

__all__ = ["Writers", "stored_in"]

EDITS = 8
"""How many times a document is changed before it is deleted."""


class Writers:
    """So many clients; each makes a document, changes it, reads it, deletes it, and begins again.

    :ivar ledger: what they know.
    """

    def __init__(self, client: httpx.AsyncClient, number: int) -> None:
        self.ledger = Ledger()
        self._client = client
        self._number = number
        self._stopping = False

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Have them write until the end of the block."""
        self._stopping = False
        models = itertools.cycle(MODELS)
        tasks = [asyncio.ensure_future(self._work(next(models), random.Random(at))) for at in range(self._number)]
        try:
            yield
        finally:
            self._stopping = True
            await asyncio.gather(*tasks)

    async def until_done(self, more: int) -> None:
        """Wait until so many more writes were done."""
        await self._until(lambda: self.ledger.counts[DONE], more)

    async def until_refused(self) -> None:
        """Wait until every client was refused: nobody takes connections any more."""
        await self._until(lambda: self.ledger.counts[REFUSED], 2 * self._number)

    async def until_answered(self) -> None:
        """Wait until more writes were answered than can have been on their way, whatever the answers."""
        await self._until(self.ledger.counts.total, self._number + 1)

    async def _until(self, count: Callable[[], int], more: int) -> None:
        wanted = count() + more
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 2 * PATIENCE
        while count() < wanted:
            assert loop.time() < deadline, f"it does not go on: {self.ledger.counts}, {self.ledger.odd[:3]}"
            await asyncio.sleep(0.01)

    async def _work(self, model: str, choice: random.Random) -> None:
        while not self._stopping:
            await self._live(model, choice)

    async def _live(self, model: str, choice: random.Random) -> None:
        known = Known(model, uuid.uuid4().hex)
        self.ledger.known.append(known)
        url = await self._create(known)
        for number in range(EDITS):
            if url is None or self._stopping:
                return
            if not await choice.choice((self._change, self._attach))(known, url, str(number)):
                return
            await self._look(known, url)
        if url is not None and choice.random() < 0.5:
            await self._write(known, None, "DELETE", url)

    async def _create(self, known: Known) -> str | None:
        """Its address, where it was made."""
        body = {"token": known.token, "text": "first"}
        answer = await self._write(known, {"text": "first", "notes": []}, "POST", f"/{known.model}/", body)
        return answer.headers["Location"] if isinstance(answer, httpx.Response) and answer.is_success else None

    async def _change(self, known: Known, url: str, text: str) -> bool:
        await self._write(known, {**known.state, "text": text}, "PUT", url, {"text": text})
        return known.is_certain

    async def _attach(self, known: Known, url: str, text: str) -> bool:
        state = known.state
        await self._write(known, {**state, "notes": [*state["notes"], text]}, "POST", f"{url}notes/", {"text": text})
        return known.is_certain

    async def _write(self, known: Known, after: Any, method: str, url: str, body: Any = None) -> Any:
        answer: httpx.Response | httpx.TransportError
        try:
            answer = await self._client.request(method, url, json=body)
        except httpx.TransportError as error:
            answer = error
        if self.ledger.note(known, after, answer) != DONE:
            await asyncio.sleep(0.05)  # as a client does that was told to come back
        return answer

    async def _look(self, known: Known, url: str) -> None:
        """Read one's own write."""
        try:
            answer = await self._client.get(url)
        except httpx.TransportError:
            return
        if answer.status_code == 503:
            return
        told = answer.json() if answer.is_success else {}
        shown = {"text": told.get("text"), "notes": [each["text"] for each in told.get("notes", ())]}
        if shown not in known.states:
            self.ledger.odd.append(f"GET {url}: {answer.status_code} {answer.text}, and it is {known.states}")


def stored_in(uri: str, database: str) -> Any:
    """Gives the documents of a model that a majority has."""

    def documents(model: str) -> list[dict[str, Any]]:
        client: pymongo.MongoClient[Any]
        with pymongo.MongoClient(uri, readConcernLevel="majority", timeoutMS=1000 * PATIENCE) as client:
            return list(client[database][model].find())

    return documents
