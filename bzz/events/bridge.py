"""From signals to model events: what a hive sends through :mod:`bzz.signals` is sent again as events, where any listen.

The events of a signal come after the signal's own receivers. A signal has receivers for a model only while somebody
listens for an event of that model that it leads to.
"""

from __future__ import annotations

import functools
import logging
import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from bzz import signals
from bzz.errors import EventLoop
from bzz.events.bus import Bus
from bzz.events.lifecycle import (
    Created,
    Creating,
    Deleted,
    Deleting,
    Fact,
    Fetched,
    Fetching,
    FieldUpdated,
    Intent,
    Listed,
    Listing,
    Updated,
    Updating,
)
from bzz.events.pattern import Subject
from bzz.events.record import stamp, trusted

__all__ = ["bridge"]

logger = logging.getLogger("bzz.events")

_REQUEST_ID = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)

_INTENTS: dict[signals.Signal, type[Intent[Any]]] = {
    signals.pre_create_instance: Creating,
    signals.pre_update_instance: Updating,
    signals.pre_delete_instance: Deleting,
    signals.pre_get_instance: Fetching,
    signals.pre_get_list: Listing,
}

_FACTS: dict[signals.Signal, type[Created[Any] | Deleted[Any] | Fetched[Any]]] = {
    signals.post_create_instance: Created,
    signals.post_delete_instance: Deleted,
    signals.post_get_instance: Fetched,
}


def bridge(bus: Bus) -> None:
    """Send events on ``bus`` for what the model signals tell."""
    for signal, intent in _INTENTS.items():
        _connect(bus, signal, (intent,), functools.partial(_send_intent, bus, intent))
    for signal, fact in _FACTS.items():
        _connect(bus, signal, (fact,), functools.partial(_send_fact, bus, fact))
    _connect(bus, signals.post_get_list, (Listed,), functools.partial(_send_listed, bus))
    _connect(bus, signals.post_update_instance, (Updated, FieldUpdated), functools.partial(_send_updated, bus))


def _connect(bus: Bus, signal: signals.Signal, kinds: tuple[Any, ...], send: Callable[..., Awaitable[None]]) -> None:
    async def receiver(sender: Any, **arguments: Any) -> None:
        await send(sender, **arguments)

    signal.connect_where(receiver, functools.partial(bus.wants, kinds))


async def _send_intent(bus: Bus, kind: type[Intent[Any]], model: type, arguments: Any, handler: Any) -> None:
    event = trusted(kind, model=model, arguments=list(arguments), handler=handler)
    stamp(event, request_id=request_id(handler))
    await bus.emit(event, origin=model)


async def _send_fact(bus: Bus, kind: type[Any], model: type, instance: Any, handler: Any) -> None:
    await _state(bus, trusted(kind, instance=instance, **_request(model, handler)))


async def _send_listed(bus: Bus, model: type, items: Any, handler: Any) -> None:
    await _state(bus, trusted(Listed, items=tuple(items), **_request(model, handler)))


async def _send_updated(bus: Bus, model: type, instance: Any, updated_fields: Any, handler: Any) -> None:
    common = {"instance": instance, "diff": updated_fields, **_request(model, handler)}
    name = f"{model.__name__}.updated"
    if bus.hears(Subject(name, Updated, model)):
        await _state(bus, trusted(Updated, **common))
    for field, change in updated_fields.items():
        if bus.hears(Subject(f"{name}.{field}", FieldUpdated, model)):
            old, new = change["from"], change["to"]
            await _state(bus, trusted(FieldUpdated, field=field, old=old, new=new, **common))


def _request(model: type, handler: Any) -> dict[str, Any]:
    arguments = getattr(getattr(handler, "path", None), "arguments", ())
    return {"model": model, "arguments": tuple(arguments), "handler": handler}


async def _state(bus: Bus, event: Fact[Any]) -> None:
    """Send a fact: it has happened, so no trouble with it may reach the client."""
    stamp(event, request_id=request_id(event.handler))
    try:
        await bus.emit(event, origin=event.model)
    except EventLoop:
        logger.exception("%s set off a loop", event.name)


def request_id(handler: Any) -> str | None:
    """The id of a request: its ``X-Request-Id`` header, or one made up and kept on the handler.

    A header that holds other than letters, digits and ``.:/+=@-_``, or more than 128 of them, is not taken up.
    """
    request = getattr(handler, "request", None)
    if request is None:
        return None
    if not hasattr(handler, "request_id"):
        given = request.headers.get("X-Request-Id", "")
        handler.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    return str(handler.request_id)
