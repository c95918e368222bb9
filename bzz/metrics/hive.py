"""``MetricsHive``: the route ``/metrics``, and what is counted for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from tornado.web import Application

from bzz.batching import watch_groups
from bzz.events import watch
from bzz.extras import needs
from bzz.finished import each_finished
from bzz.live.settings import watch_feeds
from bzz.metrics.measures import Measures
from bzz.problem import ProblemHandler
from bzz.routing import RouteList, join

with needs("metrics"):
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, multiprocess
    from prometheus_client.exposition import CONTENT_TYPE_LATEST

__all__ = ["MetricsHive"]

_measures: Measures | None = None  # one for each process: Prometheus has one registry
_SETTING = "bzz_relays_measured"


class MetricsHive:
    """Measures an application for Prometheus."""

    @staticmethod
    def routes_for(prefix: str = "") -> RouteList:
        """Return the route ``/metrics``. The guard is asked as before any GET.

        With the environment's ``PROMETHEUS_MULTIPROC_DIR`` it answers for all processes that share that directory.
        """
        return RouteList([(join(prefix, "metrics") + "/?", MetricsHandler)])

    @staticmethod
    def configure(app: Application, *, relays: Sequence[Any] = ()) -> None:
        """Measure the requests of an application, and the listeners, groups and feeds of its process.

        :param relays: whose losses are counted.
        """
        measures = _start()
        app.settings[_SETTING] = tuple(relays)
        each_finished(app, measures.finished)


def _start() -> Measures:
    global _measures
    if _measures is None:
        _measures = Measures()
        watch_groups(_measures.grouped)
        watch_feeds(_measures.fed)
        watch(_measures.heard)
    return _measures


class MetricsHandler(ProblemHandler):
    """``GET /metrics``."""

    async def get(self) -> None:
        """Answer the metrics in the text format of Prometheus."""
        await self.admit()
        _start().relayed(self.settings.get(_SETTING, ()))
        registry = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(generate_latest(registry))
