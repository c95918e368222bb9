"""An application whose own code fails."""

from __future__ import annotations


def app() -> object:
    return 1 / 0
