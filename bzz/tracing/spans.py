"""The spans of requests, of calls of providers, and of events and their listeners."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from tornado.web import RequestHandler

from bzz.errors import RequestError
from bzz.events import Event
from bzz.extras import needs
from bzz.finished import template_of
from bzz.providers.base import Stale
from bzz.request import id_of, method_of

with needs("otel"):
    from opentelemetry.context import Context
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind, StatusCode, Tracer
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

__all__ = ["Spans", "current_traceparent"]

VERBS = frozenset({"create", "create_many", "delete", "facets", "fetch", "get", "link", "page", "update"})
"""The methods of a provider that ask the database."""

_W3C = TraceContextTextMapPropagator()


class Spans:
    """Makes the spans.

    :param tracer: makes each of them.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def request(self, handler: RequestHandler) -> Iterator[None]:
        """Surround a request with a span, a child of the client's where its headers name one.

        Attributes are those of https://opentelemetry.io/docs/specs/semconv/http/http-spans/.
        """
        request = handler.request
        method = method_of(handler) if request.method in handler.SUPPORTED_METHODS else "_OTHER"
        attributes = {
            "http.request.method": method,
            "url.path": request.path,
            "url.scheme": request.protocol,
            "bzz.request.id": str(id_of(handler)),
        }
        provider = getattr(handler, "provider", None)
        if provider is not None:
            handler.traced = traced = partial(_TracedProvider, tracer=self._tracer)  # type: ignore[attr-defined]  # a model's
            handler.provider = traced(provider)  # type: ignore[attr-defined]  # has both
        with self._tracer.start_as_current_span(
            method, extract(request.headers), SpanKind.SERVER, attributes=attributes
        ) as span:
            yield
            route, status = template_of(handler), handler.get_status()
            span.update_name(f"{method} {route}")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                span.set_status(StatusCode.ERROR)

    def event(self, event: Event, listener: str | None) -> AbstractContextManager[Any]:
        """Surround an event, or one of its listeners, with a span; one that a relay received goes on with its trace."""
        name = event.name if listener is None else f"{event.name} -> {listener}"
        context = _context_of(event) if listener is None else None
        return self._tracer.start_as_current_span(name, context, attributes={"bzz.event.id": event.id})


class _TracedProvider:
    """A provider whose calls are spans."""

    def __init__(self, provider: Any, tracer: Tracer) -> None:
        self._provider = provider
        self._tracer = tracer

    @property  # type: ignore[misc]  # what a provider can do is told by its class
    def __class__(self) -> Any:
        return type(self._provider)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._provider, name)
        return partial(self._call, name, found) if name in VERBS else found

    async def _call(self, verb: str, ask: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> Any:
        name = f"{type(self._provider).__name__}.{verb}"
        with self._tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
            try:
                return await ask(*arguments, **options)
            except Exception as error:
                if not _is_refusal(error):
                    span.record_exception(error)
                    span.set_status(StatusCode.ERROR)
                raise


def _is_refusal(error: Exception) -> bool:
    """Return whether nothing failed: the client is refused, or another writer was faster."""
    return isinstance(error, Stale) or (isinstance(error, RequestError) and error.status < 500)


def _context_of(event: Event) -> Context | None:
    """Return where the trace of an event from another process goes on; None for the current span."""
    if event.remote is None or event.remote.traceparent is None:
        return None
    return _W3C.extract({"traceparent": event.remote.traceparent})


def current_traceparent() -> str | None:
    """Return the ``traceparent`` of the current span, or None outside of a span."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")
