"""What bzz must reach, as ratios inside one run, one process each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bench.measure import Cell, Result
from bench.operations import OPERATIONS

__all__ = ["Outcome", "Target", "outcomes"]


class Target(NamedTuple):
    """``server`` answers at least ``at_least`` times as often as ``peer``."""

    server: str
    peer: str
    cell: Cell
    at_least: float


class Outcome(NamedTuple):
    """A target and what was measured, by answers per second and by processor time for an answer."""

    target: Target
    ratio: float
    thrift: float

    @property
    def reached(self) -> bool:
        """Whether it holds, to the two digits that are shown."""
        return round(self.ratio, 2) >= self.target.at_least


_CONNECTIONS = 32
_AT_32 = [
    ("bzz", "tornado-motor", "get", 3.0),
    ("bzz", "fastapi-beanie", "get", 2.5),
    ("bzz", "constant", "get", 0.75),
    ("bzz-receiver", "tornado-motor", "get", 2.2),
    ("bzz", "tornado-motor", "post", 2.0),
    ("bzz", "fastapi-beanie", "post", 2.5),
    ("bzz", "tornado-motor", "list", 1.1),
    ("bzz", "fastapi-beanie", "list", 1.4),
    ("bzz", "tornado-motor", "put", 0.95),
    *(("bzz", "eve", operation, 4.0) for operation in ("get", "post", "list", "put")),
    ("bzz-receiver", "eve", "get", 4.0),
]
TARGETS = [
    *(Target(server, peer, Cell(operation, _CONNECTIONS), least) for server, peer, operation, least in _AT_32),
    *(Target("bzz", "tornado-motor", Cell(operation, 1), 0.95) for operation in OPERATIONS),
]


def outcomes(result: Result) -> Iterator[Outcome]:
    """The targets for which the run measured both sides."""
    for target in TARGETS:
        ratio = result.ratio(target.server, target.peer, target.cell)
        thrift = result.thrift(target.server, target.peer, target.cell)
        if ratio is not None and thrift is not None:
            yield Outcome(target, ratio, thrift)
