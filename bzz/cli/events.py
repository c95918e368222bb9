"""``bzz events``: who listens to what happens to the models of an application, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tornado.web import Application

from bzz import signals
from bzz.cli.application import ApplicationName, AsJson, load_application, mounted
from bzz.cli.console import ending, show_rows
from bzz.delivery.listener import DurableListener, declared
from bzz.delivery.source import wants
from bzz.events.bus import bus
from bzz.events.from_signals import EVENTS
from bzz.events.listeners import Listener, name_of
from bzz.shape import Shape
from bzz.shape.walk import reachable
from bzz.signals import Signal

__all__ = ["events"]

_OF_SIGN_IN = (signals.authorized_user, signals.unauthorized_user, signals.pre_get_user_details)
_MODEL_SIGNALS = (
    *(signals.pre_create_instance, signals.post_create_instance),
    *(signals.pre_get_instance, signals.post_get_instance, signals.pre_get_list, signals.post_get_list),
    *(signals.pre_update_instance, signals.post_update_instance),
    *(signals.pre_delete_instance, signals.post_delete_instance),
)
Row = dict[str, Any]


def events(application: ApplicationName, as_json: AsJson = False) -> None:
    """List who listens to what, in the order in which they are called.

    For each model first the receivers of a signal, then the listeners of the events that it sends. Durable listeners
    come last: they are told of what is stored.
    """
    with ending():
        rows = list(_rows(load_application(application)))
        columns = ["sender", "signal", "order", "listener", "event", "how"]
        show_rows(rows, columns, as_json=as_json)


def _rows(application: Application) -> Iterator[Row]:
    heard: set[Listener] = set()
    for shape in _shapes(application):
        for signal in _MODEL_SIGNALS:
            listeners = bus.current.hearing(EVENTS[signal], shape.model)
            heard.update(listeners)
            yield from _numbered(shape.name, signal, [*_receivers(signal, shape.model), *map(_listening, listeners)])
        durable = [_durable(each) for each in declared() if wants(each.registration.target, shape.model)]
        yield from _numbered(shape.name, None, durable)
    for provider in _providers(application):
        for signal in _OF_SIGN_IN:
            yield from _numbered(provider, signal, _receivers(signal, provider))
    others = [_listening(each) for each in bus.current.listeners if each not in heard]
    yield from _numbered(None, None, others)


def _numbered(sender: str | None, signal: Signal | None, found: Iterable[Row]) -> Iterator[Row]:
    for order, row in enumerate(found, start=1):
        yield {"sender": sender, "signal": signal and signal.name, "order": order, **row}


def _receivers(signal: Signal, sender: Any) -> list[Row]:
    return [{"listener": name_of(each), "event": None, "how": []} for each in signal.receivers_for(sender)]


def _listening(listener: Listener) -> Row:
    how = [name for name in ("background", "once", "last") if getattr(listener, name)]
    if listener.when is not None:
        how.append("when " + " -> ".join("any" if each is ... else _short(each) for each in listener.when))
    if listener.origin is not None:
        how.append(f"origin {_short(listener.origin)}")
    return {"listener": listener.name, "event": str(listener.target), "how": how}


def _durable(listener: DurableListener) -> Row:
    row = _listening(listener.registration)
    return {**row, "how": [f"durable as {listener.name}", *row["how"]]}


def _short(value: Any) -> str:
    return name_of(value) if callable(value) else repr(value)


def _shapes(application: Application) -> list[Shape]:
    """Return the models of the routes, and what they lead to, each once."""
    found: dict[type, Shape] = {}
    for route in mounted(application):
        if route.resource is not None:
            for shape in reachable(route.resource.provider.shape, lambda shape, error: None):
                found.setdefault(shape.model, shape)
    return list(found.values())


def _providers(application: Application) -> list[str]:
    """Return the names of the authentication providers of the routes."""
    given = (route.arguments.get("providers") for route in mounted(application))
    return list(dict.fromkeys(str(name) for each in given if isinstance(each, dict) for name in each))
