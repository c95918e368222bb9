"""What live feeds cost: ``python -m bench.live`` prints what a change takes, and what an open stream costs writes.

Beside bzz's feed stands one by hand, on Tornado and Motor, which follows the collection and does much less. Everything
is measured in turns, so that a busy neighbour hits all alike; the load of the machine is printed with it.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

import psutil
import pymongo

from bench import data
from bench.peers import Running, Server, start
from bench.surroundings import describe
from bzz.dev import MongoServer
from tests.faults.crowd import Crowd, crowd

DATABASE = "bench_live"
PIECES = 300
"""How many changes are timed, one after the other."""

ROUNDS = 5
SECONDS = 2.0
SETTLE_SECONDS = 1.0
"""How long writers are at work before they are measured: streams are read in another way where much is written."""

WRITERS = 8
PROCESSES = (0, 1, 2, 4)
CLIENTS = 500
CHANGES = 100

BZZ = Server("live", "bzz", ("-m", "bench.servers.live_bzz"))
BY_HAND = Server("live-tornado", "Tornado and Motor by hand", ("-m", "bench.servers.live_tornado"))

Client = pymongo.MongoClient[dict[str, Any]]


def main() -> None:
    """Run everything and print it."""
    with MongoServer() as mongo, Client(mongo.uri, w="majority", maxPoolSize=None) as client:
        about = describe(mongo.uri)
        print(json.dumps({"at": about["at"], "versions": about["versions"], "load": os.getloadavg()}))
        client.drop_database(DATABASE)
        data.fill(client[DATABASE])
        for each in (BZZ, BY_HAND):
            print(
                f"{each.label}, from the acknowledgement of a majority to the frame: {_delays(mongo.uri, client, each)}"
            )
        _print_costs(mongo.uri, client)
        _print_writes(mongo, client)
        print(f"load: {os.getloadavg()}")


def _delays(uri: str, client: Client, server: Server) -> str:
    with start(server, uri, DATABASE) as running:
        taken = asyncio.run(_timed(running.port, client))
    ordered = sorted(taken)
    return f"median {statistics.median(taken):.1f} ms, 99th percentile {ordered[round(len(ordered) * 0.99) - 1]:.1f} ms"


async def _timed(port: int, client: Client) -> list[float]:
    """How long after its write, in milliseconds, each change has come to the one client."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    writer.write(b"GET /user/ HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
    await reader.readuntil(b"event: ready")
    taken = []
    for number in range(PIECES):
        mark = f"mark {number} {time.monotonic_ns()}"

        def write(mark: str = mark) -> float:
            client[DATABASE][data.COLLECTION].update_one({"_id": _FIRST}, {"$set": {"name": mark}})
            return time.perf_counter()

        writing = asyncio.get_running_loop().run_in_executor(None, write)
        await reader.readuntil(mark.encode())
        seen = time.perf_counter()
        taken.append((seen - await writing) * 1000)
    writer.close()
    return taken


_FIRST = data.seed_id(0)


def _print_costs(uri: str, client: Client) -> None:
    """What a change costs for each of many clients, in turns."""
    seen: dict[str, list[float]] = {}
    with ExitStack() as stack:
        ways: list[tuple[str, Running, Crowd]] = []
        for name, server, url in (
            ("bzz", BZZ, "/user/"),
            ("bzz, another filter for each of 500", BZZ, "/user/?name__ne={number}"),
            ("by hand", BY_HAND, "/user/"),
        ):
            running = stack.enter_context(start(server, uri, DATABASE))
            clients = stack.enter_context(crowd(running.port, url))
            clients.ask("come", CLIENTS)
            ways.append((name, running, clients))
        for _ in range(ROUNDS):
            for name, cpu in _cost_of_changes(client, ways).items():
                seen.setdefault(name, []).append(cpu)
    for name, costs in seen.items():
        print(f"{name}: {statistics.median(costs):.1f} microseconds of processor time for a change and client")


def _cost_of_changes(client: Client, ways: list[tuple[str, Running, Crowd]]) -> dict[str, float]:
    """Write, and see what each server has used when all of its clients know."""
    before = {name: running.cpu_seconds for name, running, _ in ways}
    last = f"last {time.monotonic_ns()}"
    for _, _, clients in ways:
        clients.ask("await_text", last)
    for number in range(CHANGES):
        name = last if number == CHANGES - 1 else f"{number} {time.monotonic_ns()}"
        client[DATABASE][data.COLLECTION].update_one({"_id": _FIRST}, {"$set": {"name": name}})
    for _, _, clients in ways:
        clients.ask("told", 60)
    return {name: (running.cpu_seconds - before[name]) / CHANGES / CLIENTS * 1e6 for name, running, _ in ways}


class _Writes(NamedTuple):
    """How many writes a second, and how many microseconds of processor time each took MongoDB, and those who follow."""

    rate: float
    database: float
    followers: float


def _print_writes(mongo: MongoServer, client: Client) -> None:
    """Writes per second with the streams of so many processes open, in turns, and what is spent on each."""
    collections = {"of the model": data.COLLECTION, "elsewhere": "unrelated"}
    rates: dict[tuple[str, int], list[_Writes]] = {}
    with ExitStack() as stack:
        servers = [stack.enter_context(start(BZZ, mongo.uri, DATABASE)) for _ in range(max(PROCESSES))]
        crowds = [stack.enter_context(crowd(each.port, "/user/")) for each in servers]
        for _ in range(ROUNDS):
            for number in PROCESSES:
                for each in crowds[:number]:
                    each.ask("come", 1)
                for where, collection in collections.items():
                    _writes(mongo, client, collection, servers, SETTLE_SECONDS)
                    rates.setdefault((where, number), []).append(_writes(mongo, client, collection, servers))
                for each in crowds[:number]:
                    each.ask("leave")
                time.sleep(1.5)  # until the streams are closed: a server may wait for a change meanwhile
    for (where, number), seen in rates.items():
        ratio = statistics.median(each.rate / bare.rate for each, bare in zip(seen, rates[where, 0], strict=True))
        median = _Writes(*(statistics.median(each) for each in zip(*seen, strict=True)))
        print(f"writes {where}, streams of {number} processes open: {median.rate:,.0f} per second, {ratio:.2f} of"
              f" without; processor time for each: {median.database:.0f} microseconds of MongoDB's, and"
              f" {median.followers:.0f} of those who follow")  # fmt: skip


def _writes(
    mongo: MongoServer, client: Client, collection: str, servers: Sequence[Running], seconds: float = SECONDS
) -> _Writes:
    assert mongo.pid is not None, "a MongoDB that runs elsewhere does not tell its processor time"
    database = psutil.Process(mongo.pid)
    target = client[DATABASE].get_collection(collection, write_concern=pymongo.WriteConcern(1))
    end = time.perf_counter() + seconds

    def spent() -> tuple[float, float]:
        return sum(database.cpu_times()[:2]), sum(each.cpu_seconds for each in servers)

    def work(worker: int) -> int:
        number = 0
        while time.perf_counter() < end:
            key = data.seed_id(50 * worker + number % 50)
            target.update_one({"_id": key}, {"$set": {"score": float(number)}}, upsert=True)
            number += 1
        return number

    before = spent()
    with ThreadPoolExecutor(WRITERS) as pool:
        done = sum(pool.map(work, range(WRITERS)))
    each = [(after - then) / done * 1e6 for then, after in zip(before, spent(), strict=True)]
    return _Writes(done / seconds, *each)


if __name__ == "__main__":
    main()
