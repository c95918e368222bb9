"""What is measured, with which labels. Every label has few values: no id, no path as it came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tornado.web import RequestHandler

from bzz.events import Event
from bzz.extras import needs
from bzz.finished import template_of
from bzz.request import method_of

with needs("metrics"):
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["Measures"]

_METHODS = frozenset([*RequestHandler.SUPPORTED_METHODS, "QUERY"])

GROUPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)


class Measures:
    """The metrics of one process.

    :param registry: of the Prometheus client; its own by default.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        labels = ["method", "route", "status"]
        self._requests = Counter("bzz_requests", "Requests that were answered.", labels, registry=registry)
        self._seconds = Histogram(
            "bzz_request_seconds", "How long answers took; feeds are left out.", ["method", "route"], registry=registry
        )
        self._groups = Histogram(
            "bzz_group_size", "How many requests shared a round trip.", ["operation"], buckets=GROUPS, registry=registry
        )
        self._listeners = Histogram(
            "bzz_listener_seconds", "How long listeners took.", ["event", "listener"], registry=registry
        )
        self._errors = Counter(
            "bzz_listener_errors", "Listeners that raised.", ["event", "listener"], registry=registry
        )
        self._feeds = Gauge("bzz_feeds", "Feeds that are open.", multiprocess_mode="livesum", registry=registry)
        self._lost = Gauge(
            "bzz_relay_lost", "Events of other processes that were lost.", ["relay"],
            multiprocess_mode="livesum", registry=registry,
        )  # fmt: skip
        self._dropped = Gauge(
            "bzz_relay_dropped", "Messages that this process dropped.", ["relay", "reason"],
            multiprocess_mode="livesum", registry=registry,
        )  # fmt: skip

    def finished(self, handler: RequestHandler) -> None:
        """Count a request that was answered."""
        method, route = method_of(handler), template_of(handler)
        if method not in _METHODS:
            method = "OTHER"
        self._requests.labels(method, route, str(handler.get_status())).inc()
        if handler._headers.get("Content-Type") != "text/event-stream":
            self._seconds.labels(method, route).observe(handler.request.request_time())

    def grouped(self, size: int, writes: bool) -> None:
        """Note a group of requests that share a round trip."""
        self._groups.labels("write" if writes else "read").observe(size)

    def fed(self, change: int) -> None:
        """Note that a feed has begun or ended."""
        self._feeds.inc(change)

    @contextmanager
    def heard(self, event: Event, listener: str | None) -> Iterator[None]:
        """Time a listener, and count it if it raises."""
        if listener is None:
            yield
            return
        name = _name_of(event)
        with self._listeners.labels(name, listener).time():
            try:
                yield
            except Exception:
                self._errors.labels(name, listener).inc()
                raise

    def relayed(self, relays: Sequence[Any]) -> None:
        """Take over what relays have counted."""
        for relay in relays:
            stats = relay.stats
            self._lost.labels(relay.name).set(sum(stats.lost.values()))
            for reason, count in stats.dropped.items():
                self._dropped.labels(relay.name, reason).set(count)


def _name_of(event: Any) -> str:
    """Return the name of a model's event, with ``*`` for a field, else its class: there may be too many for a label."""
    model, verb = getattr(event, "model", None), getattr(event, "verb", None)
    if model is None or verb is None:
        return type(event).__name__
    return f"{model.__name__}.{verb}.*" if hasattr(event, "field") else f"{model.__name__}.{verb}"
