"""Events: names, patterns and types on top of the signals, and the application's own.

``bzz.on``, ``bzz.off``, ``bzz.emit``, ``bzz.emit_from_thread``, ``bzz.drain``, ``bzz.fresh``, ``bzz.silent`` and
``bzz.forward`` are the functions of this module; :class:`Event` and :class:`Observer` are to be subclassed.
"""

from __future__ import annotations

from bzz.errors import EventCycle
from bzz.events.base import Fact, Intent, ModelEvent
from bzz.events.bus import Bus, Hook, bus
from bzz.events.causes import MAX_DEPTH, fresh
from bzz.events.event import AdHocEvent, Event, Remote
from bzz.events.forward import Forwarding, SignalLike, forward
from bzz.events.from_signals import connect_signals as _connect_signals
from bzz.events.model_events import (
    Created,
    Creating,
    Deleted,
    Deleting,
    Fetched,
    Fetching,
    FieldUpdated,
    FieldUpdating,
    Linked,
    Linking,
    Listed,
    Listing,
    Unlinked,
    Unlinking,
    Updated,
    Updating,
)
from bzz.events.observer import Observer
from bzz.events.silence import silent

__all__ = [
    "MAX_DEPTH",
    "AdHocEvent",
    "Bus",
    "Created",
    "Creating",
    "Deleted",
    "Deleting",
    "Event",
    "EventCycle",
    "Fact",
    "Fetched",
    "Fetching",
    "FieldUpdated",
    "FieldUpdating",
    "Forwarding",
    "Hook",
    "Intent",
    "Linked",
    "Linking",
    "Listed",
    "Listing",
    "ModelEvent",
    "Observer",
    "Remote",
    "SignalLike",
    "Unlinked",
    "Unlinking",
    "Updated",
    "Updating",
    "drain",
    "emit",
    "emit_from_thread",
    "forward",
    "fresh",
    "off",
    "on",
    "set_max_depth",
    "silent",
    "unwatch",
    "watch",
]

on = bus.on
off = bus.off
emit = bus.emit
emit_from_thread = bus.emit_from_thread
drain = bus.drain
set_max_depth = bus.set_max_depth
watch = bus.watch
unwatch = bus.unwatch

_connect_signals(bus)
