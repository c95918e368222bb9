"""Where a value stands in a body.

A place is made for every value that is read, and spelled out only for those with a mistake: so it is a pair.
"""

from __future__ import annotations

from typing import Any

__all__ = ["TOP", "Place", "dotted"]

Place = tuple[()] | tuple[Any, object]
"""The place of the value around, and the name, key or position within it; empty for the body itself."""

TOP: Place = ()


def dotted(place: Place) -> str:
    """Return the dotted name of a place.

    >>> dotted((((TOP, "homes"), 0), "zip"))
    'homes.0.zip'
    """
    names = []
    while place:
        place, name = place
        names.append(str(name))
    return ".".join(reversed(names))
