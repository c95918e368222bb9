"""``python -m bench``: measure, and write what was seen."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import deep
from bench.load import LoadError, check_installed
from bench.measure import Plan, measure
from bench.operations import OPERATIONS
from bench.peers import SERVERS
from bench.report import write
from bench.surroundings import describe
from bench.targets import outcomes
from bzz.dev import MongoServer
from bzz.errors import ConfigurationError

_DOCS = Path(__file__).parent.parent / "docs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0 wherever the run came to its end, targets reached or not."""
    options = _parser().parse_args(arguments)
    try:
        check_installed()
        _run(options)
    except (LoadError, ConfigurationError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure bzz beside its peers.")
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument(
        "--servers", nargs="+", choices=SERVERS, default=list(SERVERS), metavar="NAME", help=_all(SERVERS)
    )
    parser.add_argument(
        "--operations", nargs="+", choices=OPERATIONS, default=list(OPERATIONS), metavar="NAME", help=_all(OPERATIONS)
    )
    parser.add_argument("--connections", nargs="+", type=int, default=[1, 32, 256], metavar="N")
    parser.add_argument(
        "--brief", action="store_true", help="one short round at few connections, to see that all works"
    )
    parser.add_argument("--deep", action="store_true", help="instead: a million documents, memory, two processes")
    parser.add_argument("--output", type=Path, default=_DOCS, metavar="DIR", help="default: docs")
    return parser


def _all(names: Iterable[str]) -> str:
    return f"of {', '.join(names)}; default: all"


def _run(options: argparse.Namespace) -> None:
    with MongoServer() as mongo:
        if options.deep:
            deep.measure(mongo.uri, options.output, _say)
            return
        plan = Plan(options.servers, options.operations, options.connections, options.seconds, options.rounds)
        if options.brief:
            plan = Plan(options.servers, options.operations, [4], 0.1, 1)
        result = measure(plan, mongo.uri, _say)
        paths = write(options.output, plan, result, describe(mongo.uri))
    for each in outcomes(result):
        target = each.target
        sign = "reached" if each.reached else "MISSED"
        print(f"{target.cell.operation} at {target.cell.connections}, {target.server} / {target.peer}: "
              f"{each.ratio:.2f} (by processor time {each.thrift:.2f}) of {target.at_least:g} {sign}")  # fmt: skip
    print("written:", *paths)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
