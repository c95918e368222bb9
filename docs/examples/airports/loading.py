"""Fills the demo through its own REST API, and accounts for every row.

What was interrupted is simply done again: a row that is there already answers 409, and counts as stored. A process of
the server that dies is started again, so a request that it did not answer is sent again.
"""

from __future__ import annotations

import asyncio
import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import source
from receivers import LOADER
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["Refusal", "Report", "fill"]

CONCURRENCY = 2  # as many as there are processes to answer
ROWS = 200  # in one request
ATTEMPTS = 10
RETRY_SECONDS = 0.2

Body = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """A row that the model did not take."""

    row: Body
    reasons: str


@dataclass
class Report:
    """What became of the rows."""

    stored: int = 0
    refused: list[Refusal] = field(default_factory=list)

    def summary(self) -> str:
        """The numbers, and how often each reason was given, in lines."""
        counted = Counter(refusal.reasons for refusal in self.refused)
        lines = [f"{self.stored:,} airports stored, {len(self.refused):,} refused by the model"]
        return "\n".join([*lines, *(f"  {count:,} times {reasons}" for reasons, count in counted.most_common())])

    def write(self, path: Path) -> None:
        """List every refused row with its reasons, as CSV."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["icao", "name", "reasons"])
            writer.writerows([each.row["icao"], each.row["name"], each.reasons] for each in self.refused)


async def fill(address: str, listing: Path, limit: int | None = None) -> Report | None:
    """Load what is missing; None where it has all been loaded before.

    :param address: of the API, such as ``http://127.0.0.1:8889``.
    :param listing: the file that lists the refused rows.
    :param limit: how many airports at the most; None for all.
    :raises RuntimeError: where the API answers what cannot be, or rows were lost.
    """
    airports = source.airports(limit)
    name = source.name(len(airports))
    async with connect(address) as client:
        if (await _ask(client, "GET", f"/loading/{name}/")).status_code == 200:
            return None
        report = await _load(address, airports)
        report.write(listing)
        await _verify(client, report, len(airports))
        counts = {"stored": report.stored, "refused": len(report.refused)}
        await _post(client, "/loading/", [{"source": name, **counts}], Report())
    return report


def connect(address: str) -> httpx.AsyncClient:
    """A client of the API, which is this very machine: no proxy stands between, whatever the environment says."""
    return httpx.AsyncClient(base_url=address, timeout=60, trust_env=False, headers={"User-Agent": LOADER})


async def _load(address: str, airports: list[Body]) -> Report:
    countries, airlines = source.countries(airports), source.airlines()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        known = await _post_all(address, "/country/", countries, Step(progress, "countries", len(countries)))
        report = await _post_all(address, "/airport/", airports, Step(progress, "airports", len(airports)))
        flying = await _post_all(address, "/airline/", airlines, Step(progress, "airlines", len(airlines)))
    if known.refused or flying.refused:
        raise RuntimeError(f"countries or airlines were refused: {[*known.refused, *flying.refused]}")
    return report


class Step:
    """How far one kind of rows is loaded: a bar on a terminal, and a line for every fifth elsewhere."""

    def __init__(self, progress: Progress, name: str, total: int) -> None:
        self._progress, self._name, self._total = progress, name, total
        self._task = progress.add_task(name, total=total)
        self._done = self._told = 0

    def advance(self, rows: int) -> None:
        """Note that rows were answered."""
        self._done += rows
        self._progress.update(self._task, completed=self._done)
        if not self._progress.console.is_terminal and self._done - self._told >= self._total / 5:
            self._told = self._done
            print(f"{self._done:,} of {self._total:,} {self._name}", flush=True)


async def _post_all(address: str, url: str, rows: list[Body], step: Step) -> Report:
    report = Report()
    waiting = iter([rows[start : start + ROWS] for start in range(0, len(rows), ROWS)])
    workers = [asyncio.ensure_future(_work(address, url, waiting, report, step)) for _ in range(CONCURRENCY)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
    return report


async def _work(address: str, url: str, waiting: Iterator[list[Body]], report: Report, step: Step) -> None:
    async with connect(address) as client:
        for rows in waiting:
            await _post(client, url, rows, report)
            step.advance(len(rows))


async def _post(client: httpx.AsyncClient, url: str, rows: list[Body], report: Report) -> None:
    """Create an instance of each row, and note what became of it."""
    for _ in range(ATTEMPTS):
        answer = await _ask(client, "POST", url, json=rows, headers={"Prefer": "handling=lenient"})
        if answer.status_code == 200:
            outcomes = list(zip(rows, answer.json(), strict=True))
            report.stored += sum(outcome["status"] in (201, 409) for _, outcome in outcomes)
            report.refused += [Refusal(row, _reasons(each)) for row, each in outcomes if each["status"] == 400]
            rows = [row for row, outcome in outcomes if outcome["status"] == 503]
            if not rows:
                return
        elif answer.status_code != 503:
            raise RuntimeError(f"POST {url} answered {answer.status_code}: {answer.text}")
        await asyncio.sleep(RETRY_SECONDS)
    raise RuntimeError(f"POST {url} still answers that the database is away")


def _reasons(problem: Body) -> str:
    return "; ".join(f"{name}: {' '.join(told)}" for name, told in problem["errors"].items())


async def _verify(client: httpx.AsyncClient, report: Report, rows: int) -> None:
    answer = await _ask(client, "GET", "/airport/?per_page=1&fields=icao", headers={"Prefer": "count=exact"})
    there = int(answer.headers["X-Total-Count"])
    if report.stored + len(report.refused) != rows or there < report.stored:
        raise RuntimeError(f"rows were lost: of {rows}, {there} are there and {len(report.refused)} were refused")


async def _ask(client: httpx.AsyncClient, method: str, url: str, **options: Any) -> httpx.Response:
    """The answer to a request, which is sent again where the process that should answer it is gone."""
    while True:
        try:
            return await client.request(method, url, **options)
        except httpx.TransportError:
            await asyncio.sleep(RETRY_SECONDS)
