"""The trace that goes on in another process, as a header of W3C Trace Context (https://www.w3.org/TR/trace-context/).

Whoever makes spans says here what the current one is; relays send it with each event. Nothing is sent by default.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["current_traceparent", "set_traceparent_source"]

_source: Callable[[], str | None] | None = None


def set_traceparent_source(source: Callable[[], str | None] | None) -> None:
    """Have relays send what ``source`` returns with each event; None for nothing."""
    global _source
    _source = source


def current_traceparent() -> str | None:
    """Return the ``traceparent`` of the current span; None where nobody makes spans."""
    return None if _source is None else _source()
