"""Rows sent to a list, many at a time where the server takes that and one by one where not, and what became of each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tornado.httpclient import HTTPResponse

from bzz.cli.bodies import Bodies, Payload
from bzz.cli.client import Away, Client, refusal
from bzz.cli.console import Failure
from bzz.cli.resuming import Progress
from bzz.cli.rows import Row

__all__ = ["Outcome", "Sender"]

AT_ONCE = 16
"""How many rows are on their way at once where they go one by one."""

TRIES = 8
LONGEST_PAUSE_SECONDS = 15.0
_BUSY = (429, 502, 503, 504)
_FOR_THE_WHOLE_LOAD = (401, 404, 405)


@dataclass(frozen=True)
class Outcome:
    """What became of a row.

    :param reason: why it was refused, as the members of a problem (RFC 9457); None for a row that is stored.
    """

    row: Row
    reason: dict[str, Any] | None = None


class _Split(Exception):
    """The array is too large for the server."""


@dataclass
class Sender:
    """Sends rows to one list.

    :param bodies: how they are sent.
    :ivar takes_arrays: whether the server takes several rows at a time, as far as that is known.
    """

    client: Client
    progress: Progress
    bodies: Bodies
    takes_arrays: bool = field(default=True, init=False)
    _unsure: set[int] = field(default_factory=set, init=False)

    async def send(self, rows: Sequence[Row]) -> list[Outcome]:
        """Return what became of rows, in their order.

        :raises Failure: where the load cannot go on.
        """
        rest, outcomes = list(rows), list[Outcome]()
        while rest and self.progress.takes_ids is None:  # the first row that is stored tells it
            outcomes.append(await self._send_one(rest.pop(0)))
        if self.takes_arrays and len(rest) > 1:
            return [*outcomes, *await self._send_array(rest)]
        gate = asyncio.Semaphore(AT_ONCE)

        async def gated(row: Row) -> Outcome:
            async with gate:
                return await self._send_one(row)

        return [*outcomes, *await asyncio.gather(*map(gated, rest))]

    # -- arrays

    async def _send_array(self, rows: list[Row]) -> list[Outcome]:
        try:
            entries = await self._post_array(rows)
        except _Split:
            half = len(rows) // 2
            return [*await self.send(rows[:half]), *await self.send(rows[half:])]
        if entries is None:
            self.takes_arrays = False
            return await self.send(rows)
        return [await self._outcome(row, entry) for row, entry in zip(rows, entries, strict=True)]

    async def _post_array(self, rows: list[Row]) -> list[dict[str, Any]] | None:
        """Return the entries of the answer, one for each row; None where the server takes no arrays."""
        body = self.bodies.encode_many([self._payload(row) for row in rows])
        headers = {"Content-Type": self.bodies.many, "Prefer": "handling=lenient"}
        answer = await self._post(body, headers, rows)
        if answer.code == 413:
            raise _Split
        found = _json_of(answer)
        if answer.code < 300 and isinstance(found, list) and len(found) == len(rows):
            return found
        if answer.code < 300:
            raise Failure(f"{self.client.url} answers an array with {answer.code}, and not with an entry for each row")
        return None

    async def _outcome(self, row: Row, entry: dict[str, Any]) -> Outcome:
        """Return what an entry of the answer says of a row; one that the server had no time for is sent again."""
        status = entry.get("status", 0)
        if status in _BUSY and self._may_repeat([row]):
            self._unsure.add(row.number)
            return await self._send_one(row)
        if status < 300 or (status == 409 and await self._is_stored(row)):
            return Outcome(row)
        return Outcome(row, entry)

    # -- one by one

    async def _send_one(self, row: Row) -> Outcome:
        body = self.bodies.encode_one(self._payload(row))
        answer = await self._post(body, {"Content-Type": self.bodies.one}, [row])
        if answer.code < 300:
            if self.progress.takes_ids is None and "id" not in (row.data or {}):
                self.progress.takes_ids = True
            return Outcome(row)
        problem = _problem_of(answer)
        if answer.code == 400 and self.progress.takes_ids is None and _refuses_our_id(row, problem):
            self.progress.takes_ids = False
            return await self._send_one(row)
        if answer.code == 409 and await self._is_stored(row):
            return Outcome(row)
        if answer.code in _FOR_THE_WHOLE_LOAD:
            raise refusal(answer)
        return Outcome(row, {"status": answer.code, **problem})

    async def _is_stored(self, row: Row) -> bool:
        """Return whether a row that conflicts with what is stored is itself stored, since it was sent before."""
        given = self._payload(row).get("id")
        if given is None or not (self.progress.is_doubtful(row) or row.number in self._unsure):
            return False
        answer = await self.client.send("GET", f"{self.client.url.rstrip('/')}/{quote(str(given), safe='')}/")
        return answer.code == 200

    def _payload(self, row: Row) -> Payload:
        data = row.data or {}
        if self.progress.takes_ids is False or "id" in data:
            return data
        return {"id": self.progress.id_of(row), **data}

    # -- requests

    async def _post(self, body: bytes, headers: dict[str, str], rows: Sequence[Row]) -> HTTPResponse:
        """Return the answer to a POST, which is sent again where that is safe.

        :raises Failure: if there is none in the end.
        """
        pause = 0.5
        for left in range(TRIES, 0, -1):
            try:
                answer = await self.client.send("POST", self.client.url, body, headers)
                if answer.code not in _BUSY:
                    return answer
                is_safe, failure = "Retry-After" in answer.headers, refusal(answer)
            except Away as error:
                is_safe, failure = False, error
            if not (left > 1 and (is_safe or self._may_repeat(rows))):
                raise Failure(f"{failure}; the same command goes on after {self.progress.done:,} rows")
            if not is_safe:
                self._unsure.update(row.number for row in rows)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        raise AssertionError

    def _may_repeat(self, rows: Sequence[Row]) -> bool:
        """Return whether rows that may have been stored can be sent again: they all have ids."""
        return self.progress.takes_ids is not False or all("id" in (row.data or {}) for row in rows)


def _refuses_our_id(row: Row, problem: dict[str, Any]) -> bool:
    return "id" in (problem.get("errors") or {}) and "id" not in (row.data or {})


def _problem_of(answer: HTTPResponse) -> dict[str, Any]:
    found = _json_of(answer)
    return found if isinstance(found, dict) else {"title": answer.reason}


def _json_of(answer: HTTPResponse) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return None
