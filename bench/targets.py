"""What bzz must reach, as ratios inside one run, one process each, on equal engines where it is not said."""

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
_GRANIAN = "-granian"
_WRITES = ("put", "put-embedded", "delete")
_AT_32 = [
    ("bzz", "tornado-motor", "get", 2.4),
    ("bzz-granian", "tornado-motor-granian", "get", 3.0),
    ("bzz-granian", "fastapi-beanie", "get", 2.8),
    ("bzz-granian", "fastapi-beanie-granian", "get", 2.5),
    ("bzz-granian", "fastapi-beanie-granian", "post", 2.2),
    *((f"bzz{on}", f"constant{on}", "get", 0.6) for on in ("", _GRANIAN)),
    *((f"bzz{on}", f"tornado-motor{on}", "post", 1.6) for on in ("", _GRANIAN)),
    *((f"bzz{on}", f"tornado-motor{on}", each, 1.0) for on in ("", _GRANIAN) for each in _WRITES),
    *(("bzz", "eve", each, 4.0) for each in ("get", "post", *_WRITES)),
]
TARGETS = [
    *(Target(server, peer, Cell(operation, _CONNECTIONS), least) for server, peer, operation, least in _AT_32),
    *(
        Target(f"bzz{on}", f"tornado-motor{on}", Cell(operation, 1), 0.95)
        for on in ("", _GRANIAN)
        for operation in OPERATIONS
    ),
]


def outcomes(result: Result) -> Iterator[Outcome]:
    """The targets for which the run measured both sides."""
    for target in TARGETS:
        ratio = result.ratio(target.server, target.peer, target.cell)
        thrift = result.thrift(target.server, target.peer, target.cell)
        if ratio is not None and thrift is not None:
            yield Outcome(target, ratio, thrift)
