"""The hook carries the two that most applications have: Prometheus and OpenTelemetry."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, Histogram

import bzz
from bzz.events import watch


async def test_prometheus_times_events_and_listeners() -> None:
    registry = CollectorRegistry()
    seconds = Histogram("bzz_event_seconds", "Time per event and listener", ["event", "listener"], registry=registry)

    @watch
    def timed(event: bzz.Event, listener: str | None) -> AbstractContextManager[Any]:
        return seconds.labels(event.name, listener or "").time()

    @bzz.on("a")
    async def work(event: Any) -> None: ...

    await bzz.emit("a")
    await bzz.emit("a")
    labels = {"event": "a", "listener": f"{__name__}.{work.__qualname__}"}
    assert registry.get_sample_value("bzz_event_seconds_count", labels) == 2
    assert registry.get_sample_value("bzz_event_seconds_count", {"event": "a", "listener": ""}) == 2


async def test_opentelemetry_traces_what_causes_what() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("bzz.events")

    @watch
    def span(event: bzz.Event, listener: str | None) -> AbstractContextManager[Any]:
        name = f"{event.name} -> {listener}" if listener else event.name
        return tracer.start_as_current_span(name, attributes={"bzz.event.id": event.id})

    @bzz.on("a")
    async def answer(event: Any) -> None:
        await bzz.emit("b")

    @bzz.on("b")
    async def broken(event: Any) -> None:
        raise ValueError("no ink")

    await bzz.emit("a")
    spans: dict[str, Any] = {each.name.rpartition(".")[2]: each for each in exporter.get_finished_spans()}
    assert list(spans) == ["broken", "b", "answer", "a"]
    assert spans["b"].parent.span_id == spans["answer"].context.span_id
    assert spans["answer"].parent.span_id == spans["a"].context.span_id
    assert [each.name for each in spans["broken"].events] == ["exception"]
