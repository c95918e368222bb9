"""bzz: data models as a REST API for Tornado, and events for everything that happens to them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bzz import errors, events, explorer, signals
from bzz.access_log import access_log
from bzz.change import Change, storable
from bzz.delivery.history.declaring import history
from bzz.delivery.history.hive import HistoryHive
from bzz.delivery.listener import durable
from bzz.delivery.running import deliver
from bzz.errors import BzzError, ConfigurationError, Refuse
from bzz.events import Event, Observer, drain, emit, emit_from_thread, forward, fresh, off, on, silent
from bzz.health.hive import HealthHive
from bzz.limits import Limits
from bzz.live.hive import LiveHive
from bzz.live.watching import watch
from bzz.model.handler import ModelHandler
from bzz.model.hive import ModelHive
from bzz.model.own_parameters import QueryParameter
from bzz.openapi.hive import DocsHive
from bzz.origins import cors
from bzz.providers.rules import rules
from bzz.routing import RouteList, flatten
from bzz.serving.server import serve

if TYPE_CHECKING:  # for type checkers only: at run time these are imported at their first use, see _LATER
    from bzz import auth as auth
    from bzz import relay as relay
    from bzz.asgi.application import asgi_app
    from bzz.asgi.rsgi import rsgi_app
    from bzz.auth.base import AuthProvider
    from bzz.auth.guard import authenticated
    from bzz.auth.hive import AuthHive
    from bzz.delivery.webhooks.webhook import webhook
    from bzz.metrics.hive import MetricsHive
    from bzz.mock.hive import MockHive
    from bzz.rate_limits.declaring import RateLimits
    from bzz.relay.redis import RedisRelay
    from bzz.tracing.start import trace

__all__ = [
    "AuthHive",
    "AuthProvider",
    "BzzError",
    "Change",
    "ConfigurationError",
    "DocsHive",
    "Event",
    "HealthHive",
    "HistoryHive",
    "Limits",
    "LiveHive",
    "MetricsHive",
    "MockHive",
    "ModelHandler",
    "ModelHive",
    "Observer",
    "QueryParameter",
    "RateLimits",
    "RedisRelay",
    "Refuse",
    "RouteList",
    "access_log",
    "asgi_app",
    "auth",
    "authenticated",
    "cors",
    "deliver",
    "drain",
    "durable",
    "emit",
    "emit_from_thread",
    "errors",
    "events",
    "explorer",
    "flatten",
    "forward",
    "fresh",
    "history",
    "off",
    "on",
    "relay",
    "rsgi_app",
    "rules",
    "serve",
    "signals",
    "silent",
    "storable",
    "trace",
    "watch",
    "webhook",
]
__version__ = "0.1.0"

_LATER = {
    "AuthHive": "bzz.auth.hive",
    "AuthProvider": "bzz.auth.base",
    "MetricsHive": "bzz.metrics.hive",
    "MockHive": "bzz.mock.hive",
    "RateLimits": "bzz.rate_limits.declaring",
    "RedisRelay": "bzz.relay.redis",
    "asgi_app": "bzz.asgi.application",
    "authenticated": "bzz.auth.guard",
    "rsgi_app": "bzz.asgi.rsgi",
    "trace": "bzz.tracing.start",
    "webhook": "bzz.delivery.webhooks.webhook",
}
"""Public names whose modules need packages that not every application has: imported at their first use."""


if not TYPE_CHECKING:  # a type checker that saw it would take any name for granted

    def __getattr__(name: str) -> Any:
        if name in ("auth", "relay"):
            return importlib.import_module(f"bzz.{name}")
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
