"""How many changes durable listeners handle: ``python -m bench.delivery``.

Updates that were written while nobody ran are handled: by one process of bzz, by two, and by a loop written by hand
that saves its token after each change. The listener does nothing, or waits. Then changes are written at a steady
pace, and how long each takes to reach the listener is measured; and what pre-images cost the writes themselves.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psutil
import pymongo

from bench.servers.delivery import COLLECTION
from bench.surroundings import describe
from bzz.delivery.partitions import PARTITIONS
from bzz.dev import MongoServer

DATABASE = "bench_delivery"
DOCUMENTS = 2000
BACKLOG, BACKLOG_BY_HAND, BACKLOG_WAITING = 20_000, 1_000, 6_000
ROUNDS = 3
RATE = 1000
AT_ONCE = 10
"""How many of the writes at a steady pace are sent together: one by one they are not made so fast."""

PACED_SECONDS = 10.0
WRITES = 5_000
PATIENCE = 60.0
FOLLOWING_SECONDS = 1.0
"""How long a process may take from its place to the open stream."""

Client = pymongo.MongoClient[dict[str, Any]]


def main() -> None:
    """Run everything and print it."""
    with MongoServer() as mongo, Client(mongo.uri) as client:
        print(json.dumps({"at": describe(mongo.uri)["at"], "load": os.getloadavg()}))
        seen: dict[str, list[Handling]] = {}
        for _ in range(ROUNDS):
            for name, way, processes, backlog in (
                ("bzz", "bzz", 1, BACKLOG),
                ("bzz, two processes", "bzz", 2, BACKLOG),
                ("by hand", "by-hand", 1, BACKLOG_BY_HAND),
                ("bzz, 20 ms each", "bzz-waits", 1, BACKLOG_WAITING),
                ("bzz, 20 ms each, two processes", "bzz-waits", 2, BACKLOG_WAITING),
            ):
                seen.setdefault(name, []).append(handle(client, mongo.uri, way, processes, backlog))
        for name, runs in seen.items():
            base = "bzz, 20 ms each" if "20 ms" in name else "bzz"
            pairs = list(zip(runs, seen[base], strict=True))
            ratio = statistics.median(each.rate / one.rate for each, one in pairs)
            thrift = statistics.median(one.busiest / each.busiest for each, one in pairs)
            rate, busiest = (statistics.median(each) for each in zip(*runs, strict=True))
            print(f"{name}: {rate:,.0f} changes per second, {ratio:.2f} of {base}")
            print(f"  {busiest * 1e6:.0f} µs of the busiest process for each change of all, {thrift:.2f} of {base}")
        print_delays(client, mongo.uri)
        print_cost_of_images(client)
        print(f"load: {os.getloadavg()}")


class Handling(NamedTuple):
    """How a backlog was handled.

    :ivar rate: changes per second.
    :ivar busiest: the processor time of the process that used most, in seconds for each change of the backlog. With a
        core for each process and for MongoDB, this alone would set the rate.
    """

    rate: float
    busiest: float


def handle(client: Client, uri: str, way: str, processes: int, backlog: int) -> Handling:
    """Have a backlog of changes handled."""
    prepare(client, uri, way)
    with listening(uri, way, processes) as listeners:
        until_shared(client, way, processes)
        signal_all(listeners, signal.SIGSTOP)
        update(client, backlog)
        before = [each.cpu_seconds for each in listeners]
        signal_all(listeners, signal.SIGCONT)
        reports = until_handled(listeners, backlog)
        used = [each.cpu_seconds - then for each, then in zip(listeners, before, strict=True)]
    first, last = min(each["first"] for each in reports), max(each["last"] for each in reports)
    return Handling(float(backlog / (last - first)), max(used) / backlog)


class Listener:
    """A process that handles changes.

    :ivar report: what it has said last.
    """

    def __init__(self, uri: str, way: str) -> None:
        command = [sys.executable, "-m", "bench.servers.delivery", way, uri, DATABASE]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.report: dict[str, Any] = {"count": 0}
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def cpu_seconds(self) -> float:
        """The processor time that the process has used."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.report = json.loads(line)


def signal_all(listeners: Sequence[Listener], number: signal.Signals) -> None:
    """Send a signal to each process."""
    for each in listeners:
        each.process.send_signal(number)


def until_handled(listeners: Sequence[Listener], number: int) -> list[dict[str, Any]]:
    """Wait until so many changes were handled; return the reports of those that handled some."""
    deadline = time.monotonic() + PATIENCE
    while sum(each.report["count"] for each in listeners) < number:
        assert time.monotonic() < deadline, [each.report["count"] for each in listeners]
        time.sleep(0.05)
    return [each.report for each in listeners if each.report["count"]]


