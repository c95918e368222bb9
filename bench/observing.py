"""What it costs to watch an application: ``python -m bench.observing`` prints the processor time of a GET with each.

One document is read, by 16 connections to one process; the ways take turns, so that a busy neighbour hits all alike.
"""

from __future__ import annotations

import json
import os
import statistics
from contextlib import ExitStack
from typing import Any

import pymongo

from bench import data
from bench.load import Figures
from bench.measure import Cell, measure_once
from bench.peers import Server, start
from bench.surroundings import describe
from bzz.dev import MongoServer

DATABASE = "bench_observing"
ROUNDS = 7
SECONDS = 2.0
CONNECTIONS = 16
WAYS = ("nothing", "metrics", "log", "log-json", "spans")
OBSERVED = Server("observed", "bzz", ("-m", "bench.servers.observed"))


def main() -> None:
    """Run everything and print it."""
    client: pymongo.MongoClient[dict[str, Any]]
    with ExitStack() as stack:
        mongo = stack.enter_context(MongoServer())
        client = stack.enter_context(pymongo.MongoClient(mongo.uri))
        about = describe(mongo.uri)
        print(json.dumps({"at": about["at"], "versions": about["versions"], "load": os.getloadavg()}))
        data.fill(client[DATABASE])
        running = {way: stack.enter_context(start(OBSERVED, mongo.uri, DATABASE, by=way)) for way in WAYS}
        seen: dict[str, list[Figures]] = {way: [] for way in WAYS}
        for number in range(ROUNDS + 1):
            for way in WAYS:
                figures = measure_once(running[way], client[DATABASE], Cell("get", CONNECTIONS), SECONDS)
                assert figures is not None
                if number:  # the first round connects and compiles
                    seen[way].append(figures)
        print(f"load: {os.getloadavg()}")
    for way, rounds in seen.items():
        ratios = [each.rate / base.rate for each, base in zip(rounds, seen["nothing"], strict=True)]
        microseconds = statistics.median(each.cpu_ms for each in rounds) * 1000
        print(f"{way:<10} {microseconds:6.0f} µs   {statistics.median(ratios):.2f} of the requests per second")


if __name__ == "__main__":
    main()
