"""A map of the points in a list: a graticule and the points, as SVG, and nothing from anywhere else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Plot", "plot_of"]

WIDTH, MAX_HEIGHT, MIN_HEIGHT = 960.0, 340.0, 200.0
STEPS = (45, 30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
LINES = 8
MARGIN = 0.12  # of what the points cover, on each side
LEAST = 0.02  # degrees that a map shows at the least


class Point(NamedTuple):
    """A document on the map."""

    x: float
    y: float
    label: str
    href: str
    key: str


class Line(NamedTuple):
    """A meridian or a parallel."""

    at: float
    text: str


@dataclass(frozen=True)
class Plot:
    """A map by plate carrée (a degree of latitude is as long as one of longitude at the middle).

    :param west, north: the corner at the left and the top, in degrees; :param scale_x, scale_y: pixels to a degree.
    """

    width: float
    height: float
    west: float
    north: float
    scale_x: float
    scale_y: float
    points: Sequence[Point]
    meridians: Sequence[Line]
    parallels: Sequence[Line]


def plot_of(places: Sequence[tuple[float, float, str, str, str]]) -> Plot | None:
    """Return the map of places: longitude, latitude, words, URL and id of each; None without any on the earth."""
    good = [each for each in places if -180 <= each[0] <= 180 and -90 <= each[1] <= 90]
    if not good:
        return None
    west, east = _span([each[0] for each in good], -180, 180)
    south, north = _span([each[1] for each in good], -90, 90)
    stretch = max(0.2, math.cos(math.radians((south + north) / 2)))  # how much shorter a degree of longitude is
    scale_x = WIDTH / (east - west)
    scale_y = scale_x / stretch
    wanted = (north - south) * scale_y
    if wanted > MAX_HEIGHT:  # too high: show more to both sides
        scale_y = MAX_HEIGHT / (north - south)
        scale_x = scale_y * stretch
        middle, half = (west + east) / 2, WIDTH / scale_x / 2
        west, east = middle - half, middle + half
    elif wanted < MIN_HEIGHT:
        middle, half = (south + north) / 2, MIN_HEIGHT / scale_y / 2
        south, north = middle - half, middle + half
    height = (north - south) * scale_y

    def x(longitude: float) -> float:
        return round((longitude - west) * scale_x, 1)

    def y(latitude: float) -> float:
        return round((north - latitude) * scale_y, 1)

    step = _step(max(east - west, north - south))
    return Plot(
        WIDTH,
        round(height, 1),
        west,
        north,
        scale_x,
        scale_y,
        [Point(x(longitude), y(latitude), words, href, key) for longitude, latitude, words, href, key in good],
        [Line(x(each), _degrees(each, "E", "W")) for each in _multiples(west, east, step) if -180 <= each <= 180],
        [Line(y(each), _degrees(each, "N", "S")) for each in _multiples(south, north, step) if -90 <= each <= 90],
    )


def _span(values: Sequence[float], least: float, most: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = max((high - low) * MARGIN, LEAST, 0 if high > low else 2)
    return max(low - margin, least), min(high + margin, most)


def _step(span: float) -> float:
    return next((each for each in reversed(STEPS) if span / each <= LINES), STEPS[0])


def _multiples(low: float, high: float, step: float) -> list[float]:
    first = math.ceil(low / step)
    return [round(each * step, 4) for each in range(first, math.floor(high / step) + 1)]


def _degrees(value: float, positive: str, negative: str) -> str:
    """
    >>> _degrees(-34.5, "E", "W"), _degrees(0, "N", "S")
    ('34.5° W', '0°')
    """
    return f"{abs(value):g}°" + (f" {positive}" if value > 0 else f" {negative}" if value < 0 else "")
