"""Each test starts with nobody listening."""

from __future__ import annotations

from tests.events.conftest import _nobody_listens, calls

__all__ = ["_nobody_listens", "calls"]
