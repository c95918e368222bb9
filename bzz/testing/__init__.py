"""Tools to test an application's events: :func:`capture` and :func:`expect`.

The contract for providers is :mod:`bzz.testing.provider`, which needs pytest.
"""

from __future__ import annotations

from bzz.testing.capture import Captured, capture, expect

__all__ = ["Captured", "capture", "expect"]
