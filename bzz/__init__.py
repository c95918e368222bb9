"""bzz: data models as a REST API for Tornado, and events for everything that happens to them."""

from __future__ import annotations

from bzz import events
from bzz.errors import BzzError, ConfigurationError
from bzz.events import Event, Observer, drain, emit, emit_from_thread, forward, off, on, silent
from bzz.model.hive import ModelHive
from bzz.routing import RouteList, flatten

__all__ = [
    "BzzError",
    "ConfigurationError",
    "Event",
    "ModelHive",
    "Observer",
    "RouteList",
    "drain",
    "emit",
    "emit_from_thread",
    "events",
    "flatten",
    "forward",
    "off",
    "on",
    "silent",
]
__version__ = "0.1.0"
