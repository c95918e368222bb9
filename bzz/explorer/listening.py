"""What listens to a model: the receivers of its signals, and the listeners of its events, in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from bzz import signals
from bzz.delivery.listener import declared
from bzz.delivery.source import wants
from bzz.events.bus import bus
from bzz.signals import Signal

__all__ = ["Listening", "listening_to", "name_of"]

_WRITES = (
    signals.pre_create_instance,
    signals.post_create_instance,
    signals.pre_update_instance,
    signals.post_update_instance,
    signals.pre_delete_instance,
    signals.post_delete_instance,
    signals.pre_get_instance,
    signals.post_get_instance,
    signals.pre_get_list,
    signals.post_get_list,
)


class Listening(NamedTuple):
    """One function that listens.

    :param to: the signal, or what it listens for.
    :param function: its name.
    :param when: it runs, if not before the answer.
    """

    to: str
    function: str
    when: str = ""


def listening_to(model: type) -> list[Listening]:
    """Return what listens to a model: signals first, each in its order, and durable listeners last."""
    found = [Listening(signal.name, name_of(each)) for signal in _WRITES for each in _receivers(signal, model)]
    for each in bus.listeners_of(model):
        found.append(Listening(str(each.target), each.name, "after the answer" if each.background else ""))
    for durable in declared():
        target = durable.registration.target
        if wants(target, model):
            found.append(Listening(str(target), durable.registration.name, f"durable as {durable.name}"))
    return found


def _receivers(signal: Signal, model: type) -> list[Callable[..., Any]]:
    return list(signal.receivers_for(model))


def name_of(function: Callable[..., Any]) -> str:
    """Return the module and the name of a function.

    >>> name_of(name_of)
    'bzz.explorer.listening.name_of'
    """
    module = getattr(function, "__module__", None) or type(function).__module__
    return f"{module}.{getattr(function, '__qualname__', None) or type(function).__qualname__}"
