"""The rounds: every server in turn for every operation, so that what the machine does besides hits all alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pymongo
from pymongo.database import Database

from bench import data
from bench.check import check
from bench.load import Figures, load
from bench.operations import DELETES_PER_SECOND, requests
from bench.peers import SERVERS, Running, start

__all__ = ["Cell", "Plan", "Result", "measure", "measure_once", "median"]

_WARM_SECONDS = 0.3
_WARM_CONNECTIONS = 8
_TICK_SECONDS = 0.01  # the system counts processor time in these, so a very short measurement may see none

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to measure; ``seconds`` is how long each server has for each operation in each round."""

    servers: Sequence[str]
    operations: Sequence[str]
    connections: Sequence[int]
    seconds: float
    rounds: int

    def cells(self) -> Iterator[Cell]:
        """Every operation at every number of connections."""
        return (Cell(operation, connections) for operation in self.operations for connections in self.connections)


@dataclass(frozen=True)
class Cell:
    """One operation at one number of connections."""

    operation: str
    connections: int


@dataclass(frozen=True)
class Result:
    """What the rounds saw.

    :param figures: by server and cell, one of each round.
    :param memory_mib: by server, at the end.
    """

    figures: Mapping[tuple[str, Cell], Sequence[Figures]]
    memory_mib: Mapping[str, float]

    def rate(self, server: str, cell: Cell) -> float | None:
        """Answers per second, the median over the rounds; None where nothing was measured."""
        seen = self.figures.get((server, cell))
        return statistics.median(each.rate for each in seen) if seen else None

    def ratio(self, server: str, peer: str, cell: Cell) -> float | None:
        """How many times the answers of ``peer``: the median of the rounds' own ratios, each taken in one minute."""
        return self._compare(server, peer, cell, lambda mine, theirs: mine.rate / theirs.rate)

    def thrift(self, server: str, peer: str, cell: Cell) -> float | None:
        """The same by processor time: how many answers for what one costs ``peer``."""
        return self._compare(server, peer, cell, lambda mine, theirs: theirs.cpu_ms / mine.cpu_ms)

    def _compare(self, server: str, peer: str, cell: Cell, how: Callable[[Figures, Figures], float]) -> float | None:
        pairs = zip(self.figures.get((server, cell), ()), self.figures.get((peer, cell), ()), strict=False)
        ratios = [how(mine, theirs) for mine, theirs in pairs]
        return statistics.median(ratios) if ratios else None


def median(figures: Sequence[Figures]) -> Figures:
    """Each figure's median over the rounds."""
    return Figures(
        round(statistics.median(each.answers for each in figures)),
        *(statistics.median(each[position] for each in figures) for position in range(1, 5)),
    )


def measure(plan: Plan, uri: str, progress: Progress) -> Result:
    """Start the servers, each on a database of its own with the same documents, and go through the rounds."""
    client: pymongo.MongoClient[Any]
    figures: dict[tuple[str, Cell], list[Figures]] = {}
    with ExitStack() as stack:
        client = stack.enter_context(pymongo.MongoClient(uri))
        running = [_start(stack, client, uri, name, plan) for name in plan.servers]
        for number in range(plan.rounds):
            for cell in plan.cells():
                for each in _turned(running, number):
                    seen = measure_once(each, client[_database(each.server.name)], cell, plan.seconds)
                    if seen is not None:
                        figures.setdefault((each.server.name, cell), []).append(seen)
                progress(_line(number, cell, figures))
        return Result(figures, {each.server.name: each.memory_mib for each in running})


def _database(server: str) -> str:
    return f"bench_{server.replace('-', '_')}"


def _start(stack: ExitStack, client: pymongo.MongoClient[Any], uri: str, name: str, plan: Plan) -> Running:
    database = _database(name)
    client.drop_database(database)
    stack.callback(client.drop_database, database)
    data.fill(client[database])
    running = stack.enter_context(start(SERVERS[name], uri, database))
    check(running)
    data.clean(client[database])
    for operation in plan.operations:  # so that nobody's first request, which connects and compiles, is measured
        measure_once(running, client[database], Cell(operation, _WARM_CONNECTIONS), min(_WARM_SECONDS, plan.seconds))
    return running


def _turned(running: Sequence[Running], number: int) -> Sequence[Running]:
    """Another server is first in each round."""
    first = number % len(running)
    return [*running[first:], *running[:first]]


def measure_once(running: Running, database: Database[Any], cell: Cell, seconds: float) -> Figures | None:
    """One measurement, after which the database holds what it held before; None for an operation not known there."""
    if cell.operation not in running.server.operations:
        return None
    once = cell.operation == "delete"
    if once:
        data.grow(database, round(seconds * DELETES_PER_SECOND))
    wanted = requests(cell.operation, running.server.dialect, seconds)
    used = running.cpu_seconds
    try:
        seen = load(running.port, wanted, cell.connections, seconds, once=once)
        spent = max(running.cpu_seconds - used, _TICK_SECONDS)
        return seen._replace(cpu_ms=spent / seen.answers * 1000)
    finally:
        running.wait_until_idle()
        if cell.operation in ("post", "delete"):
            data.clean(database)


def _line(number: int, cell: Cell, figures: Mapping[tuple[str, Cell], Sequence[Figures]]) -> str:
    rates = (f"{server} {seen[-1].rate:,.0f}" for (server, at), seen in figures.items() if at == cell)
    return f"round {number + 1}, {cell.operation} at {cell.connections}: " + ", ".join(rates)
