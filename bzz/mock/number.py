"""Numbers that a JSON Schema accepts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

__all__ = ["numbers"]


def numbers(schema: Mapping[str, Any], *, whole: bool) -> Iterator[int | float]:
    """Yield numbers that ``schema`` may accept, the one nearest to zero first.

    :param schema: ``minimum``, ``maximum``, ``exclusiveMinimum``, ``exclusiveMaximum`` and ``multipleOf``.
    :param whole: whether to yield integers only.

    >>> next(numbers({"minimum": 1, "multipleOf": 0.25}, whole=False)), next(numbers({"maximum": -3}, whole=True))
    (1.0, -3)
    """
    low = max((_exact(schema[name]) for name in ("minimum", "exclusiveMinimum") if name in schema), default=None)
    high = min((_exact(schema[name]) for name in ("maximum", "exclusiveMaximum") if name in schema), default=None)
    for step in _steps(schema, whole, low, high):
        start = _nearest_to_zero(step, low, high)
        for number in itertools.islice(_outwards(start, step, low, high), 200):
            if whole or (number.denominator == 1 and abs(number) > 2**53):
                yield int(number)
            else:
                yield float(number)


def _exact(number: float) -> Fraction:
    return Fraction(str(number))


def _steps(schema: Mapping[str, Any], whole: bool, low: Fraction | None, high: Fraction | None) -> Iterator[Fraction]:
    """Yield distances between numbers: ``multipleOf``, or ever smaller ones, to fit between the limits."""
    step = _exact(schema.get("multipleOf", 1))
    if "multipleOf" in schema or whole:
        yield step if not whole else Fraction(step.numerator)
        return
    yield step
    if low is not None:
        if high is not None:
            yield from ((high - low) / 2, (high - low) / 3) if high > low else (high,) if high else ()
        yield low if low > 0 else Fraction(1, 10)
    yield from (Fraction(1, 10**places) for places in (1, 2, 4, 8))


def _nearest_to_zero(step: Fraction, low: Fraction | None, high: Fraction | None) -> Fraction:
    if low is not None and low > 0:
        return math.ceil(low / step) * step
    if high is not None and high < 0:
        return math.floor(high / step) * step
    return Fraction(0)


def _outwards(start: Fraction, step: Fraction, low: Fraction | None, high: Fraction | None) -> Iterator[Fraction]:
    """Yield ``start`` and its multiples on both sides, as long as they are within the limits."""
    yield start
    for count in itertools.count(1):
        further = [each for each in (start + count * step, start - count * step) if _is_within(each, low, high)]
        if not further:
            return
        yield from further


def _is_within(number: Fraction, low: Fraction | None, high: Fraction | None) -> bool:
    return (low is None or number >= low) and (high is None or number <= high)
