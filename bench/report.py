"""What a run leaves behind: JSON, a table, and a chart (:mod:`bench.chart`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.chart import draw
from bench.measure import Cell, Plan, Result, median
from bench.operations import OPERATIONS
from bench.peers import SERVERS
from bench.targets import Outcome, outcomes

__all__ = ["table", "write"]

_TARGET_HEADS = ["Answers per second", "At least", "Measured", "By processor time", ""]
_BEGIN, _END = "<!-- figures of the last run: begin -->", "<!-- end -->"


def write(directory: Path, plan: Plan, result: Result, surroundings: Mapping[str, Any]) -> list[Path]:
    """Write ``benchmarks.json``, ``benchmarks.svg`` and the tables of ``benchmarks.md``; returns their paths.

    Where ``benchmarks.md`` is there already, what stands between its two markers is replaced, and nothing else.
    """
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"benchmarks.{kind}" for kind in ("json", "svg", "md")]
    paths[0].write_text(json.dumps(_as_json(plan, result, surroundings), indent=1) + "\n")
    draw(paths[1], plan, result)
    _replace(paths[2], "\n\n".join([_about(plan, surroundings), *_tables(plan, result)]))
    return paths


def _replace(path: Path, figures: str) -> None:
    text = path.read_text() if path.exists() else f"{_BEGIN}\n{_END}\n"
    before, _, rest = text.partition(_BEGIN)
    path.write_text(f"{before}{_BEGIN}\n\n{figures}\n\n{_END}{rest.partition(_END)[2]}")


def _as_json(plan: Plan, result: Result, surroundings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **surroundings,
        "plan": vars(plan),
        "results": [
            {"server": server, **vars(cell), **median(seen)._asdict(), "rates": [round(each.rate, 1) for each in seen]}
            for (server, cell), seen in result.figures.items()
        ],
        "memory_mib": result.memory_mib,
        "targets": [
            {
                **each.target._asdict(),
                "cell": vars(each.target.cell),
                "ratio": each.ratio,
                "thrift": each.thrift,
                "reached": each.reached,
            }
            for each in outcomes(result)
        ],
    }


def _about(plan: Plan, surroundings: Mapping[str, Any]) -> str:
    machine, versions = surroundings["machine"], surroundings["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"Measured {surroundings['at'][:10]} at commit `{surroundings['commit']}`: {plan.rounds} rounds of "
        f"{plan.seconds:g} seconds each; {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, {machine['system']}. Versions: {named}."
    )


def _tables(plan: Plan, result: Result) -> Iterator[str]:
    reached = list(outcomes(result))
    if reached:
        yield "## Against the targets\n\n" + table(_TARGET_HEADS, map(_target_row, reached))
    for connections in plan.connections:
        yield f"## Answers per second, {_count(connections)}\n\n" + _rates(plan, result, connections)
        yield f"## Latency, {_count(connections)}: median / 99th percentile, ms\n\n" + _latencies(
            plan, result, connections
        )
    connections = max(plan.connections)
    yield f"## Processor time of the server for an answer, {_count(connections)}, ms\n\n" + _costs(
        plan, result, connections
    )
    memory = ([SERVERS[name].label, f"{size:.0f}"] for name, size in result.memory_mib.items())
    yield "## Resident memory at the end, MiB\n\n" + table(["Server", "MiB"], memory)


def _target_row(outcome: Outcome) -> Sequence[str]:
    target, cell = outcome.target, outcome.target.cell
    title = f"{OPERATIONS[cell.operation]}, {_count(cell.connections)}: "
    title += f"{SERVERS[target.server].label} ÷ {SERVERS[target.peer].label}"
    return (
        title,
        f"{target.at_least:g}",
        f"{outcome.ratio:.2f}",
        f"{outcome.thrift:.2f}",
        "reached" if outcome.reached else "**missed**",
    )


def _count(connections: int) -> str:
    return f"{connections} connection" + ("s" if connections != 1 else "")


def _rates(plan: Plan, result: Result, connections: int) -> str:
    """One row a server, with how many times as often bzz answers on the same engine in brackets."""

    def show(server: str, operation: str) -> str:
        rate = result.rate(server, Cell(operation, connections))
        if rate is None:
            return ""
        mine = "bzz-granian" if server.endswith("-granian") else "bzz"
        ratio = result.ratio(mine, server, Cell(operation, connections)) if server != mine else None
        return f"{rate:,.0f}" + (f" (bzz: {ratio:.2f})" if ratio is not None else "")

    return _by_operation(plan, show)


def _latencies(plan: Plan, result: Result, connections: int) -> str:
    def show(server: str, operation: str) -> str:
        seen = result.figures.get((server, Cell(operation, connections)))
        return "" if not seen else f"{median(seen).median_ms:.1f} / {median(seen).p99_ms:.1f}"

    return _by_operation(plan, show)


def _costs(plan: Plan, result: Result, connections: int) -> str:
    def show(server: str, operation: str) -> str:
        seen = result.figures.get((server, Cell(operation, connections)))
        return "" if not seen else f"{median(seen).cpu_ms:.2f}"

    return _by_operation(plan, show)


def _by_operation(plan: Plan, show: Any) -> str:
    heads = ["Server", *(OPERATIONS[operation] for operation in plan.operations)]
    rows = ([SERVERS[name].label, *(show(name, operation) for operation in plan.operations)] for name in plan.servers)
    return table(heads, rows)


def table(heads: Sequence[str], rows: Any) -> str:
    """A Markdown table."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
