"""Ranges of values, and of how many there may be, in words: for what is said of those beyond."""

from __future__ import annotations

from typing import Any

__all__ = ["counted", "ranged"]


def ranged(lowest: Any, highest: Any) -> str:
    """Return the range of a value in words, with a space in front; empty if there are no bounds.

    >>> ranged(1, 9), ranged(1, None), ranged(None, 9), ranged(None, None)
    (' from 1 to 9', ' of at least 1', ' of at most 9', '')
    """
    if lowest is not None and highest is not None:
        return f" from {lowest} to {highest}"
    if lowest is not None:
        return f" of at least {lowest}"
    return "" if highest is None else f" of at most {highest}"


def counted(noun: str, fewest: int | None, most: int | None) -> str:
    """Return how many of something there may be in words, with a space in front; empty if there are no bounds.

    >>> counted("item", 1, 9), counted("item", 2, None), counted("item", None, 1), counted("item", 3, 3)
    (' of 1 to 9 items', ' of at least 2 items', ' of at most 1 item', ' of 3 items')
    """
    if not fewest and most is None:
        return ""
    last = fewest if most is None else most
    nouns = noun if last == 1 else f"{noun}s"
    if fewest and most is not None:
        return f" of {most} {nouns}" if fewest == most else f" of {fewest} to {most} {nouns}"
    return f" of at least {fewest} {nouns}" if fewest else f" of at most {most} {nouns}"
