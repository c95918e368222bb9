"""What arrays save: ``python -m bench.bulk`` prints rows per second, posted one by one and together.

A plain class over HTTP, by bare sockets that are kept open. All ways take turns, so that a busy neighbour hits all
alike. The client shares the machine with the server; that takes more from single requests than from arrays.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import pymongo

from bench import data
from bench.peers import Running, Server, start
from bench.surroundings import describe
from bzz.dev import MongoServer

DATABASE = "bench_bulk"
ROUNDS = 3
BZZ = Server("bulk", "bzz", ("-m", "bench.servers.bzz_server"))

Client = pymongo.MongoClient[dict[str, Any]]


class Way(NamedTuple):
    """How rows are posted.

    :param size: how many in one request; 0 for one that is no array.
    """

    label: str
    connections: int
    size: int
    rows: int
    header: str = ""


WAYS = (
    Way("one by one, 1 connection", 1, 0, 300),
    Way("one by one, 16 connections", 16, 0, 1_000),
    Way("arrays of 1,000, all or none", 1, 1_000, 3_000),
    Way("the same, 4 connections", 4, 1_000, 12_000),
    Way("arrays of 1,000, handling=lenient", 1, 1_000, 3_000, "Prefer: handling=lenient\r\n"),
    Way("arrays of 100, all or none", 1, 100, 3_000),
)


class Seen(NamedTuple):
    """Rows per second by the clock, and per second of the server's processor time."""

    clock: float
    processor: float


def main() -> None:
    """Run everything and print it."""
    with MongoServer() as mongo, Client(mongo.uri) as client:
        about = describe(mongo.uri)
        print(json.dumps({"at": about["at"], "versions": about["versions"], "load": os.getloadavg()}))
        client.drop_database(DATABASE)
        with start(BZZ, mongo.uri, DATABASE) as running:
            seen: dict[Way, list[Seen]] = {way: [] for way in WAYS}
            for number in range(ROUNDS + 1):
                for way in WAYS:
                    once = _measure(running, client, way)
                    if number:  # the first round connects and compiles
                        seen[way].append(once)
        client.drop_database(DATABASE)
    for way in WAYS:
        _print(way, seen[way], seen)
    print(f"load: {os.getloadavg()}")


def _print(way: Way, rounds: Sequence[Seen], seen: dict[Way, list[Seen]]) -> None:
    ratios = [
        statistics.median(each.clock / base.clock for each, base in zip(rounds, seen[single], strict=True))
        for single in WAYS[:2]
    ]
    clock, processor = (statistics.median(each) for each in zip(*rounds, strict=True))
    print(f"{way.label:<36} {clock:>9,.0f} {processor:>9,.0f}   {ratios[0]:5.1f} {ratios[1]:5.1f} times")


def _measure(running: Running, client: Client, way: Way) -> Seen:
    requests = [_request(way, first) for first in range(0, way.rows, way.size or 1)]
    used, began = running.cpu_seconds, time.perf_counter()
    asyncio.run(_post(running.port, requests, way.connections))
    clock, processor = time.perf_counter() - began, running.cpu_seconds - used
    stored = client[DATABASE][data.COLLECTION].delete_many({}).deleted_count
    if stored != way.rows:
        raise RuntimeError(f"{way.label}: {stored} of {way.rows} rows were stored")
    return Seen(way.rows / clock, way.rows / processor)


def _request(way: Way, first: int) -> bytes:
    rows: Any = [data.body(number) for number in range(first, first + way.size)] if way.size else data.body(first)
    body = json.dumps(rows).encode()
    head = f"POST /user/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{way.header}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _post(port: int, requests: Sequence[bytes], connections: int) -> None:
    waiting = iter(requests)

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
                raise RuntimeError(head.decode())
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))


if __name__ == "__main__":
    main()
