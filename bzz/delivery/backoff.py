"""How long to wait until the next attempt."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

__all__ = ["pause_after"]

JITTER = 0.2
"""By how much chance makes a pause longer at most, so that those who failed together do not come back together."""

MOST_SECONDS = 7 * 24 * 3600.0
"""The longest pause that a listener may ask for."""


def pause_after(
    attempts: int, schedule: Sequence[float], asked: float | None, chance: Callable[[], float] = random.random
) -> float:
    """Return the seconds until the next attempt.

    :param attempts: how many have failed; at least 1.
    :param schedule: the seconds after the first, the second and so on; the last one for all further ones.
    :param asked: what the listener itself asked for at least.
    :param chance: gives a number from 0 to 1.

    >>> pause_after(2, (1, 10), None, lambda: 0.5), pause_after(9, (1, 10), 60, lambda: 0)
    (11.0, 60)
    """
    planned = schedule[min(attempts, len(schedule)) - 1] * (1 + JITTER * chance())
    return max(planned, min(asked or 0, MOST_SECONDS))
