"""Spans kept in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tornado.web import Application

import bzz
from bzz.tracing import start


class Traced:
    """Traces applications, and has their spans."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def __call__(self, app: Application) -> None:
        """Trace an application."""
        bzz.trace(app, provider=self.provider)

    def spans(self) -> dict[str, Any]:
        """The spans that have ended, by name."""
        return {each.name: each for each in self.exporter.get_finished_spans()}


@pytest.fixture
def traced() -> Iterator[Traced]:
    """Nothing is traced any more after the test."""
    yield Traced()
    start.stop()
