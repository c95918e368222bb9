"""The rows that the demo is loaded with, as the bodies of requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import airportsdata

__all__ = ["airlines", "airports", "countries", "name"]

Body = dict[str, Any]

_HERE = Path(__file__).parent


def name(rows: int) -> str:
    """Tells one set of rows from another: the release of the data, and how many rows of it."""
    return f"airportsdata-{airportsdata.__version__}-{rows}"


def airlines() -> list[Body]:
    """A few airlines with their hubs and routes; the timetables are made up."""
    found: list[Body] = json.loads((_HERE / "airlines.json").read_text())
    return found


def airports(limit: int | None = None) -> list[Body]:
    """The airports of the world, those that an airline refers to first.

    :param limit: how many at the most, spread over the rest; None for all.
    """
    needed = _needed_by(airlines())
    rows = sorted(airportsdata.load("ICAO").values(), key=lambda row: row["icao"] not in needed)
    first, others = rows[: len(needed)], rows[len(needed) :]
    if limit is not None:
        others = others[:: max(1, len(others) // max(1, limit - len(first)))]
    return [_airport(row) for row in [*first, *others][:limit]]


def countries(of: list[Body]) -> list[Body]:
    """The countries that airports refer to; a code that ISO 3166 does not know is its own name."""
    lines = [line for line in (_HERE / "countries.tsv").read_text().splitlines() if not line.startswith("#")]
    names = dict(line.split("\t") for line in lines)
    return [{"code": code, "name": names.get(code, code)} for code in sorted({each["country"] for each in of})]


def _needed_by(airlines: list[Body]) -> set[str]:
    routes = [route for airline in airlines for route in airline["routes"]]
    ends = {route[end] for route in routes for end in ("origin", "destination")}
    return ends.union(*(airline["hubs"] for airline in airlines))


def _airport(row: Any) -> Body:
    body = {
        "icao": row["icao"],
        "iata": row["iata"],
        "name": row["name"],
        "city": row["city"],
        "subdivision": row["subd"],
        "country": row["country"],
        "elevation": row["elevation"],
        "position": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
        "timezone": row["tz"],
    }
    return {key: value for key, value in body.items() if value != ""}  # the data marks what is not known by ""
