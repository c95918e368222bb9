"""Tools to test an application's events: :func:`capture` and :func:`expect`."""

from __future__ import annotations

from bzz.testing.capture import Captured, capture, expect

__all__ = ["Captured", "capture", "expect"]
