"""Sends model events for the signals of :mod:`bzz.signals`.

The events of a signal come after the signal's own receivers. A signal has a receiver for a model only while there is a
listener for an event of that model.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bzz import signals
from bzz.change import Change, FromTo
from bzz.errors import EventCycle
from bzz.events.base import Fact, Intent, ModelEvent
from bzz.events.bus import Bus
from bzz.events.event import stamp, unchecked
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
from bzz.events.targets import Subject
from bzz.request import id_of

__all__ = ["EVENTS", "connect_signals"]

logger = logging.getLogger("bzz.events")

_Instance = Created[Any] | Deleted[Any] | Fetched[Any]

_INTENTS: dict[signals.Signal, type[Intent[Any]]] = {
    signals.pre_create_instance: Creating,
    signals.pre_delete_instance: Deleting,
    signals.pre_get_instance: Fetching,
    signals.pre_get_list: Listing,
}

_FACTS: dict[signals.Signal, type[_Instance]] = {
    signals.post_create_instance: Created,
    signals.post_delete_instance: Deleted,
    signals.post_get_instance: Fetched,
}

_OF_LINKS: dict[type[Any], type[Any]] = {
    Creating: Linking,
    Created: Linked,
    Deleting: Unlinking,
    Deleted: Unlinked,
}
"""The event that is sent instead if a reference, and not the instance itself, is added or removed."""


def _with_links(kind: type[Any]) -> tuple[type[Any], ...]:
    return (kind, _OF_LINKS[kind]) if kind in _OF_LINKS else (kind,)


EVENTS: Mapping[signals.Signal, tuple[type[ModelEvent[Any]], ...]] = {
    **{signal: _with_links(kind) for signal, kind in (*_INTENTS.items(), *_FACTS.items())},
    signals.pre_update_instance: (Updating, FieldUpdating),
    signals.post_get_list: (Listed,),
    signals.post_update_instance: (Updated, FieldUpdated),
}
"""The events that are sent for each signal of models, after the receivers of the signal."""


def connect_signals(bus: Bus) -> None:
    """Send events on ``bus`` for the signals of models."""
    for signal, intent in _INTENTS.items():
        _connect(bus, signal, functools.partial(_send_intent, bus, intent))
    for signal, fact in _FACTS.items():
        _connect(bus, signal, functools.partial(_send_fact, bus, fact))
    _connect(bus, signals.pre_update_instance, functools.partial(_send_updating, bus))
    _connect(bus, signals.post_get_list, functools.partial(_send_listed, bus))
    _connect(bus, signals.post_update_instance, functools.partial(_send_updated, bus))
    _connect(bus, signals.changed_inside, functools.partial(_send_changed_inside, bus), (Updated, FieldUpdated))


def _connect(
    bus: Bus, signal: signals.Signal, send: Callable[..., Awaitable[None]], kinds: tuple[Any, ...] | None = None
) -> None:
    async def receiver(sender: Any, **arguments: Any) -> None:
        await send(sender, **arguments)

    def follow(has_listeners: bool) -> None:
        signal.connect_where(receiver if has_listeners else None, wants)

    wants = functools.partial(bus.wants, kinds or EVENTS[signal])
    bus.follow(follow)


async def _send_intent(bus: Bus, kind: type[Intent[Any]], model: type, arguments: Any, handler: Any) -> None:
    chosen = _OF_LINKS.get(kind, kind) if _ends_at_reference(handler) else kind
    if bus.has_listeners(Subject(f"{model.__name__}.{chosen.verb}", chosen, model)):
        await _emit_intent(bus, unchecked(chosen, model=model, arguments=list(arguments), handler=handler))


async def _send_updating(bus: Bus, model: type, arguments: Any, handler: Any) -> None:
    await _send_intent(bus, Updating, model, arguments, handler)
    names = map(str, handler.data) if isinstance(handler.data, Mapping) else ()
    if any(bus.asks_for_updating(model, name) for name in names):
        await _send_fields_updating(bus, model, arguments, handler)


async def _send_fields_updating(bus: Bus, model: type, arguments: Any, handler: Any) -> None:
    """Send an event for each field that the update would change, those that its listeners change included."""
    sent: dict[str, Any] = {}
    for _ in range(bus.max_depth):
        proposed = await handler.proposed()
        news = {field: pair for field, pair in proposed.items() if sent.get(field) != pair}
        if not news:
            return
        sent.update(news)
        for field, pair in news.items():
            if bus.has_listeners(Subject(f"{model.__name__}.updating.{field}", FieldUpdating, model)):
                values = {"field": field, "old": pair["from"], "new": pair["to"]}
                await _emit_intent(
                    bus, unchecked(FieldUpdating, model=model, arguments=list(arguments), handler=handler, **values)
                )
    raise EventCycle([f"{model.__name__}.updating.{field}" for field in sent])


async def _emit_intent(bus: Bus, event: Intent[Any]) -> None:
    """Send an intent: what a listener raises is the answer to the request."""
    stamp(event, request_id=id_of(event.handler))
    await bus.emit(event, origin=event.model)


async def _send_fact(
    bus: Bus, kind: type[Any], model: type, instance: Any, handler: Any, change: Change | None = None
) -> None:
    is_link = change is not None and change.kind in ("linked", "unlinked")
    chosen = _OF_LINKS.get(kind, kind) if is_link else kind
    if bus.has_listeners(Subject(f"{model.__name__}.{chosen.verb}", chosen, model)):
        await _emit_fact(bus, unchecked(chosen, instance=instance, **_request(model, handler)), change)


async def _send_listed(bus: Bus, model: type, items: Any, handler: Any) -> None:
    await _emit_fact(bus, unchecked(Listed, items=tuple(items), **_request(model, handler)))


async def _send_updated(
    bus: Bus, model: type, instance: Any, updated_fields: Any, handler: Any, change: Change | None = None
) -> None:
    is_root = change is not None and change.model is model
    diff = (change.diff or {}) if change and is_root else updated_fields
    await _tell_updated(bus, model, instance, diff, handler, change)


async def _send_changed_inside(bus: Bus, model: type, instance: Any, handler: Any, change: Change) -> None:
    await _tell_updated(bus, model, instance, change.diff or {}, handler, change)


async def _tell_updated(
    bus: Bus, model: type, instance: Any, diff: Mapping[str, FromTo], handler: Any, change: Change | None
) -> None:
    common = {"instance": instance, "diff": diff, **_request(model, handler)}
    name = f"{model.__name__}.updated"
    if bus.has_listeners(Subject(name, Updated, model)):
        await _emit_fact(bus, unchecked(Updated, **common), change)
    for field, pair in diff.items():
        if bus.has_listeners(Subject(f"{name}.{field}", FieldUpdated, model)):
            told = unchecked(FieldUpdated, field=field, old=pair["from"], new=pair["to"], **common)
            await _emit_fact(bus, told, change)


def _ends_at_reference(handler: Any) -> bool:
    last = getattr(getattr(handler, "path", None), "last", None)
    return bool(getattr(last, "is_reference", False))


def _request(model: type, handler: Any) -> dict[str, Any]:
    arguments = getattr(getattr(handler, "path", None), "arguments", ())
    return {"model": model, "arguments": tuple(arguments), "handler": handler}


async def _emit_fact(bus: Bus, event: Fact[Any], change: Change | None = None) -> None:
    """Send a fact: it has happened, so no error of a listener may reach the client."""
    event.tell(change)
    stamp(event, request_id=id_of(event.handler))
    try:
        await bus.emit(event, origin=event.model)
    except EventCycle:
        logger.exception("%s set off a loop", event.name)
