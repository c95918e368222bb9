"""``bzz.trace``: spans of an application for OpenTelemetry."""

from __future__ import annotations

from tornado.web import Application

from bzz.events import unwatch, watch
from bzz.events.bus import Hook
from bzz.events.trace import set_traceparent_source
from bzz.extras import needs
from bzz.problem import AROUND
from bzz.tracing.spans import Spans, current_traceparent

with needs("otel"):
    from opentelemetry.trace import TracerProvider, get_tracer

__all__ = ["stop", "trace"]

_hook: Hook | None = None  # one for each process, as the bus of events is


def trace(app: Application, *, provider: TracerProvider | None = None) -> None:
    """Make spans of an application's requests and their calls of the database, and of the events of its process.

    Requests of handlers that derive from bzz's own are traced, those of models among them. Relays carry the trace to
    the other processes. A second call replaces the first one's spans of events.

    :param provider: makes the tracer; OpenTelemetry's global one by default.
    """
    global _hook
    stop()
    spans = Spans(get_tracer("bzz", tracer_provider=provider))
    app.settings[AROUND] = spans.request
    _hook = watch(spans.event)
    set_traceparent_source(current_traceparent)


def stop() -> None:
    """Make no more spans of events."""
    global _hook
    if _hook is not None:
        unwatch(_hook)
        _hook = None
    set_traceparent_source(None)
