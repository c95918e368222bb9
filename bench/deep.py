"""What takes long to see: memory after many requests, a second process, far too much load, and pages deep in a million
documents."""

from __future__ import annotations

import json
import re
import statistics
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo

from bench import data, overload
from bench.load import load
from bench.operations import Dialect, Request, requests
from bench.peers import SERVERS, Running, start
from bench.surroundings import describe

__all__ = ["measure"]

_DOCUMENTS = 1_000_000
_DEEP = 900_000
_ROUNDS = 5
_SECONDS = 2.0
_EARLY, _LATE = 20_000, 200_000
_NEXT = re.compile(r'<([^>]*)>; rel="next"')

Progress = Callable[[str], None]


def measure(uri: str, directory: Path, progress: Progress) -> None:
    """Measure all four, and write ``benchmarks-deep.json``."""
    seen: dict[str, Any] = describe(uri)
    for name, look in (("memory", _memory), ("processes", _processes), ("overload", _overload), ("pages", _pages)):
        seen[name] = look(uri)
        progress(f"{name}: {seen[name]}")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "benchmarks-deep.json").write_text(json.dumps(seen, indent=1) + "\n")


@contextmanager
def _running(uri: str, count: int = data.COUNT, *, on: str = "bzz", **options: int) -> Iterator[Running]:
    client: pymongo.MongoClient[Any]
    with pymongo.MongoClient(uri) as client:
        client.drop_database("bench_deep")
        data.fill(client["bench_deep"], count)
        with start(SERVERS[on], uri, "bench_deep", **options) as running:
            yield running
        client.drop_database("bench_deep")


def _memory(uri: str) -> dict[str, float]:
    """Resident memory after so many requests of all kinds; it must not grow by more than 5 %."""
    mixed = requests("mixed", Dialect(), _SECONDS)
    with _running(uri) as running:
        early = _memory_after(running, mixed, _EARLY)
        late = _memory_after(running, mixed, _LATE - _EARLY)
    return {"early_mib": early, "late_mib": late, "growth": late / early - 1}


def _memory_after(running: Running, mixed: list[Request], count: int) -> float:
    while count > 0:
        count -= load(running.port, mixed, 32, _SECONDS).answers
    return running.memory_mib


def _processes(uri: str) -> dict[str, float]:
    """Reads by id from one process and from two; what the load generator and MongoDB leave of the cores is theirs."""
    wanted = requests("get", Dialect(), _SECONDS)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(_ROUNDS):
        for number, seen in rates.items():
            with _running(uri, on="bzz-granian", processes=number) as running:
                seen.append(load(running.port, wanted, 64, _SECONDS).rate)
    one, two = (statistics.median(seen) for seen in rates.values())
    return {"one": one, "two": two, "ratio": two / one}


def _overload(uri: str) -> dict[str, dict[str, float]]:
    """Reads by id of a server that is asked for ten times as much as it takes at once, on each engine."""
    return {on: _overloaded(uri, on) for on in ("bzz", "bzz-granian")}


def _overloaded(uri: str, on: str) -> dict[str, float]:
    wanted = requests("get", Dialect(), _SECONDS)
    with _running(uri, on=on, in_flight=overload.IN_FLIGHT) as running:
        rounds = [overload.look(running.port, wanted, _SECONDS) for _ in range(_ROUNDS)]
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def _pages(uri: str) -> dict[str, float]:
    """What a page by cursor deep in a million documents costs beside the first, at one connection."""
    with _running(uri, _DOCUMENTS) as running:
        ways = [Request("GET", "/user"), Request("GET", _cursor(running))]
        rounds = [[load(running.port, [way], 1, _SECONDS).rate for way in ways] for _ in range(_ROUNDS)]
    first, deep = (statistics.median(rates) for rates in zip(*rounds, strict=True))
    return {"first": first, "deep": deep, "cost": statistics.median(rates[0] / rates[1] for rates in rounds)}


def _cursor(running: Running) -> str:
    """The address that leads on from the page before document 900,000."""
    url = f"http://127.0.0.1:{running.port}/user?page={_DEEP // data.PER_PAGE}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        found = _NEXT.search(answer.headers["Link"])
    assert found is not None
    return found[1]
