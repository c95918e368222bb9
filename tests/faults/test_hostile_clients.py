"""Hostile connections to a served application: nobody else notices, and nothing breaks.

What hostile requests may hold is in ``tests/robustness/test_hostile.py``; here they come over sockets that behave
badly, many at a time, to processes that serve good clients meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Awaitable, Callable

import httpx
import pytest

from bzz.dev import MongoServer
from tests.faults import SEED, SOAK
from tests.faults.running import PATIENCE, Running, running
from tests.serving.raw import request

REQUESTS = 300 * SOAK
"""How many hostile ones are sent."""

AT_ONCE = 10

pytestmark = pytest.mark.timeout(300 * SOAK)

Hostile = Callable[["Attack"], Awaitable[None]]


class Attack:
    """One bad client, with a connection.

    :param seed: repeats what it does.
    """

    def __init__(self, port: int, url: str, seed: int) -> None:
        self._port = port
        self.random = random.Random(seed)
        body = b'{"text": "hostile", "tags": ["a", "b"], "home": {"city": "Rio"}}'
        heads = ("Content-Type: application/json", f"Content-Length: {len(body)}")
        self.good = [
            request(f"GET {url}"), request("GET /plain/?text=a&sort=-age&per_page=3"),
            request(f"DELETE {url}notes/1/"),
            request(f"PUT {url}", *heads, body=body), request(f"PATCH {url}", *heads, 'If-Match: "x"', body=body),
            request(f"POST {url}notes/", *heads, body=body), request("GET /plain/?after=AAAA&fields=text,home.city"),
        ]  # fmt: skip
        self.answers: list[bytes] = []

    async def say(self, *pieces: bytes, listen: bool = True) -> None:
        """Send pieces, and read what comes until the other end has nothing more to say."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        with contextlib.suppress(OSError):  # a connection that the other end has reset is not connected any more
            for each in pieces:
                writer.write(each)
                await writer.drain()
            if listen:
                writer.write_eof()
                self.answers.append(await asyncio.wait_for(reader.read(), PATIENCE))
        writer.transport.abort()

    def mutated(self) -> bytes:
        """A request that was good, with some bytes changed, doubled or gone."""
        raw = bytearray(self.random.choice(self.good))
        for _ in range(self.random.randrange(1, 6)):
            at = self.random.randrange(len(raw))
            piece = self.random.choice(
                [b"", bytes([self.random.randrange(256)]), b"\r\n", b"%", b"\0", b'"', b"{" * 40]
            )
            raw[at : at + self.random.randrange(3)] = piece
        return bytes(raw)


async def mutations(attack: Attack) -> None:
    """One that was good."""
    await attack.say(attack.mutated())


async def pieces(attack: Attack) -> None:
    """Several on one connection, cut at any byte."""
    raw = b"".join(attack.random.choice([attack.mutated(), *attack.good]) for _ in range(3))
    at = attack.random.randrange(len(raw))
    await attack.say(raw[:at], raw[at:])


async def leaving(attack: Attack) -> None:
    """Gone before it is answered."""
    raw = attack.random.choice(attack.good)
    await attack.say(raw[: attack.random.randrange(1, len(raw) + 1)], listen=False)


async def wrong_under(mongo: MongoServer, database: str, hostile: Hostile, provider: str = "mongoengine") -> list[str]:
    """Serve good clients and bad ones; returns what the good were not given, and what broke, as sentences."""
    with running(mongo.uri, database, provider=provider) as application:
        async with application.client() as client:
            made = await client.post("/plain/", json={"token": "good", "text": "good"})
            victim = await client.post("/plain/", json={"token": "victim"})
            url = victim.headers["Location"]
            bad = asyncio.ensure_future(_attack(application, url, hostile))
            wrong = [await _ask_well(client, made.headers["Location"]) for _ in range(10)]
            while not bad.done():
                wrong.append(await _ask_well(client, made.headers["Location"]))
            wrong += await bad
        log = application.log
        code = application.stop()
    if "Traceback" in log:
        wrong.append(f"it logs a traceback:\n{log}")
    if code:
        wrong.append(f"it ends with exit code {code}")
    return [each for each in wrong if each]


async def _attack(application: Running, url: str, hostile: Hostile) -> list[str | None]:
    seeds = iter(range(SEED, SEED + REQUESTS))
    wrong: list[str | None] = []

    async def work() -> None:
        for seed in seeds:
            attack = Attack(application.port, url, seed)
            await hostile(attack)
            wrong.extend(f"SEED={seed}: {each!r}" for each in attack.answers if b"HTTP/1.1 500" in each)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return wrong


async def _ask_well(client: httpx.AsyncClient, url: str) -> str | None:
    answers = [await client.get(url), await client.get("/plain/?token=good")]
    if [each.status_code for each in answers] == [200, 200] and answers[0].json()["text"] == "good":
        return None
    return f"a good client is told {[each.text for each in answers]}"


@pytest.mark.parametrize("hostile", [mutations, pieces, leaving])
async def test_nobody_else_notices_and_nothing_breaks(hostile: Hostile, mongo: MongoServer, database: str) -> None:
    assert await wrong_under(mongo, database, hostile) == []


async def test_the_harness_sees_a_mistake_in_the_code(mongo: MongoServer, database: str) -> None:
    assert await wrong_under(mongo, database, mutations, "Breaks") != []


async def test_clients_that_never_finish_hold_up_nobody(mongo: MongoServer, database: str) -> None:
    with running(mongo.uri, database, in_flight=10) as application, contextlib.ExitStack() as stack:
        async with application.client() as client:
            made = await client.post("/plain/", json={"token": "good", "text": "good"})
            for number in range(100):
                bad = stack.enter_context(socket.create_connection(("127.0.0.1", application.port)))
                bad.sendall(b"GET /plain/ HTTP/1.1\r\nHost: x\r\n"[: 1 + number % 30])
            assert [await _ask_well(client, made.headers["Location"]) for _ in range(20)] == [None] * 20