def prepare(client: Client, uri: str, way: str) -> None:
    """Have documents, images, and a listener that has begun; it has ended again."""
    client.drop_database(DATABASE)
    database = client[DATABASE]
    database.create_collection(COLLECTION, changeStreamPreAndPostImages={"enabled": True})
    database[COLLECTION].insert_many({"_id": each, "number": 0, "text": "x" * 300} for each in range(DOCUMENTS))
    with listening(uri, way, 1) as listeners:
        deadline = time.monotonic() + 30
        while not has_begun(client, way):
            assert time.monotonic() < deadline, "the listener does not begin"
            time.sleep(0.05)
        update(client, 1)
        until_handled(listeners, 1)


def until_shared(client: Client, way: str, processes: int) -> None:
    """Wait until each process has its share of the partitions."""
    deadline = time.monotonic() + PATIENCE
    while way.startswith("bzz") and shares(client) != [PARTITIONS // processes] * processes:
        assert time.monotonic() < deadline, "the work is not shared"
        time.sleep(0.05)
    time.sleep(FOLLOWING_SECONDS)


def shares(client: Client) -> list[int]:
    """Return how many partitions each process owns."""
    held: list[dict[str, Any]] = [
        {"$match": {"holder": {"$exists": True}}},
        {"$group": {"_id": "$holder", "count": {"$sum": 1}}},
    ]
    return [each["count"] for each in client[DATABASE]["bzz_listeners"].aggregate(held)]


def has_begun(client: Client, way: str) -> bool:
    """Return whether a listener's place is stored, and it has all of its partitions."""
    if way.startswith("bzz"):
        return client[DATABASE]["bzz_listeners"].count_documents({"holder": {"$exists": True}}) == PARTITIONS
    return client[DATABASE]["tokens"].find_one() is not None


def update(client: Client, number: int) -> None:
    """Make so many changes, as fast as it goes."""
    writes = [pymongo.UpdateOne({"_id": each % DOCUMENTS}, {"$inc": {"number": 1}}) for each in range(number)]
    for start in range(0, number, 1000):
        client[DATABASE][COLLECTION].bulk_write(writes[start : start + 1000], ordered=False)


@contextmanager
def listening(uri: str, way: str, processes: int) -> Iterator[list[Listener]]:
    """Run processes that handle changes."""
    running = [Listener(uri, way) for _ in range(processes)]
    try:
        yield running
    finally:
        for each in running:
            each.process.send_signal(signal.SIGINT)
        for each in running:
            each.process.wait(20)


def print_delays(client: Client, uri: str) -> None:
    """Write at a steady pace, and print how long after its write each change reached the listener."""
    for way in ("bzz", "by-hand"):
        prepare(client, uri, way)
        with listening(uri, way, 1) as listeners:
            until_shared(client, way, 1)
            count = int(RATE * PACED_SECONDS)
            began = time.perf_counter()
            for start in range(0, count, AT_ONCE):
                wait = began + start / RATE - time.perf_counter()
                if wait > 0:
                    time.sleep(wait)
                change = {"$set": {"written": time.time()}}
                keys = range(start, start + AT_ONCE)
                writes = [pymongo.UpdateOne({"_id": each % DOCUMENTS}, change) for each in keys]
                client[DATABASE][COLLECTION].bulk_write(writes, ordered=False)
            pace = count / (time.perf_counter() - began)
            (report,) = until_handled(listeners, count)
        delays = sorted(report["delays"])
        middle, late = statistics.median(delays), delays[round(len(delays) * 0.99) - 1]
        print(
            f"{way}, at {pace:,.0f} writes per second: median {middle * 1000:.1f} ms from before the write to the"
            f" listener, 99th percentile {late * 1000:.1f} ms"
        )


def print_cost_of_images(client: Client) -> None:
    """Print how many updates per second there are with images and without."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    database = client[DATABASE]
    for _ in range(ROUNDS):
        for has_images in (True, False):
            database.command({"collMod": COLLECTION, "changeStreamPreAndPostImages": {"enabled": has_images}})
            began = time.perf_counter()
            for number in range(WRITES):
                database[COLLECTION].update_one({"_id": number % DOCUMENTS}, {"$inc": {"number": 1}})
            rates[has_images].append(WRITES / (time.perf_counter() - began))
    ratio = statistics.median(with_images / bare for with_images, bare in zip(*rates.values(), strict=True))
    print(f"updates of a collection with pre- and post-images: {ratio:.2f} of those without")


if __name__ == "__main__":
    main()
