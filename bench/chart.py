"""The chart: answers per second of every server, one group of bars for each operation."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

from bench.measure import Cell, Plan, Result
from bench.operations import OPERATIONS
from bench.peers import SERVERS

mpl.use("svg")  # before pyplot: no screen is needed
mpl.rcParams["svg.hashsalt"] = "bench"

from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.patches import Rectangle  # noqa: E402

__all__ = ["draw"]

_COLOURS = {
    "bzz": "#e8a200",
    "bzz-granian": "#b87d00",
    "bzz-receiver": "#f4d58d",
    "bzz-receiver-granian": "#dcb552",
    "tornado-motor": "#20639b",
    "tornado-motor-granian": "#12395c",
    "tornado-pymongo": "#7fb2dd",
    "fastapi-beanie": "#2f9e77",
    "fastapi-beanie-granian": "#1c6149",
    "eve": "#8a5a83",
    "constant": "#b5b5b5",
    "constant-granian": "#7d7d7d",
}
_WANTED = 32


def draw(path: Path, plan: Plan, result: Result) -> None:
    """Draw the rates at 32 connections, or the number nearest to it, as SVG."""
    connections = min(plan.connections, key=lambda each: abs(each - _WANTED))
    figure, _ = pyplot.subplots(1, len(plan.operations), figsize=(2.4 * len(plan.operations) + 1.5, 4.6))
    for panel, operation in zip(figure.axes, plan.operations, strict=True):
        _draw_panel(panel, plan, result, Cell(operation, connections))
    named = [Rectangle((0, 0), 1, 1, color=_COLOURS[name]) for name in plan.servers]
    labels = [SERVERS[name].label for name in plan.servers]
    figure.suptitle(f"Answers per second at {connections} connections, one process each")
    figure.legend(named, labels, loc="lower center", ncols=min(3, len(named)), frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0.2, 1, 0.98))
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _draw_panel(panel: Axes, plan: Plan, result: Result, cell: Cell) -> None:
    rates = {name: result.rate(name, cell) for name in plan.servers}
    there = {name: rate for name, rate in rates.items() if rate is not None}
    bars = panel.bar(range(len(there)), list(there.values()), color=[_COLOURS[name] for name in there], width=0.86)
    panel.bar_label(bars, fmt="{:,.0f}", rotation=90, padding=3, fontsize=8)
    panel.set_title(OPERATIONS[cell.operation], fontsize=10)
    panel.margins(y=0.22)
    panel.set_xticks([])
    panel.tick_params(axis="y", labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)
