"""Python's garbage collector in a process that serves: how often it looks, and at what."""

from __future__ import annotations

import gc

__all__ = ["YOUNG_OBJECTS", "spare"]

YOUNG_OBJECTS = 5000
"""How many new objects there may be before the collector looks through them. Python's own 700 are reached several times
within one answer, whose objects are all still in use."""


def spare() -> None:
    """Have the collector cost less from here on. Called when the application is loaded.

    What is there now stays, and is never looked through again: that takes 20 ms, about once a second under load. A
    threshold that the application has raised, or a collector that it has turned off (0), stays as it is.
    """
    gc.collect()
    gc.freeze()
    young, *older = gc.get_threshold()
    if young:
        gc.set_threshold(max(young, YOUNG_OBJECTS), *older)
